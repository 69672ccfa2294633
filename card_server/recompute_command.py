"""`card-server recompute`: judges days of a school anew from the taps on record."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.plans import SchoolDays, read_school
from card_server.attendance.recompute import Progress as Told
from card_server.attendance.recompute import Recomputing
from card_server.attendance.recompute_names import name_homerooms, name_students
from card_server.attendance.recompute_reach import Reach, homerooms_of, write_reach
from card_server.attendance.recomputed import Recomputed
from card_server.attendance.rows import DayRow
from card_server.audit.details import seal_details
from card_server.audit.writing import at_command_line, note
from card_server.config import load_settings
from card_server.errors import AppError, Code
from card_server.register.schools import find_school
from card_server.storage.database import open_engine, open_sessions
from schema.tables.attendance import SessionStatus

_console = Console()
_LISTED = 40
_DATES = ["%Y-%m-%d"]
_LOOK = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def recompute(
    school: Annotated[str, typer.Option(help="The school's code.")],
    from_: Annotated[datetime, typer.Option("--from", formats=_DATES, help="The first day.")],
    to: Annotated[datetime, typer.Option(formats=_DATES, help="The last day; today at most.")],
    grade: Annotated[int | None, typer.Option(help="Only this grade: 1 to 12.")] = None,
    homeroom: Annotated[int | None, typer.Option(help="Only the homeroom with this id.")] = None,
    new_calendar: Annotated[
        bool, typer.Option("--new-calendar", help="By calendar and timetables of now.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before days change.")] = False,
    config: Annotated[Path | None, typer.Option(help="The settings file.")] = None,
) -> None:
    """Judge a school's days anew from its taps, leave and corrections.

    The days are judged by the calendar and timetables that held when they began, and so come out
    as they were unless something was wrong. With --new-calendar what holds now takes its place:
    the differences are shown first.
    """
    reach = Reach(from_.date(), to.date(), grade, homeroom)
    if reach.first > reach.last:
        raise AppError(Code.INVALID, "--from lies after --to.")
    settings = load_settings(config)
    engine = seal_details(open_engine(settings.database_url), settings.data_key)
    try:
        sessions = open_sessions(engine)
        with sessions() as session:
            of_school = read_school(session, find_school(session, school).id)
            homerooms = homerooms_of(session, of_school.id, reach)
        doing = Recomputing(
            sessions,
            of_school,
            reach.first,
            reach.last,
            datetime.now(UTC),
            by_new_calendar=new_calendar,
            homerooms=homerooms,
        )
        if dry_run or new_calendar:
            with _shown("comparing") as told:
                would_be = doing.try_out(told)
            _print(sessions, would_be, "What would change")
            if dry_run or not _is_wanted(would_be, yes):
                return
        with _shown("recomputing") as told:
            done = doing.do(told)
        _note(sessions, of_school, reach, new_calendar, done)
        if not new_calendar:
            _print(sessions, done, "What changed")
        _say(
            f"{done.students:,} students judged anew, {done.changed:,} days changed,"
            f" {done.counts_mended:,} homerooms' counts put right."
        )
    finally:
        engine.dispose()


def _is_wanted(would_be: Recomputed, yes: bool) -> bool:
    if yes:
        return True
    if would_be.changed == 0:
        return typer.confirm("No student's day changes. Keep these days by today's calendar?")
    return typer.confirm(f"Change {would_be.changed:,} days of students?")


def _note(
    sessions: sessionmaker[Session],
    school: SchoolDays,
    reach: Reach,
    new_calendar: bool,
    done: Recomputed,
) -> None:
    details = write_reach(reach) | {
        "new_calendar": new_calendar,
        "changed": done.changed,
        "counts": done.counts_mended,
    }
    with sessions.begin() as session:
        subject = f"school:{school.id}"
        note(
            session,
            school.id,
            at_command_line(),
            "attendance.recomputed",
            subject,
            details=details,
        )


def _print(sessions: sessionmaker[Session], result: Recomputed, title: str) -> None:
    """The changed days by homeroom, and the first of them by student number."""
    if not result.changed:
        _say("Every day is as it was.")
        return
    with sessions() as session:
        rooms = name_homerooms(session, result.by_homeroom)
        listed = result.listed[:_LISTED]
        students = name_students(session, {one.student_id for one in listed})
    table = Table("homeroom", "changed days", title=title)
    for room, changed in sorted(result.by_homeroom.items()):
        table.add_row(rooms.get(room, ""), f"{changed:,}")
    _console.print(table)
    table = Table("before", "after", "sessions")
    for (before, after), sessions_moved in result.by_status.most_common():
        table.add_row(_call(before), _call(after), f"{sessions_moved:,}")
    _console.print(table)
    table = Table("day", "homeroom", "student", "before", "after")
    for one in listed:
        table.add_row(
            one.day.isoformat(),
            rooms.get(one.homeroom_id, ""),
            students[one.student_id].number,
            _describe(one.before),
            _describe(one.after),
        )
    _console.print(table)
    if result.changed > len(listed):
        _say(f"and {result.changed - len(listed):,} more")


def _call(status: SessionStatus | None) -> str:
    return "no session" if status is None else status.value.replace("_", " ")


def _describe(row: DayRow | None) -> str:
    """A day in a few words: in how many sessions the student was what."""
    if row is None:
        return "–"
    numbers = {
        "present": row.present,
        "late": row.late,
        "left early": row.left_early,
        "absent": row.absent,
        "on leave": row.on_leave,
        "not judged": row.not_judged,
    }
    said = [f"{number} {word}" for word, number in numbers.items() if number]
    return ", ".join(said) or "nothing expected"


@contextmanager
def _shown(what: str) -> Iterator[Told]:
    with Progress(*_LOOK, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=None)

        def told(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield told


def _say(line: str) -> None:
    _console.print(line, markup=False, highlight=False, soft_wrap=True)

"""`card-server import-roster` and its kin: rosters and photos in, the roster out."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.details import seal_details
from card_server.audit.writing import at_command_line, note
from card_server.config import load_settings
from card_server.errors import EXIT_CODE, AppError, Code
from card_server.exports.speaking import speaking
from card_server.imports.roster.apply import Importing
from card_server.imports.roster.choices import Choices, StagedFile, read_grades
from card_server.imports.roster.export import EXPORTED, write_package
from card_server.imports.roster.facts import read_file
from card_server.imports.roster.importing import Consent, import_roster, preview
from card_server.imports.roster.mapping import read_mapping
from card_server.imports.roster.photos import import_photos
from card_server.imports.roster.plan import Counts, Difference
from card_server.imports.roster.pull import fetch_roster
from card_server.imports.roster.reading import recognise
from card_server.imports.roster.register_sheets import Days, Sheet, write_sheet
from card_server.register.schools import find_school
from card_server.staff.sessions import describe_school
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.sealing import Seal
from card_server.words.imports import say, where_word
from schema.tables.people import Language
from schema.tables.roster import RosterSource

_console = Console()
School = Annotated[str, typer.Option(help="The school's code.")]
Config = Annotated[Path | None, typer.Option(help="The settings file.")]
Speech = Annotated[Language, typer.Option(help="In which findings are said.")]


class _Place(NamedTuple):
    """A database, and the school in it."""

    sessions: sessionmaker[Session]
    doing: Importing


def import_file(
    school: School,
    file: Annotated[
        Path | None, typer.Argument(help="A sheet, or a OneRoster package.", dir_okay=False)
    ] = None,
    mapping: Annotated[
        str | None, typer.Option(help="Columns of a sheet: HEADER=MEANING,HEADER=…")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="The register system it is from.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Found when only one fits.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of a workbook with several.")] = None,
    of_school: Annotated[str | None, typer.Option(help="Of a package with several.")] = None,
    every_class: Annotated[bool, typer.Option(help="All classes are homerooms.")] = False,
    leave_out: Annotated[bool, typer.Option(help="Students without a homeroom.")] = False,
    valid_today: Annotated[bool, typer.Option(help="Enrolments in force today alone.")] = False,
    grade: Annotated[list[str] | None, typer.Option(help="HOMEROOM-ID=GRADE, repeated.")] = None,
    from_oneroster: Annotated[
        bool, typer.Option("--from-oneroster", help="Fetch from the school's service.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would become of it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Very many gone or changed is meant.")] = False,
    language: Speech = Language.ENGLISH,
    config: Config = None,
) -> None:
    """Bring students and guardians in: all of them, or nothing."""
    if (file is None) != from_oneroster:
        raise AppError(Code.INVALID, "Give a file, or --from-oneroster and none.")
    choices = Choices(
        encoding=encoding,
        sheet=sheet,
        profile=profile,
        school=of_school,
        every_class=every_class,
        leaves_out=leave_out,
        valid_today=valid_today,
        grades=read_grades(",".join(grade or ())),
    )
    with _opened(school, config) as place, _progress() as told, speaking(language):
        staged = _fetch(place, told) if file is None else _read(file, choices)
        if mapping is not None:
            staged = read_mapping(staged, mapping)
        counts = _import(place, staged, told, dry_run=dry_run, yes=yes)
    _print_counts(counts, dry_run=dry_run)


def _import(
    place: _Place, staged: StagedFile, told: "_Told", *, dry_run: bool, yes: bool
) -> Counts:
    """Compare, say what is wrong, and import unless it is a trial."""
    told("reading", 0, 10)
    doing = place.doing
    with place.sessions() as session:
        reading = read_file(session, doing.school_id, staged, doing.today, doing.seal)
        told("comparing", 4, 10)
        difference = preview(session, doing, reading.roster)
    _print_findings(difference)
    if difference.has_errors:
        sys.stderr.write("The roster has errors; nothing was imported.\n")
        raise typer.Exit(EXIT_CODE[Code.INVALID])
    if dry_run:
        return difference.counts
    about = {"file": staged.name, "sha256": hashlib.sha256(staged.body).hexdigest()}
    with place.sessions.begin() as session:
        counts = import_roster(
            session,
            doing,
            reading.roster,
            Consent(None, yes),
            about,
            lambda done, _total: told("importing", min(10, 5 + done), 10),
        )
    told("done", 10, 10)
    return counts


def _read(file: Path, choices: Choices) -> StagedFile:
    try:
        body = file.read_bytes()
    except OSError as error:
        raise AppError(Code.NOT_FOUND, f"{file} cannot be read: {error.strerror}.") from error
    return StagedFile(recognise(body), file.name, body, choices)


def _fetch(place: _Place, told: "_Told") -> StagedFile:
    told("fetching", 0, 10)
    with place.sessions() as session:
        body = fetch_roster(session, place.doing.school_id, place.doing.seal)
    return StagedFile(RosterSource.FETCHED, "oneroster", body)


def _print_findings(difference: Difference) -> None:
    for one in difference.findings:
        where = f"{one.file}:{one.line}" if one.line is not None else one.file
        said = say(str(one.kind), one.value, one.expected)
        parts = [part for part in (where, where_word(str(one.kind), one.field), said) if part]
        sys.stderr.write(": ".join(parts) + "\n")


def _print_counts(counts: Counts, *, dry_run: bool) -> None:
    if counts.is_nothing:
        _console.print("Nothing changes: the school is as the roster says.")
        return
    table = Table(title="What would become of it" if dry_run else "What became of it")
    table.add_column("students")
    table.add_column("number", justify="right")
    for what, number in (
        ("new", counts.new),
        ("changed", counts.changed),
        ("  of these to another homeroom", counts.moved),
        ("  of these back again", counts.back),
        ("not named any more", counts.gone),
        ("as before", counts.unchanged),
        ("new homerooms", counts.homerooms_new),
        ("new guardians", counts.guardians_new),
    ):
        table.add_row(what, f"{number:,}")
    _console.print(table)


def export_file(
    school: School,
    target: Annotated[Path, typer.Argument(help="Where it is written.", dir_okay=False)],
    format_: Annotated[str, typer.Option("--format", help="oneroster or cmis.")] = "oneroster",
    profile: Annotated[str, typer.Option(help="For cmis: the register system.")] = "national",
    sheet: Annotated[Sheet, typer.Option(help="For cmis: what it is about.")] = Sheet.CARDS,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of attendance: today.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of attendance: today.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why: stands in the audit log.")] = "",
    config: Config = None,
) -> None:
    """Write the school's roster, its card numbers or its attendance, for another system."""
    if format_ not in ("oneroster", "cmis"):
        raise AppError(Code.INVALID, "The format is oneroster or cmis.")
    with _opened(school, config) as place:
        doing = place.doing
        with place.sessions.begin() as session:
            if format_ == "oneroster":
                body = write_package(session, doing.school_id, doing.seal, doing.today)
            else:
                first, last = (day.date() if day else doing.today for day in (since, until))
                days = Days(first, last)
                body = write_sheet(session, doing.school_id, sheet, profile, days, doing.seal)
            details = {"format": format_, "bytes": len(body)}
            subject = f"school:{doing.school_id}"
            note(
                session,
                doing.school_id,
                doing.actor,
                EXPORTED,
                subject,
                reason=reason,
                details=details,
            )
        target.write_bytes(body)
        target.chmod(0o600)
    _console.print(f"{target}: {len(body):,} bytes. It holds children's data: keep it safe.")


def import_pictures(
    school: School,
    file: Annotated[Path, typer.Argument(help="A zip of pictures.", exists=True, dir_okay=False)],
    config: Config = None,
) -> None:
    """Bring students' photos in: a zip of pictures that are named by student number."""
    with (
        _opened(school, config) as place,
        file.open("rb") as zipped,
        place.sessions.begin() as session,
    ):
        report = import_photos(session, place.doing, zipped)
    _console.print(f"{report.kept:,} photos are in, {report.unchanged:,} were there already.")
    for name in report.unknown:
        _console.print(f"  {name}: no such student number", markup=False)
    for name in report.refused:
        _console.print(f"  {name}: no JPEG, PNG or WebP picture of 2 MB at most", markup=False)


class _Told:
    """Shows how far it is, on stderr."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=10)

    def __call__(self, what: str, done: int, total: int) -> None:
        self._progress.update(self._task, description=what, completed=done, total=total)


@contextmanager
def _progress() -> Iterator[_Told]:
    look = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*look, console=Console(stderr=True)) as progress:
        yield _Told(progress)


@contextmanager
def _opened(code: str, config: Path | None) -> Iterator[_Place]:
    settings = load_settings(config)
    engine: Engine = seal_details(open_engine(settings.database_url), settings.data_key)
    try:
        sessions = open_sessions(engine)
        with sessions() as session:
            school = describe_school(find_school(session, code))
        now, seal = datetime.now(UTC), Seal(settings.data_key)
        doing = Importing(school.id, school.zone, at_command_line(), now, seal)
        yield _Place(sessions, doing)
    finally:
        engine.dispose()

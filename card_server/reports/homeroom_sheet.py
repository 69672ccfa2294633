"""A homeroom's sheet for one day (班级日考勤): each student, each session, and what staff said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Result, select
from sqlalchemy.orm import Session

from card_server.attendance.day_notes import list_day_notes
from card_server.attendance.facts import DayPlan, Finding, SessionPlan, SessionResult
from card_server.reports.day_plans import is_school_day, kept_plans
from card_server.reports.homeroom_members import Member, read_members
from card_server.reports.kept_days import NOTHING_KEPT, KeptDay, read_days
from card_server.reports.sheet_rooms import SheetRoom, find_room, read_rooms
from card_server.staff.sessions import SchoolInUse
from schema.tables.attendance import Correction, DayNote, SessionStatus
from schema.tables.leave import LeaveKind

_NEIGHBOURS = 14
"""How far before and after a day its school days are looked for."""


@dataclass(frozen=True)
class Said:
    """What somebody of the staff said of a day, still in force."""

    position: int
    """0 for every session."""
    status: SessionStatus
    leave_kind: LeaveKind | None
    minutes: int | None
    """How late, or how early gone, if that was said."""
    reason: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True)
class SheetLine:
    """One student's day."""

    student_id: int
    number: str
    name: str
    pinyin: str
    arrived_at: datetime | None
    departed_at: datetime | None
    late_minutes: int
    early_minutes: int
    results: dict[int, SessionResult]
    """By the session's position; a session that nobody judged is missing."""
    findings: tuple[Finding, ...]
    corrections: Sequence[Said]
    notes: Sequence[DayNote]
    """Those that are not taken back, the oldest first."""

    def has(self, status: SessionStatus) -> bool:
        """Whether any session is that."""
        return any(one.status is status for one in self.results.values())


@dataclass(frozen=True)
class HomeroomSheet:
    """A homeroom's day."""

    rooms: list[SheetRoom]
    """Those within reach, to choose from."""
    room: SheetRoom
    day: date
    plan: DayPlan | None
    """What the day was; None where it was never begun, and so nothing was judged."""
    sessions: tuple[SessionPlan, ...]
    """Those of the plan; one for boarders alone only where it was judged of somebody."""
    lines: list[SheetLine]
    before: date
    """The school day before, or simply the day."""
    after: date

    def count(self, position: int, status: SessionStatus) -> int:
        """How many students a session of the day has with a status."""
        found = (one.results.get(position) for one in self.lines)
        return sum(one is not None and one.status is status for one in found)


def read_homeroom_sheet(
    session: Session, school: SchoolInUse, homeroom_id: int, day: date, words: str = ""
) -> HomeroomSheet:
    """The sheet in seven queries; with words only of students who answer to them.

    Raises AppError(NOT_FOUND).
    """
    rooms = read_rooms(session, school.id, homeroom_id)
    room = find_room(rooms, homeroom_id)
    around = [day + timedelta(days=n) for n in range(-_NEIGHBOURS, _NEIGHBOURS + 1)]
    kept = kept_plans(session, school.id, [room.id], around)
    plans = {one: plan for (one, _), plan in kept.items()}
    members = read_members(session, school, homeroom_id, [day], words)
    lines = _read_lines(session, school.id, day, members)
    before, after = _neighbours(day, plans)
    plan = plans.get(day)
    return HomeroomSheet(rooms, room, day, plan, _sessions(plan, lines), lines, before, after)


def _sessions(plan: DayPlan | None, lines: list[SheetLine]) -> tuple[SessionPlan, ...]:
    used = {position for line in lines for position in line.results}
    sessions = plan.sessions if plan else ()
    return tuple(one for one in sessions if one.is_for_day_students or one.position in used)


def _read_lines(
    session: Session, school_id: int, day: date, members: list[Member]
) -> list[SheetLine]:
    ids = [one.id for one in members]
    kept = read_days(session, school_id, ids, [day])
    said = read_said(session, school_id, ids, day, day)
    noted = list_day_notes(session, school_id, ids, day, day)
    return [
        _line(
            one,
            kept.get((one.id, day), NOTHING_KEPT),
            said.get((one.id, day), ()),
            [note for note in reversed(noted.get((one.id, day), ())) if note.ended_at is None],
        )
        for one in members
    ]


def _line(
    member: Member, kept: KeptDay, said: Sequence[Said], notes: Sequence[DayNote]
) -> SheetLine:
    return SheetLine(
        member.id,
        member.number,
        member.name,
        member.pinyin,
        kept.arrived_at,
        kept.departed_at,
        kept.late_minutes,
        kept.early_minutes,
        {one.position: one for one in kept.results},
        kept.findings,
        said,
        notes,
    )


def read_said(
    session: Session, school_id: int, student_ids: Sequence[int], first: date, last: date
) -> dict[tuple[int, date], list[Said]]:
    """The corrections in force with who, when and why, the oldest first; in one query."""
    found: Result[*tuple[Any, ...]] = session.execute(
        select(
            Correction.student_id,
            Correction.day,
            Correction.position,
            Correction.status,
            Correction.leave_kind,
            Correction.minutes,
            Correction.reason,
            Correction.made_by,
            Correction.made_at,
        )
        .where(
            Correction.school_id == school_id,
            Correction.student_id.in_(student_ids),
            Correction.day.between(first, last),
            Correction.ended_at.is_(None),
        )
        .order_by(Correction.id)
    )
    said: dict[tuple[int, date], list[Said]] = {}
    for student_id, day, *one in found:
        said.setdefault((student_id, day), []).append(Said(*one))
    return said


def _neighbours(day: date, plans: Mapping[date, DayPlan]) -> tuple[date, date]:
    """The days before and after on which the homeroom had sessions, as far as they are kept."""
    open_days = [one for one, plan in plans.items() if is_school_day(plan)]
    one_day = timedelta(days=1)
    return (
        max((one for one in open_days if one < day), default=day - one_day),
        min((one for one in open_days if one > day), default=day + one_day),
    )

"""The sheets of attendance as the API gives them: a homeroom's day and month, a student's term."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from card_server.api.inputs import Day, RowId, Taken
from card_server.api.shapes import Shape
from card_server.attendance.facts import Finding, Waiting
from schema.messages import Decision, Refusal
from schema.tables.attendance import SessionStatus
from schema.tables.calendar import DayKind, DayPart
from schema.tables.leave import LeaveKind, LeaveState
from schema.tables.readers import Direction
from schema.tables.taps import DirectionBy, Effect

_MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


def _month(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(_MONTH, value):
        raise ValueError("no month")
    return date.fromisoformat(f"{value}-01")


Month = Annotated[
    date, BeforeValidator(_month), WithJsonSchema({"type": "string", "pattern": _MONTH})
]


class SheetQuery(Taken):
    """Which day; today if none, and at the latest."""

    day: Day | None = None


class MonthQuery(Taken):
    """Which month, as 2026-11; this one if none."""

    month: Month | None = None


class TermQuery(Taken):
    """Which term; that of today, or the last that began, if none."""

    term: RowId | None = None


class SheetSession(Shape):
    """A session of a day."""

    position: int = Field(description="From 1, in the order of the day.")
    name: str = Field(description="Empty where the school has no timetable.")
    part: DayPart


class Result(Shape):
    """What became of a student in a session."""

    position: int
    status: SessionStatus
    late_minutes: int
    early_minutes: int
    leave_kind: LeaveKind | None
    waiting: Waiting | None = Field(description="Why it is not judged yet.")
    is_corrected: bool


class CorrectionInForce(Shape):
    """A correction in force."""

    position: int = Field(description="Which session; 0 for all of them.")
    status: SessionStatus
    leave_kind: LeaveKind | None
    minutes: int | None = Field(description="How late, or how early gone, if that was said.")
    reason: str
    made_by: str
    made_at: datetime


class NoteInForce(Shape):
    """A note beside the day."""

    id: int
    body: str
    made_by: str
    made_at: datetime


class SheetLine(Shape):
    """A student's day; a session that nobody has judged is not in the list."""

    student_id: int
    number: str
    name: str
    arrived_at: datetime | None = Field(description="The first entry.")
    departed_at: datetime | None = Field(description="The last exit.")
    late_minutes: int
    early_minutes: int
    sessions: list[Result]
    findings: list[Finding]
    corrections: list[CorrectionInForce]
    notes: list[NoteInForce]


class HomeroomDay(Shape):
    """A homeroom's sheet of a day."""

    homeroom_id: int
    homeroom: str
    day: date
    kind: DayKind | None = Field(description="Null where the day was never begun here.")
    note: str = Field(description="What the day is called, where it has a name.")
    is_unsure: bool = Field(description="The calendar does not reach so far.")
    sessions: list[SheetSession]
    students: list[SheetLine]


class Totals(Shape):
    """Numbers of a student in sessions, or of a day in students."""

    late: int
    left_early: int
    absent: int
    sick: int
    personal: int
    official: int


class GridDay(Shape):
    """A day of the month; its totals are students with at least one such session."""

    day: date
    kind: DayKind
    is_closed: bool
    note: str
    totals: Totals


class Cell(Shape):
    """A student's day in the grid."""

    day: date
    sessions: list[Result]


class GridLine(Shape):
    """A student of the grid; days of which nothing is known are not in the list."""

    student_id: int
    number: str
    name: str
    days: list[Cell]
    elsewhere: list[date] = Field(description="Days on which the student was of no such homeroom.")
    totals: Totals


class HomeroomMonth(Shape):
    """A homeroom's month as a grid."""

    homeroom_id: int
    homeroom: str
    month: str
    days: list[GridDay]
    students: list[GridLine]
    totals: Totals


class TermTap(Shape):
    """A tap, and how its direction was decided."""

    occurred_at: datetime
    reader: str
    place: str
    clock_suspect: bool
    decision: Decision
    reason: Refusal | None
    direction: Direction | None
    direction_by: DirectionBy | None
    effect: Effect


class TermPassage(Shape):
    """A passage without a card, as a guard wrote it down."""

    at: datetime
    direction: Direction
    reason: str
    made_by: str
    ended_at: datetime | None


class TermCorrection(CorrectionInForce):
    """A correction, in force or ended."""

    ended_by: str
    ended_at: datetime | None


class TermNote(NoteInForce):
    """A note beside the day, also one that was taken back."""

    ended_by: str
    ended_at: datetime | None


class TermDay(Shape):
    """A day of the term."""

    day: date
    kind: DayKind | None = Field(description="Null where it was not kept what the day was.")
    note: str
    is_school_day: bool
    arrived_at: datetime | None
    departed_at: datetime | None
    late_minutes: int
    early_minutes: int
    sessions: list[Result]
    findings: list[Finding]
    taps: list[TermTap]
    passages: list[TermPassage]
    corrections: list[TermCorrection]
    notes: list[TermNote]


class TermSlip(Shape):
    """A leave slip that touches the term; its reason stays sealed."""

    id: int
    kind: LeaveKind
    from_at: datetime
    until_at: datetime
    state: LeaveState
    asked_by: str
    decided_by: str


class StudentTerm(Shape):
    """A student's term until today."""

    student_id: int
    number: str
    name: str
    homeroom: str
    term_id: int | None
    days: list[TermDay]
    slips: list[TermSlip]
    school_days: int
    present: int
    not_judged: int
    totals: Totals

"""What staff say of students' days, as the API takes and gives it."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from card_server.api.inputs import Day, Limit, Moment, RowId, Taken, UuidId
from card_server.api.leave_shapes import Reason
from card_server.api.shapes import Shape
from card_server.attendance.correcting import MOST_MINUTES, MOST_SESSIONS
from schema.tables.attendance import SessionStatus
from schema.tables.leave import LeaveKind
from schema.tables.readers import Direction

_Position = Annotated[
    int,
    Field(
        strict=True,
        ge=0,
        le=MOST_SESSIONS,
        description="Which session of the day, from 1; 0 for all of them.",
    ),
]


_Minutes = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=MOST_MINUTES,
        description="How late, or how early gone; without them as many as the taps say.",
    ),
]


class CorrectionPath(Taken):
    """Which correction."""

    correction_id: RowId


class DayNotePath(Taken):
    """Which note beside a day."""

    day_note_id: RowId


class ExemptionPath(Taken):
    """Which exemption."""

    exemption_id: RowId


class PassagePath(Taken):
    """Which passage by hand."""

    passage_id: RowId


class PassagesQuery(Taken):
    """Since when; the last 24 hours if nothing is said."""

    since: Moment | None = None
    limit: Limit = 50


class NewCorrection(Taken):
    """What a session of a day was; on leave needs its kind; minutes need one session."""

    day: Day
    position: _Position
    status: SessionStatus
    leave_kind: LeaveKind | None = None
    minutes: _Minutes | None = None
    reason: Reason


class NewDayNote(Taken):
    """What is to stand beside a day."""

    body: Reason


class WholeHomeroom(Taken):
    """Of which day and session all who were absent or not judged were there, and why."""

    day: Day
    position: _Position
    reason: Reason


class EndedMarking(Taken):
    """Which marking of a day is taken back; the last one that stands if none is named."""

    day: Day
    marking_id: UuidId | None = None


class NewExemption(Taken):
    """From which day until which last one nothing is expected; without a last day for good."""

    from_on: Day
    last_on: Day | None = None
    reason: Reason


class ExpectedAgain(Taken):
    """From which day on the student is expected again."""

    on: Day


class NewPassage(Taken):
    """Which way somebody was let, and when; now if nothing is said."""

    direction: Direction
    at: Moment | None = None
    reason: Reason


class Correction(Shape):
    """What staff said of a day."""

    id: int
    student_id: int
    day: date
    position: int = Field(description="Which session of the day, from 1; 0 for all of them.")
    status: SessionStatus
    leave_kind: LeaveKind | None
    minutes: int | None = Field(description="Null: as many as the taps say, if any.")
    reason: str
    made_by: str
    made_at: datetime
    ended_by: str
    ended_at: datetime | None = Field(description="Since when it counts no more.")
    marking_id: UUID | None = Field(description="Of a whole homeroom's, made by one click.")


class Corrections(Shape):
    """All that was ever said of a day, newest first."""

    items: list[Correction]


class MarkedHomeroom(Shape):
    """How many students became present."""

    students: int
    marking_id: UUID | None = Field(
        description="By which it can be taken back; null when nobody was missing."
    )


class EndedStudents(Shape):
    """Of how many students the taps decide again."""

    students: int


class DayNote(Shape):
    """A note beside a student's day, which changes no status."""

    id: int
    student_id: int
    day: date
    body: str
    made_by: str
    made_at: datetime
    ended_by: str
    ended_at: datetime | None = Field(description="Since when it is taken back.")


class DayNotes(Shape):
    """All that was ever noted of a day, newest first."""

    items: list[DayNote]


class Exemption(Shape):
    """A time in which nothing is expected of a student."""

    id: int
    student_id: int
    from_on: date
    until_on: date | None = Field(description="The first day on which they are expected again.")
    reason: str


class Exemptions(Shape):
    """A student's exemptions, newest first."""

    items: list[Exemption]


class Passage(Shape):
    """Somebody let in or out without a card."""

    id: int
    student_id: int
    name: str
    number: str
    homeroom: str
    at: datetime
    direction: Direction
    reason: str
    made_by: str
    made_at: datetime
    ended_by: str = Field(description="Who took it back.")
    ended_at: datetime | None


class Passages(Shape):
    """Passages by hand, newest first."""

    items: list[Passage]

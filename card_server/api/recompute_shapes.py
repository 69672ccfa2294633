"""Judging days anew, as the API takes and gives it."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from card_server.api.inputs import Day, IdCursor, Limit, RowId, SentGrade, SentId, Taken
from card_server.api.shapes import Next, Shape
from schema.tables.attendance import SessionStatus
from schema.tables.jobs import JobState

_NO_SESSION = Field(description="Null: the day has no such session.")


class NewTrial(Taken):
    """From which day to which, 366 at most; of everybody, of a grade or of a homeroom."""

    first: Day
    last: Day
    grade: SentGrade | None = None
    homeroom_id: SentId | None = None


class RecomputationPath(Taken):
    """Which try-out, or what was applied of one: the background job's id."""

    recomputation_id: RowId


class SeenDifference(Taken):
    """The difference that was seen: it is applied like that, or not at all."""

    seen: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")]


class ChangedDaysQuery(Taken):
    """Which part of the changed days."""

    limit: Limit = 50
    cursor: IdCursor | None = None


class RecomputedSessions(Shape):
    """How many sessions would turn from one status to another."""

    before: SessionStatus | None = _NO_SESSION
    after: SessionStatus | None = _NO_SESSION
    sessions: int


class RecomputedHomeroom(Shape):
    """How many days of students would change in a homeroom."""

    homeroom_id: int
    changed_days: int


class Difference(Shape):
    """What would change; nothing has."""

    seen: str = Field(description="What tells this difference from another.")
    students: int = Field(description="Who was looked at.")
    changed_students: int
    changed_days: int = Field(description="Days of students.")
    same_status: int = Field(
        description="Changed days of which minutes or findings alone would differ."
    )
    differing: int = Field(
        description="Homerooms' days that the calendar says otherwise now than when they began."
    )
    statuses: list[RecomputedSessions]
    homerooms: list[RecomputedHomeroom]


class Recomputation(Shape):
    """A try-out, or what was applied of one; ask again until its state is `done` or `failed`."""

    id: int
    kind: Literal["try_out", "apply"]
    first: date
    last: date
    grade: int | None
    homeroom_id: int | None
    state: JobState
    made_at: datetime
    finished_at: datetime | None
    message: str = Field(description="What came of it, as a sentence; empty before the end.")
    difference: Difference | None = Field(
        description="What a try-out found; it is kept for a day, and null before and after that."
    )


class ChangedSession(Shape):
    """A session whose status would be another."""

    position: int
    name: str
    before: SessionStatus | None = _NO_SESSION
    after: SessionStatus | None = _NO_SESSION


class ChangedDay(Shape):
    """A student's day that would change; without sessions, minutes or findings alone differ."""

    student_id: int
    day: date
    homeroom_id: int
    sessions: list[ChangedSession]


class ChangedDays(Shape):
    """A part of the changed days: the first 5,000 are listed, and all are counted."""

    seen: str | None
    items: list[ChangedDay]
    next: Next

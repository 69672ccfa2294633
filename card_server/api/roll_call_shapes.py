"""The dormitory's roll call, as the API takes and gives it."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StrictBool

from card_server.api.inputs import Day, RowId, SentId, Taken
from card_server.api.shapes import Shape
from card_server.attendance.roll_call import MOST_MARKS, Called
from schema.tables.leave import LeaveKind


class RollCallQuery(Taken):
    """Which evening, and which homeroom's boarders."""

    day: Day | None = None
    homeroom: RowId | None = None


class SentCall(Taken):
    """What is said of one boarder."""

    student_id: SentId
    is_here: StrictBool | None = Field(description="Null takes back what was said.")


class SentCalls(Taken):
    """What is said of boarders on one evening."""

    day: Day
    students: Annotated[list[SentCall], Field(min_length=1, max_length=MOST_MARKS)]


class RollCallRoom(Shape):
    """A homeroom's numbers."""

    homeroom_id: int
    homeroom: str
    boarders: int
    here: int
    missing: int
    on_leave: int
    open: int = Field(description="Not called yet.")


class RollCallStudent(Shape):
    """One boarder of the roll."""

    student_id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    called: Called
    leave: LeaveKind | None
    is_inside: bool | None = Field(description="On campus now; null if no gate has seen them.")
    since_at: datetime | None
    gate: str
    made_by: str
    made_at: datetime | None


class RollCallWhole(Shape):
    """An evening's roll, as far as the caller sees it, by homeroom and number."""

    day: date
    rooms: list[RollCallRoom]
    students: list[RollCallStudent]


class ChangedCalls(Shape):
    """Of whom something else is said than before."""

    students: list[int]

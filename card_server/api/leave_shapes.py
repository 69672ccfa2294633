"""Leave slips as the API takes and gives them; days and hours are those of the school's zone."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool

from card_server.api.inputs import (
    Day,
    Grade,
    IdCursor,
    Limit,
    RowId,
    Taken,
    Text,
    YesOrNo,
    storable,
)
from card_server.api.shapes import Next, Shape
from schema.tables.leave import LeaveKind, LeaveState

Reason = Annotated[
    str,
    Field(min_length=1, max_length=200, json_schema_extra={"pattern": r"^[^\u0000]*$"}),
    AfterValidator(storable),
]
Hour = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class SlipPath(Taken):
    """Which leave slip."""

    slip_id: RowId


class _Slips(Taken):
    """Which leave slips; those over a day from `first` to `last`, coming ones as well."""

    first: Day | None = None
    last: Day | None = None
    homeroom: RowId | None = None
    grade: Grade | None = None
    kind: LeaveKind | None = None
    state: LeaveState | None = None


class SlipsQuery(_Slips):
    """Which leave slips, and which part; over any day from `first` to `last`, coming ones too."""

    student: RowId | None = None
    limit: Limit = 50
    cursor: IdCursor | None = None


class SlipsSearch(_Slips):
    """Which leave slips, and whose name, pinyin or number."""

    words: Text


class NewSlip(Taken):
    """Leave that is asked for: without hours whole days, without a last day one day."""

    kind: LeaveKind
    from_on: Day
    from_time: Hour | None = None
    until_on: Day | None = None
    until_time: Hour | None = None
    lets_out: StrictBool = False
    reason: Reason


class Approval(Taken):
    """Whether the gate lets the student out while the leave holds; without, as it was asked."""

    lets_out: YesOrNo | None = None


class Decided(Taken):
    """Why it is refused or withdrawn."""

    reason: Reason


class CameBack(Taken):
    """From when on the student was back, and why."""

    until_on: Day
    until_time: Hour | None = None
    reason: Reason


class LeaveSlip(Shape):
    """A leave slip, without its reason."""

    id: int
    student_id: int
    name: str
    number: str
    homeroom: str
    kind: LeaveKind
    from_at: datetime
    until_at: datetime = Field(description="The first moment after it.")
    lets_out: bool = Field(description="Whether the gate lets the student out while it holds.")
    needs_school: bool = Field(description="Whether the school must approve it as well.")
    state: LeaveState
    asked_by: str
    guardian_id: int | None = Field(description="Which guardian asked; null for staff.")
    asked_at: datetime
    first_by: str
    first_at: datetime | None = Field(description="When the homeroom teacher agreed to a long one.")
    decided_by: str
    decided_at: datetime | None
    ended_by: str = Field(description="Who withdrew it, or noted an early return.")
    ended_at: datetime | None
    decision_reason: str = Field(description="Why it was refused, withdrawn or ended early.")


class LeaveSlipWhole(LeaveSlip):
    """A leave slip with its reason; the look is noted."""

    reason: str


class FoundSlips(Shape):
    """The slips of who answers to the words, the newest begin first."""

    items: list[LeaveSlip]


class LeaveSlips(Shape):
    """Leave slips, in the order of their ids."""

    items: list[LeaveSlip]
    next: Next

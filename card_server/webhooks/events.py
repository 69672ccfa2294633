"""What receivers get: each event's JSON body. Names and phone numbers are never in it.

`python -m card_server.webhooks.document` writes these as a JSON Schema to schema/webhooks.json.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from schema.messages import CardState, Refusal
from schema.tables.cards import CardKind, CardStep
from schema.tables.messages import MessageKind, MessageState
from schema.tables.people import StudentStatus
from schema.tables.readers import Direction
from schema.tables.taps import Effect

Version = Literal[1]
Utc = Annotated[datetime, Meta(tz=True)]


class DayStatus(StrEnum):
    """How a student's day stands."""

    ARRIVED = "arrived"
    LATE = "late"
    DEPARTED = "departed"
    """Left after the arrival, or without one: whether late stands in `late_minutes`."""


class AboutStudent(Struct, frozen=True, gc=False):
    """Whose event it is, without a name."""

    id: int
    number: str
    """The student number (学号)."""
    homeroom_id: int
    homeroom: str
    """The homeroom's name, as it is when the event happens."""


class Tapped(Struct, frozen=True, gc=False):
    """One card held to one reader."""

    tap_id: UUID
    reader: str
    """The reader's code."""
    student: AboutStudent | None
    """None when it was nobody's valid card."""
    occurred_at: Utc
    received_at: Utc
    """Later than `occurred_at` when reader or network were cut off."""
    clock_suspect: bool
    """Whether the reader's clock may be wrong, and `occurred_at` with it."""
    is_admitted: bool
    reason: Refusal | None
    """Why the reader refused it."""
    direction: Direction | None
    effect: Effect


class DayChanged(Struct, frozen=True, gc=False):
    """A student's day as it stands now; the newest event of a day replaces the earlier ones."""

    day: date
    """In the school's zone."""
    student: AboutStudent
    status: DayStatus
    arrived_at: Utc | None
    departed_at: Utc | None
    late_minutes: int


class MessageSettled(Struct, frozen=True, gc=False):
    """What became of a message to a guardian."""

    message_id: UUID
    kind: MessageKind
    tap_id: UUID | None
    student: AboutStudent
    state: MessageState
    """`accepted` by the carrier, `failed`, or `unknown`; unknown may still become another."""


class CardStepped(Struct, frozen=True, gc=False):
    """One step of one card, which is known by its id: a card's number opens doors."""

    card_id: int
    kind: CardKind
    student: AboutStudent | None
    """Whose it is from now on, or was until now; None when it is nobody's."""
    step: CardStep
    """What was done; new cards that come into stock are not told."""
    state: CardState
    """What the card is from then on."""
    at: Utc
    """When the step counts: a temporary card ends at its midnight."""


class StatusChanged(Struct, frozen=True, gc=False):
    """What a student has become."""

    student: AboutStudent
    before: StudentStatus | None
    """None for a student who is new."""
    status: StudentStatus
    on: date
    """From which day on, in the school's zone."""


class Tried(Struct, frozen=True, gc=False):
    """Nothing happened: staff try whether the webhook works."""

    webhook_id: int


class TapEvent(Struct, frozen=True, gc=False, tag="tap"):
    """A tap was recorded."""

    timestamp: Utc
    """When the event was written down."""
    school: str
    """The school's code."""
    data: Tapped
    v: Version = 1


class AttendanceEvent(Struct, frozen=True, gc=False, tag="attendance"):
    """A student's day changed."""

    timestamp: Utc
    school: str
    data: DayChanged
    v: Version = 1


class MessageEvent(Struct, frozen=True, gc=False, tag="message"):
    """A message to a guardian was settled."""

    timestamp: Utc
    school: str
    data: MessageSettled
    v: Version = 1


class CardEvent(Struct, frozen=True, gc=False, tag="card"):
    """Something was done with a card."""

    timestamp: Utc
    school: str
    data: CardStepped
    v: Version = 1


class StudentEvent(Struct, frozen=True, gc=False, tag="student"):
    """A student came, left, or is back."""

    timestamp: Utc
    school: str
    data: StatusChanged
    v: Version = 1


class TrialEvent(Struct, frozen=True, gc=False, tag="test"):
    """Staff pressed the button."""

    timestamp: Utc
    school: str
    data: Tried
    v: Version = 1


Event = TapEvent | AttendanceEvent | MessageEvent | CardEvent | StudentEvent | TrialEvent


def status_of(arrived_at: datetime | None, departed_at: datetime | None, late: int) -> DayStatus:
    """How a day stands by its times; `late` in minutes."""
    if departed_at is not None and (arrived_at is None or departed_at >= arrived_at):
        return DayStatus.DEPARTED
    return DayStatus.LATE if late > 0 else DayStatus.ARRIVED

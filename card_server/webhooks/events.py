"""What receivers get: each event's JSON body. Names and phone numbers are never in it.

`python -m card_server.webhooks.document` writes these as a JSON Schema to schema/webhooks.json.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple, Protocol
from uuid import UUID

from msgspec import Meta, Struct

from schema.messages import CardState, Refusal
from schema.tables.cards import CardKind, CardStep
from schema.tables.messages import LimitScope, MessageKind, MessageState
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
    ABSENT = "absent"
    """Not seen, and absent from a session at least."""
    ON_LEAVE = "on_leave"
    """Not seen, and on leave."""
    NOT_JUDGED = "not_judged"
    """Nothing is known of the day, or not any more."""
    NOT_EXPECTED = "not_expected"
    """Nothing is expected of the student that day, or not any more."""


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
    """None for who was marked present and not seen."""
    departed_at: Utc | None
    late_minutes: int
    absent: int
    """In how many sessions of the day the student was absent, though seen in another one."""
    on_leave: int
    """In how many sessions on leave."""


class MessageSettled(Struct, frozen=True, gc=False):
    """What became of a message to a guardian."""

    message_id: UUID
    kind: MessageKind
    tap_id: UUID | None
    student: AboutStudent
    state: MessageState
    """`accepted` by the carrier, `failed`, or `unknown`; all but `failed` may still become another:
    `delivered` or `undelivered`, where the carrier reports it."""


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


class LimitReached(Struct, frozen=True, gc=False):
    """Some messages of this day are not sent; told once for each limit and day."""

    scope: LimitScope
    """What is limited: messages to one number (of one kind), about one student, of the school."""


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


class LimitEvent(Struct, frozen=True, gc=False, tag="limit"):
    """A limit of the day keeps messages back."""

    timestamp: Utc
    school: str
    data: LimitReached
    v: Version = 1


class TrialEvent(Struct, frozen=True, gc=False, tag="test"):
    """Staff pressed the button."""

    timestamp: Utc
    school: str
    data: Tried
    v: Version = 1


Event = (
    TapEvent | AttendanceEvent | MessageEvent | CardEvent | StudentEvent | LimitEvent | TrialEvent
)


class Day(Protocol):
    """A judged day, as a row of `attendance` has it."""

    @property
    def day(self) -> date: ...
    @property
    def arrived_at(self) -> datetime | None: ...
    @property
    def departed_at(self) -> datetime | None: ...
    @property
    def late_minutes(self) -> int: ...
    @property
    def present(self) -> int: ...
    @property
    def absent(self) -> int: ...
    @property
    def on_leave(self) -> int: ...
    @property
    def not_judged(self) -> int: ...


class Summary(NamedTuple):
    """All of a day that receivers are told."""

    status: DayStatus
    arrived_at: datetime | None
    departed_at: datetime | None
    late_minutes: int
    absent: int
    on_leave: int


def summary_of(day: Day) -> Summary:
    """A day in a receiver's words."""
    return Summary(
        _status_of(day),
        day.arrived_at,
        day.departed_at,
        day.late_minutes,
        day.absent,
        day.on_leave,
    )


def changed_day(day: Day, student: AboutStudent) -> DayChanged:
    """A day as the event has it."""
    return DayChanged(day.day, student, *summary_of(day))


def _status_of(day: Day) -> DayStatus:
    arrived_at, departed_at = day.arrived_at, day.departed_at
    if departed_at is not None and (arrived_at is None or departed_at >= arrived_at):
        return DayStatus.DEPARTED
    if arrived_at is None and not day.present:
        return _status_unseen(day)
    return DayStatus.LATE if day.late_minutes > 0 else DayStatus.ARRIVED


def _status_unseen(day: Day) -> DayStatus:
    if day.absent:
        return DayStatus.ABSENT
    if day.on_leave:
        return DayStatus.ON_LEAVE
    return DayStatus.NOT_JUDGED if day.not_judged else DayStatus.NOT_EXPECTED

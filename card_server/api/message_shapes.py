"""What the API answers of messages to guardians, and what it takes to do something about them."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from card_server.api.inputs import (
    Day,
    Limit,
    Moment,
    MomentCursor,
    RowId,
    Taken,
    UuidId,
    storable,
)
from card_server.api.shapes import Next, Shape
from card_server.messages.waiting import WaitReason
from card_server.reports.message_costs import CostBy
from schema.tables.messages import LimitScope, MessageKind, MessageState, StopBy, Suppression
from schema.tables.people import Channel, Language

_ERROR = Field(description="The carrier's code and sentence, or our own sentence.")
_PRICE = Field(description="In thousandths of the school's currency.")


class Message(Shape):
    """A message to a guardian; of the phone the last digits."""

    id: UUID
    created_at: datetime
    changed_at: datetime
    due_at: datetime = Field(description="Of one that waits: when it is looked at again.")
    kind: MessageKind
    state: MessageState
    suppression: Suppression | None
    student_id: int
    student: str
    homeroom: str
    guardian_id: int
    phone_tail: str
    provider: str | None
    attempts: int
    error: str | None = _ERROR
    body: str


class Messages(Shape):
    """A part of the messages, newest first by when they changed."""

    items: list[Message]
    next: Next


class MessageHistory(Shape):
    """A part of the messages, newest first by when they were written."""

    items: list[Message]
    next: Next


class MessageCounts(Shape):
    """How many messages are in each state: today's, and all that wait."""

    queued: int
    sending: int
    accepted: int
    delivered: int
    undelivered: int
    failed: int
    unknown: int
    suppressed: int


class MessageRecord(Shape):
    """One message with all that became of it."""

    id: UUID
    kind: MessageKind
    state: MessageState
    suppression: Suppression | None
    student_id: int
    student: str
    homeroom: str
    guardian_id: int
    guardian: str
    relation: str | None = Field(description="Null: not this student's guardian any more.")
    phone_tail: str
    language: Language
    channel: Channel
    body: str
    provider: str | None
    attempts: int
    error: str | None = _ERROR
    segments: int = Field(description="How many SMS it was.")
    price: int = _PRICE
    about_at: datetime | None = Field(description="When what it tells of happened.")
    created_at: datetime
    due_at: datetime
    expires_at: datetime = Field(description="After this it is not worth sending.")
    tried_at: datetime | None
    look_up_at: datetime | None = Field(
        description="Of an unclear one: when its carrier is asked next; null: a person decides."
    )
    look_ups: int
    changed_at: datetime
    resend_of: UUID | None = Field(description="The message that this one was sent again for.")
    resent_by: UUID | None = Field(description="The message by which this one was sent again.")


class MessageFailure(Shape):
    """One reason why messages did not arrive, and how often it was one."""

    state: MessageState
    suppression: Suppression | None
    error: str | None = _ERROR
    times: int
    last_at: datetime


class MessageFailures(Shape):
    """The reasons of the last 7 days, the most frequent first."""

    items: list[MessageFailure]


class MessageWait(Shape):
    """Messages that wait for the same."""

    reason: WaitReason
    count: int
    until: datetime | None = Field(description="Null: as soon as may be.")
    oldest: datetime
    error: str | None = _ERROR


class MessageWaits(Shape):
    """All that waits, grouped by why."""

    items: list[MessageWait]


class MessageCost(Shape):
    """What some messages cost; of day, homeroom and kind it has the one that was asked for."""

    day: date | None
    homeroom_id: int | None
    homeroom: str
    kind: MessageKind | None
    messages: int
    segments: int
    price: int = _PRICE


class MessageCosts(Shape):
    """The costs of a time: of messages that a carrier took, or may have taken."""

    currency: str
    total: MessageCost
    items: list[MessageCost]


class Carrier(Shape):
    """A carrier, as the notifier that used it last saw it."""

    name: str
    is_used: bool = Field(description="Whether the settings name it.")
    tried: int
    failed: int = Field(description="Of the last `tried` calls.")
    passed_over_since: datetime | None = Field(
        description="Since when nothing but trials, which failed, went to it; null: it works."
    )
    passed_over_until: datetime | None
    last_error: str
    last_error_at: datetime | None
    last_taken_at: datetime | None


class ReachedLimit(Shape):
    """A limit of a day that kept messages back."""

    day: date
    scope: LimitScope
    kind: MessageKind | None
    student_id: int | None
    guardian_id: int | None
    phone_tail: str
    count: int
    price: int = _PRICE
    reached_at: datetime
    seen_by: str = Field(description="Who took note of it; empty: nobody yet.")


class KeptNumber(Shape):
    """A guardian's number to which nothing goes."""

    guardian_id: int
    guardian: str
    phone_tail: str
    student_id: int | None
    stopped_at: datetime | None
    stopped_by: StopBy | None
    bad_at: datetime | None
    bad_because: str
    seen_by: str = Field(description="Who took note of it; empty: nobody yet.")


class Sending(Shape):
    """How sending does."""

    stopped_at: datetime | None = Field(description="Since when nothing at all is sent.")
    carriers: list[Carrier] = Field(description="In the order in which they are asked.")
    limits: list[ReachedLimit] = Field(
        description="Reached in the last 7 days, or seen by nobody; 200 at most."
    )
    numbers: list[KeptNumber] = Field(description="200 at most.")
    undecided: list[Message] = Field(
        description="Unclear ones of which a person must say what became of them; 200 at most."
    )


class MessagesQuery(Taken):
    """Which part of the messages."""

    state: MessageState | None = None
    kind: MessageKind | None = None
    homeroom: RowId | None = None
    suppression: Suppression | None = None
    since: Moment | None = Field(default=None, description="Changed since then.")
    until: Moment | None = Field(default=None, description="Changed before then.")
    limit: Limit = 50
    cursor: MomentCursor | None = None


class HistoryPart(Taken):
    """Which part of the messages."""

    limit: Limit = 50
    cursor: MomentCursor | None = None


class CostsQuery(Taken):
    """Of which days, 92 at most, and what to tell costs apart by."""

    first: Day
    last: Day
    by: CostBy = CostBy.DAY


class MessagePath(Taken):
    """Which message."""

    message_id: UuidId


class NumberPath(Taken):
    """Whose number."""

    guardian_id: RowId


_Reason = Annotated[
    str,
    Field(min_length=1, max_length=200, json_schema_extra={"pattern": r"^[^\u0000]*$"}),
    AfterValidator(storable),
]


class MessageDecision(Taken):
    """What became of an unclear message, and how you know."""

    has_arrived: Annotated[bool, Field(strict=True)]
    reason: _Reason


class Resending(Taken):
    """Why a message is sent again."""

    reason: _Reason
    although_stale: bool = Field(
        default=False,
        strict=True,
        description="Of leave, library and notices: send it although it is late.",
    )


class Seen(Taken):
    """Up to when."""

    until: Moment


class Freeing(Taken):
    """Who asked for it."""

    reason: _Reason

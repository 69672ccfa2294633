"""Messages to guardians: a row is history and outbox at once; and what is counted of them."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, SchoolTable, Table
from schema.tables.people import Channel, Language


class MessageKind(StrEnum):
    """What a message tells."""

    ARRIVAL = "arrival"
    DEPARTURE = "departure"
    LATE = "late"
    """An arrival after the lesson's beginning: sent instead of the arrival's message."""
    ABSENCE = "absence"
    ARRIVED = "arrived"
    """That a student whose absence was told has come after all."""
    LEAVE = "leave"
    """That a leave slip was decided."""
    LIBRARY = "library"
    """That a loan is due."""
    LAB = "lab"
    NOTICE = "notice"
    """What staff write to many."""
    INVITATION = "invitation"
    """The link to the parents' page: all that a number may get before it is verified."""
    CODE = "code"
    """The code that shows whose phone it is."""


class MessageState(StrEnum):
    """Where a message is; it only moves forward."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    """The carrier has it."""
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    """The carrier refused it for good."""
    UNKNOWN = "unknown"
    """Accepted or not: we cannot tell. Looked up at the carrier, or a person decides."""
    SUPPRESSED = "suppressed"


class Suppression(StrEnum):
    """Why a message is not sent."""

    STALE = "stale"
    CLOCK_SUSPECT = "clock_suspect"
    DUPLICATE = "duplicate"
    """Of a tap that turned out to be another one's double, or told already by that one."""
    WITHDRAWN = "withdrawn"
    """What it says turned out otherwise before it was sent."""
    STOPPED = "stopped"
    """The number asked us to stop."""
    NUMBER_BAD = "number_bad"
    """A carrier said that this number can never get a message."""
    NUMBER_CHANGED = "number_changed"
    """The guardian has another number since it was written, or is no guardian any more."""
    UNVERIFIED = "unverified"
    NO_CONSENT = "no_consent"
    QUIET = "quiet"
    """It would not be worth sending any more when the quiet hours end."""
    LIMIT = "limit"
    """A limit of the day is reached; `error` says which."""


MISSED = "state IN ('failed', 'undelivered', 'suppressed')"
"""Messages that nobody got. Queries that want the index on them say it in these very words."""


def _index_where(name: str, condition: str, *columns: str) -> Index:
    """An index over the few rows of which this is true, on both databases."""
    where = text(condition)
    return Index(
        f"ix_message_{name}", *(columns or (name,)), postgresql_where=where, sqlite_where=where
    )


class Message(SchoolTable):
    """One message to one guardian about one student."""

    __tablename__ = "message"
    __table_args__ = (
        _index_where("due_at", "state = 'queued'"),
        _index_where("lease_until", "state = 'sending'"),
        _index_where("look_up_at", "state = 'unknown'"),
        _index_where("notice_id", "notice_id IS NOT NULL"),
        _index_where("missed_at", MISSED, "school_id", "changed_at"),
        Index(None, "school_id", "changed_at"),
        Index(None, "school_id", "student_id", "created_at"),
        Index(None, "guardian_id", "created_at"),
        Index(None, "provider_id", "provider"),
    )

    school_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[MessageKind] = mapped_column(Choice(MessageKind))
    tap_id: Mapped[UUID | None]
    student_id: Mapped[int]
    """Of a notice to a guardian of several students the first one."""
    notice_id: Mapped[int | None]
    """The school notice that it is one of."""
    guardian_id: Mapped[int]
    language: Mapped[Language] = mapped_column(
        Choice(Language), default=Language.CHINESE, server_default=Language.CHINESE.value
    )
    channel: Mapped[Channel] = mapped_column(
        Choice(Channel), default=Channel.SMS, server_default=Channel.SMS.value
    )
    body: Mapped[str] = mapped_column(Text)
    """As it is sent, with the signature. Of a code the digits are stars."""
    slots: Mapped[str] = mapped_column(Text, default="[]", server_default="[]")
    """What fills the text, as JSON pairs of name and value in the text's order."""
    state: Mapped[MessageState] = mapped_column(Choice(MessageState))
    state_before: Mapped[MessageState | None] = mapped_column(Choice(MessageState))
    """The state that the last news of a carrier found it in: by it the day's costs change."""
    suppression: Mapped[Suppression | None] = mapped_column(Choice(Suppression))
    provider: Mapped[str | None] = mapped_column(String(24))
    provider_id: Mapped[str | None] = mapped_column(String(64))
    """The provider's own name for it (Twilio: the SID)."""
    refused_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """The providers that surely did not take it, apart by spaces."""
    to_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """While `sending` or `unknown`: the number that it went to, sealed as the guardian's was then;
    None on WeCom."""
    to_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """While `sending` or `unknown`: that guardian's number by its keyed hash, as it was counted."""
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(300))
    """The provider's code and what it means, for staff."""
    segments: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many SMS it was when it was handed over."""
    price: Mapped[int] = mapped_column(default=0, server_default="0")
    """In thousandths of the school's currency, for all segments."""
    about_at: Mapped[datetime | None]
    """When what it tells of happened."""
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """After this it is stale and must not be sent any more."""
    lease_until: Mapped[datetime | None]
    """While `sending`: when the claim of a notifier that died runs out."""
    tried_at: Mapped[datetime | None]
    """When a notifier took it last."""
    tried_on: Mapped[date | None]
    """That day in the school's zone."""
    homeroom_id: Mapped[int] = mapped_column(default=0, server_default="0")
    """The student's homeroom then; 0 before, and where nobody knows."""
    look_up_at: Mapped[datetime | None]
    """While `unknown`: when the provider is asked next; None when a person must decide."""
    look_ups: Mapped[int] = mapped_column(default=0, server_default="0")
    resend_of: Mapped[UUID | None]
    """The message that staff sent again by this one."""
    changed_at: Mapped[datetime]


class LimitScope(StrEnum):
    """What a limit of a day counts."""

    NUMBER = "number"
    NUMBER_AND_KIND = "number_and_kind"
    """As carriers count them: one text to one number."""
    STUDENT = "student"
    SCHOOL = "school"


class MessageCount(SchoolTable):
    """How many messages of one day were handed over, and for how much."""

    __tablename__ = "message_count"
    __table_args__ = (
        Index(
            "ix_message_count_reached_at",
            "school_id",
            "reached_at",
            postgresql_where=text("reached_at IS NOT NULL"),
            sqlite_where=text("reached_at IS NOT NULL"),
        ),
    )

    school_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    """In the school's zone."""
    scope: Mapped[LimitScope] = mapped_column(Choice(LimitScope), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    """The number's keyed hash in hex (and ":kind"), the student's id, or empty for the school."""
    count: Mapped[int] = mapped_column(default=0)
    price: Mapped[int] = mapped_column(BigInteger, default=0)
    """In thousandths of the school's currency."""
    reached_at: Mapped[datetime | None]
    """When the limit kept a message back for the first time."""
    seen_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Who of the staff took note of it."""


class StopBy(StrEnum):
    """How a number's messages were stopped."""

    REPLY = "reply"
    PAGE = "page"
    STAFF = "staff"
    PROVIDER = "provider"


class PhoneStanding(SchoolTable):
    """What is known of a number: that it asked us to stop, or can never get a message."""

    __tablename__ = "phone_standing"

    school_id: Mapped[int] = mapped_column(primary_key=True)
    phone_hash: Mapped[bytes] = mapped_column(primary_key=True)
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[StopBy | None] = mapped_column(Choice(StopBy))
    bad_at: Mapped[datetime | None]
    bad_because: Mapped[str] = mapped_column(String(300), default="", server_default="")
    """The carrier's sentence."""
    seen_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Who of the staff took note of it."""


class MessageRules(SchoolTable):
    """A school's limits, prices and quiet hours for messages; no row means the defaults."""

    __tablename__ = "message_rules"

    school_id: Mapped[int] = mapped_column(primary_key=True)
    per_number: Mapped[int] = mapped_column(default=20, server_default="20")
    per_number_and_kind: Mapped[int] = mapped_column(default=10, server_default="10")
    per_student: Mapped[int] = mapped_column(default=30, server_default="30")
    per_school: Mapped[int] = mapped_column(default=20_000, server_default="20000")
    money_per_day: Mapped[int] = mapped_column(
        BigInteger, default=1_000_000, server_default="1000000"
    )
    """In thousandths of the currency."""
    price_per_segment: Mapped[int] = mapped_column(default=45, server_default="45")
    """In thousandths of the currency."""
    currency: Mapped[str] = mapped_column(String(3), default="CNY", server_default="CNY")
    quiet_from: Mapped[int] = mapped_column(default=22 * 60, server_default="1320")
    """Minutes after midnight in the school's zone; equal to `quiet_until`: none."""
    quiet_until: Mapped[int] = mapped_column(default=6 * 60 + 30, server_default="390")
    stopped_at: Mapped[datetime | None]
    """Since when nothing at all is sent (the switch)."""
    stopped_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    district_stopped_at: Mapped[datetime | None]
    """The same as `stopped_at` when it was the district that stopped it; later or earlier when the
    school had done so itself, and then stays stopped when the district lets all go on."""


class MessageText(SchoolTable):
    """A text that the school wrote itself in the place of the one that comes with the system."""

    __tablename__ = "message_text"

    school_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[MessageKind] = mapped_column(Choice(MessageKind), primary_key=True)
    language: Mapped[Language] = mapped_column(Choice(Language), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    """With {slots}, without the signature."""
    changed_at: Mapped[datetime]


class CarrierText(SchoolTable):
    """A carrier's code of a text that it approved for the school (模板)."""

    __tablename__ = "carrier_text"

    school_id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(24), primary_key=True)
    kind: Mapped[MessageKind] = mapped_column(Choice(MessageKind), primary_key=True)
    language: Mapped[Language] = mapped_column(Choice(Language), primary_key=True)
    code: Mapped[str] = mapped_column(String(64))


class CarrierHealth(Table):
    """How a carrier does, as the notifier that used it last saw it."""

    __tablename__ = "carrier_health"

    name: Mapped[str] = mapped_column(String(24), primary_key=True)
    tried: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    """Of the last `tried` calls (at most 50)."""
    passed_over_since: Mapped[datetime | None]
    """Since when it has taken nothing but trials, which failed; None: it is not passed over."""
    passed_over_until: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(String(300), default="", server_default="")
    last_error_at: Mapped[datetime | None]
    last_taken_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class Notice(SchoolTable):
    """A school notice (学校通知) that staff wrote to the guardians of many students."""

    __tablename__ = "notice"
    __table_args__ = (Index(None, "school_id", "made_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(String(400))
    """"school", or "grade:7", or "homeroom:12 homeroom:13"."""
    text_chinese: Mapped[str] = mapped_column(Text)
    text_english: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Empty: everybody gets the Chinese text."""
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime]
    sent: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many messages it became: one a number."""

"""Messages to guardians: a row is history and outbox at once."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, SchoolTable


class MessageKind(StrEnum):
    """What a message tells."""

    ARRIVAL = "arrival"
    DEPARTURE = "departure"


class MessageState(StrEnum):
    """Where a message is; it only moves forward."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Accepted or not: nobody can tell. Never sent again by itself."""
    SUPPRESSED = "suppressed"


class Suppression(StrEnum):
    """Why a message is not sent."""

    STALE = "stale"
    CLOCK_SUSPECT = "clock_suspect"
    DUPLICATE = "duplicate"
    """Of a tap that turned out to be another one's double, or told already by that one."""
    WITHDRAWN = "withdrawn"
    """What it says turned out otherwise before it was sent."""


def _index_where(column: str, condition: str) -> Index:
    """A small index over the few rows that wait, on both databases."""
    where = text(condition)
    return Index(f"ix_message_{column}", column, postgresql_where=where, sqlite_where=where)


class Message(SchoolTable):
    """One message to one guardian about one student."""

    __tablename__ = "message"
    __table_args__ = (
        _index_where("due_at", "state = 'queued'"),
        _index_where("lease_until", "state = 'sending'"),
        Index(None, "school_id", "changed_at"),
        Index(None, "school_id", "student_id", "created_at"),
    )

    school_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[MessageKind] = mapped_column(Choice(MessageKind))
    tap_id: Mapped[UUID | None]
    student_id: Mapped[int]
    guardian_id: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[MessageState] = mapped_column(Choice(MessageState))
    suppression: Mapped[Suppression | None] = mapped_column(Choice(Suppression))
    provider: Mapped[str | None] = mapped_column(String(24))
    provider_id: Mapped[str | None] = mapped_column(String(64))
    """The provider's own name for it (Twilio: the SID)."""
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(300))
    """The provider's code and what it means, for staff."""
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """After this it is stale and must not be sent any more."""
    lease_until: Mapped[datetime | None]
    """While `sending`: when the claim of a notifier that died runs out."""
    changed_at: Mapped[datetime]

"""Webhooks: where other systems are told of a school's events, and each event on its way there."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, Id, SchoolTable


class EventKind(StrEnum):
    """What an event tells."""

    TAP = "tap"
    ATTENDANCE = "attendance"
    MESSAGE = "message"
    CARD = "card"
    """A step of a card: given out, lost, found, replaced, …"""
    STUDENT = "student"
    """A student's status: enrolled, suspended, transferred, graduated."""
    LIMIT = "limit"
    """A limit of the day keeps messages back."""
    TEST = "test"
    """Made by staff, for one webhook, to see whether it works."""


class DeliveryState(StrEnum):
    """Where an event is on its way to one webhook."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Trouble(StrEnum):
    """Why a try to deliver an event failed."""

    ANSWER = "answer"
    """The receiver answered something else than 2xx: `status` says what."""
    REDIRECT = "redirect"
    SLOW = "slow"
    CONNECTION = "connection"
    """Refused, or cut in the middle."""
    CERTIFICATE = "certificate"
    UNKNOWN_NAME = "unknown_name"
    PRIVATE = "private"
    """The address is in a private network, or otherwise none that is allowed."""
    SEALED = "sealed"
    """The secret does not open: it was sealed with another key."""
    FAULT = "fault"
    """Our own program failed."""
    TIME_OVER = "time_over"
    """Its time ran out before it was tried."""


class Webhook(SchoolTable):
    """One address of another system, and what it is told."""

    __tablename__ = "webhook"
    __table_args__ = (Index(None, "school_id"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(60))
    url: Mapped[str] = mapped_column(String(500))
    kinds: Mapped[str] = mapped_column(String(60))
    """The words of EventKind that it wants, with spaces between."""
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    is_gone: Mapped[bool] = mapped_column(default=False)
    """Whether the receiver itself ended it, by answering 410."""
    lease: Mapped[UUID | None]
    """Which claim works on it now: one at a time, so that order is kept."""
    lease_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    """Tries in a row that failed, whichever event they were for."""
    resume_at: Mapped[datetime]
    """Nothing is sent before: after a failure the whole webhook rests."""
    tried_at: Mapped[datetime | None]

    @property
    def wanted(self) -> frozenset[EventKind]:
        """What it is told of."""
        return split_kinds(self.kinds)


def split_kinds(kinds: str) -> frozenset[EventKind]:
    """The kinds that `webhook.kinds` names."""
    return frozenset(map(EventKind, kinds.split()))


def join_kinds(kinds: Iterable[EventKind]) -> str:
    """The kinds as `webhook.kinds` keeps them."""
    return " ".join(sorted(kinds))


def _index_where_waiting(name: str, *columns: str) -> Index:
    where = text("state = 'waiting'")
    return Index(
        f"ix_webhook_delivery_{name}", *columns, postgresql_where=where, sqlite_where=where
    )


class WebhookDelivery(SchoolTable):
    """One event for one webhook, written in the transaction that it tells of.

    Without foreign keys, as all tables that ingest writes (taps.py says why).
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        _index_where_waiting("webhook_id", "webhook_id", "id"),
        _index_where_waiting("give_up_at", "give_up_at"),
        Index(None, "school_id", "webhook_id", "id"),
        Index(None, "created_at"),
    )

    school_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    """A UUIDv7: what the receiver knows the event by, the same at each try."""
    webhook_id: Mapped[int]
    kind: Mapped[EventKind] = mapped_column(Choice(EventKind))
    body: Mapped[str] = mapped_column(Text)
    """The very text that is sent and signed."""
    state: Mapped[DeliveryState] = mapped_column(Choice(DeliveryState))
    attempts: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None]
    """The HTTP status of the last answer; None when there was none."""
    trouble: Mapped[Trouble | None] = mapped_column(Choice(Trouble))
    """Why the last try failed."""
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    give_up_at: Mapped[datetime]
    tried_at: Mapped[datetime | None]

"""Readers, how they are, and what they sent that could not be kept."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from schema.messages import ReaderState, SourceState
from schema.tables.metadata import Choice, Id, SchoolTable


class Purpose(StrEnum):
    """What a tap at this reader means: the name of a service."""

    GATE = "gate"
    DESK = "desk"
    """Staff's own (发卡): a tap is read, and changes nothing."""
    ENROLMENT = "enrolment"
    """Registration for the term (注册)."""


class Direction(StrEnum):
    """Which way a tap goes."""

    IN = "in"
    OUT = "out"


class ByteOrder(StrEnum):
    """In which order a reader gives the bytes of a card's number."""

    AS_SENT = "as-sent"
    """As the card sends them (ISO/IEC 14443-3 §6.5.4): the canonical order."""
    REVERSED = "reversed"


class Reader(SchoolTable):
    """A reader at a place with a purpose; `code` names it in topics and certificates."""

    __tablename__ = "reader"
    __table_args__ = (UniqueConstraint("school_id", "code"),)

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(60))
    place: Mapped[str] = mapped_column(String(60))
    purpose: Mapped[Purpose] = mapped_column(Choice(Purpose))
    direction: Mapped[Direction | None] = mapped_column(Choice(Direction))
    """Fixed for a lane that goes one way; None where direction must be found."""
    byte_order: Mapped[ByteOrder] = mapped_column(
        Choice(ByteOrder), default=ByteOrder.AS_SENT, server_default=ByteOrder.AS_SENT.value
    )
    campus_id: Mapped[int | None] = mapped_column(ForeignKey("campus.id"))
    """The homerooms that it serves are those of this campus; None for all of them."""
    retired_at: Mapped[datetime | None]
    """Taken out of use then (停用): nothing waits for it, and what it sends counts all the same."""


class ReaderHealth(SchoolTable):
    """The last that was heard of a reader."""

    __tablename__ = "reader_health"

    reader_id: Mapped[int] = mapped_column(ForeignKey("reader.id"), primary_key=True)
    state: Mapped[ReaderState] = mapped_column(Choice(ReaderState))
    source: Mapped[SourceState] = mapped_column(Choice(SourceState))
    seen_at: Mapped[datetime]
    boot: Mapped[int] = mapped_column(BigInteger)
    drained_to: Mapped[datetime | None]
    cards_version: Mapped[int]
    cards_at: Mapped[datetime | None]
    spooled: Mapped[int]
    aside: Mapped[int]
    disk_free_mb: Mapped[int]
    clock_skew_s: Mapped[float]
    """Server's clock minus reader's, as the last status showed it."""
    failures: Mapped[str] = mapped_column(Text)
    """One sentence to a line."""
    software: Mapped[str] = mapped_column(String(40))


class Aside(SchoolTable):
    """A message that was refused as a tap, kept for staff to look at."""

    __tablename__ = "aside"
    __table_args__ = (Index(None, "school_id", "received_at"), UniqueConstraint("digest"))

    id: Mapped[Id]
    school_id: Mapped[int | None] = mapped_column(  # type: ignore[assignment]
        ForeignKey("school.id")
    )
    topic: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(24))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    """What came, cut at MAX_BYTES."""
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of topic and body: the same rubbish again is one row."""
    times: Mapped[int] = mapped_column(default=1)
    received_at: Mapped[datetime]

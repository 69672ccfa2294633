"""Taps, as they came and as they were judged.

No foreign keys here, in attendance.py and in messages.py: PostgreSQL looks each one up for each row
(fourteen a tap), and tables that are partitioned by month or moved with their school could not keep
them.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from schema.messages import Decision, Refusal
from schema.tables.metadata import Choice, SchoolTable
from schema.tables.readers import Direction


class DirectionBy(StrEnum):
    """What decided a tap's direction."""

    READER = "reader"
    TIMETABLE = "timetable"
    ALTERNATION = "alternation"


class Effect(StrEnum):
    """What a tap changed."""

    ARRIVAL = "arrival"
    DEPARTURE = "departure"
    DOUBLE = "double"
    """The same card again within the school's window: nothing."""
    READ = "read"
    """At a desk: its number was wanted, whatever the card."""
    REGISTERED = "registered"
    """The student is registered for the term of that day."""
    NO_TERM = "no_term"
    """At registration, on a day of no term: nothing."""
    NONE = "none"
    """Refused, nobody's card, or a card that was not valid: nothing, and staff may look."""


REFUSED = "tap.decision = 'refused'"
"""Of the taps very few; a query that has this word for word uses their index."""


class Tap(SchoolTable):
    """One card held to one reader; never changed, never deleted while the law lets it be kept."""

    __tablename__ = "tap"
    __table_args__ = (
        UniqueConstraint("school_id", "reader_id", "boot", "seq"),
        Index(None, "school_id", "student_id", "occurred_at"),
        Index(None, "school_id", "received_at"),
        Index(
            "ix_tap_refused",
            "school_id",
            "received_at",
            postgresql_where=text(REFUSED),
            sqlite_where=text(REFUSED),
        ),
    )

    school_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    reader_id: Mapped[int]
    boot: Mapped[int | None] = mapped_column(BigInteger)
    """None for a tap that was imported from another system."""
    seq: Mapped[int | None] = mapped_column(BigInteger)
    uid: Mapped[str] = mapped_column(String(20))
    student_id: Mapped[int | None]
    """Whose card it was at `occurred_at`."""
    tapped_at: Mapped[datetime]
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime]
    occurred_at: Mapped[datetime]
    clock_suspect: Mapped[bool]
    decision: Mapped[Decision] = mapped_column(Choice(Decision))
    reason: Mapped[Refusal | None] = mapped_column(Choice(Refusal))
    cards_version: Mapped[int]
    direction: Mapped[Direction | None] = mapped_column(Choice(Direction))
    direction_by: Mapped[DirectionBy | None] = mapped_column(Choice(DirectionBy))
    effect: Mapped[Effect] = mapped_column(Choice(Effect))

"""What staff should look at (异常) beyond a day's own findings, and what they have looked at."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, SchoolTable


class PairKind(StrEnum):
    """What is odd about two taps that follow each other."""

    TRAVEL = "travel"
    """At two places, sooner than anybody walks from one to the other."""
    TWO_CARDS = "two_cards"
    """With two cards of one student."""


class TapPair(SchoolTable):
    """Two taps of one student that cannot both be theirs, found as the taps came in.

    No foreign keys, as at the taps themselves.
    """

    __tablename__ = "tap_pair"
    __table_args__ = (Index(None, "school_id", "at"),)

    school_id: Mapped[int] = mapped_column(primary_key=True)
    later_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The second tap."""
    kind: Mapped[PairKind] = mapped_column(Choice(PairKind), primary_key=True)
    student_id: Mapped[int]
    at: Mapped[datetime]
    """Of the second tap."""
    seconds: Mapped[int]
    """Whole seconds between the two."""
    earlier_reader_id: Mapped[int]
    later_reader_id: Mapped[int]


class TapPairMark(SchoolTable):
    """Up to when a school's taps, by when they were received, were looked through for pairs."""

    __tablename__ = "tap_pair_mark"

    school_id: Mapped[int] = mapped_column(primary_key=True)
    up_to: Mapped[datetime]


class FindingLook(SchoolTable):
    """That somebody has looked at a finding, and it need not be shown among the open ones."""

    __tablename__ = "finding_look"

    school_id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    """Which finding, by ids alone (`card_server.attendance.finding_keys`)."""
    looked_by: Mapped[str] = mapped_column(String(120))
    looked_at: Mapped[datetime]

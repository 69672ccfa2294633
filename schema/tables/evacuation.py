"""Evacuations (疏散): who was on campus when one began, who was found since, and by whom."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Id, SchoolTable


class Evacuation(SchoolTable):
    """An evacuation or a drill, from its beginning until somebody ends it."""

    __tablename__ = "evacuation"
    __table_args__ = (
        Index(None, "school_id", "changed_at"),
        UniqueConstraint("running_school_id"),
    )

    id: Mapped[Id]
    running_school_id: Mapped[int | None]
    """The school while it goes on, None afterwards: a school has one at a time."""
    reason: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(120))
    started_by_id: Mapped[int | None]
    """The account's id, for its owner may end it."""
    gates: Mapped[str] = mapped_column(Text)
    """Each gate and up to when it had delivered its taps then (JSON, a list of
    `card_server.reports.on_campus.Gate`)."""
    changed_at: Mapped[datetime]
    """The last tick: live pages look at it."""
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(120), default="", server_default="")


class EvacuationStudent(SchoolTable):
    """One student of an evacuation's list, and whether somebody has found them."""

    __tablename__ = "evacuation_student"

    evacuation_id: Mapped[int] = mapped_column(ForeignKey("evacuation.id"), primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"), primary_key=True)
    homeroom_id: Mapped[int]
    """The homeroom of that day."""
    reader_id: Mapped[int]
    since_at: Mapped[datetime]
    """On campus since then, and by which gate, as it was known."""
    is_unsure: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Nobody saw the student leave; only the school's hour of closing counts them as gone."""
    is_later: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Not on the list at the beginning: came, or became known, afterwards."""
    is_marked: Mapped[bool] = mapped_column(default=False, server_default=false())
    """On the list by a teacher's word of that day alone, without a tap; `since_at` is when it was
    said."""
    is_added: Mapped[bool] = mapped_column(default=False, server_default=false())
    """On no list, but found all the same. Without the tick the row says nothing."""
    left_at: Mapped[datetime | None]
    """Went out by a gate, as a tap said after the list was made; kept when it ends."""
    is_found: Mapped[bool] = mapped_column(default=False, server_default=false())
    marked_at: Mapped[datetime | None]
    """When somebody ticked the student off, or took that back; on the phone perhaps long before
    the server heard of it."""
    marked_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    marked_by_id: Mapped[int | None]
    received_at: Mapped[datetime | None]
    """When the server heard of it."""

"""Registrations for a term (注册): who came, when, by which card or by whose hand."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import SchoolTable


class Registration(SchoolTable):
    """That a student registered for a term; the first time counts.

    Without foreign keys, as all tables that ingest writes (taps.py says why).
    """

    __tablename__ = "registration"
    __table_args__ = (
        Index(None, "school_id", "student_id"),
        Index(None, "school_id", "noted_at"),
    )

    school_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    term_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    student_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    homeroom_id: Mapped[int]
    """The homeroom of that moment."""
    at: Mapped[datetime]
    """When the student came."""
    noted_at: Mapped[datetime]
    """When the server learnt of it."""
    reader_id: Mapped[int | None]
    tap_id: Mapped[UUID | None]
    """None, like the reader, for one that staff wrote down."""
    by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Who wrote it down; empty for a card."""
    reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """Why it was not done by card."""

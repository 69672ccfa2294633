"""Leave slips (请假条): asked, approved or refused, withdrawn."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, Id, SchoolTable


class LeaveKind(StrEnum):
    """Why a student is away with permission."""

    SICK = "sick"
    """病假."""
    PERSONAL = "personal"
    """事假."""
    OFFICIAL = "official"
    """公假."""


class LeaveState(StrEnum):
    """How far a leave slip has come."""

    ASKED = "asked"
    """Waits for the homeroom teacher."""
    FIRST_APPROVED = "first_approved"
    """The homeroom teacher agreed; it waits for the school."""
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class LeaveSlip(SchoolTable):
    """A student's leave from one moment to another."""

    __tablename__ = "leave_slip"
    __table_args__ = (
        Index(None, "school_id", "student_id", "from_at"),
        Index(None, "school_id", "state", "from_at"),
        Index(None, "school_id", "until_at"),
    )

    id: Mapped[Id]
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    kind: Mapped[LeaveKind] = mapped_column(Choice(LeaveKind))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    """The first moment after it."""
    lets_out: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The gate lets the student out (and in again) while it holds."""
    needs_school: Mapped[bool]
    """Too long for the homeroom teacher alone, by the school's rule when it was asked."""
    reason_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """What the family wrote: it may speak of an illness."""
    state: Mapped[LeaveState] = mapped_column(Choice(LeaveState))
    asked_by: Mapped[str] = mapped_column(String(120))
    """A member of staff's name, or the guardian's relation."""
    guardian_id: Mapped[int | None]
    """Which guardian asked; None for staff."""
    asked_at: Mapped[datetime]
    first_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    first_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    decided_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Who withdrew it, or noted that the student came back early."""
    ended_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """Why it was refused, withdrawn or ended early."""

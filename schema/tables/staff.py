"""Staff: their accounts, what each may do and where, and the browsers where they are logged in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, Id, SchoolTable
from schema.tables.people import Language


class Role(StrEnum):
    """What somebody works as."""

    DISTRICT_ADMIN = "district_admin"
    SCHOOL_ADMIN = "school_admin"
    HOMEROOM_TEACHER = "homeroom_teacher"
    SUBJECT_TEACHER = "subject_teacher"
    LIBRARIAN = "librarian"
    LAB_TEACHER = "lab_teacher"
    GATE_GUARD = "gate_guard"
    AUDITOR = "auditor"
    """Reads the audit log and nothing else."""


class Scope(StrEnum):
    """How far a grant reaches."""

    DISTRICT = "district"
    SCHOOL = "school"
    GRADE = "grade"
    HOMEROOM = "homeroom"
    LAB = "lab"
    GATE = "gate"


class Staff(SchoolTable):
    """Someone who works with the system and logs in."""

    __tablename__ = "staff"

    id: Mapped[Id]
    school_id: Mapped[int | None] = mapped_column(  # type: ignore[assignment]
        ForeignKey("school.id")
    )
    """None for those of the district, who belong to no school."""
    login: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    password_hash: Mapped[str] = mapped_column(String(200))
    password_is_one_time: Mapped[bool] = mapped_column(default=True)
    """Whether the next log-in must choose a password."""
    disabled_at: Mapped[datetime | None]
    language: Mapped[Language | None] = mapped_column(Choice(Language))
    """What the account's owner chose; None leaves it to the browser."""


class StaffGrant(SchoolTable):
    """One role of a member of staff, and how far it reaches; somebody may hold several."""

    __tablename__ = "staff_grant"
    __table_args__ = (Index(None, "staff_id"),)

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    school_id: Mapped[int | None] = mapped_column(  # type: ignore[assignment]
        ForeignKey("school.id")
    )
    """None for a grant over the whole district."""
    role: Mapped[Role] = mapped_column(Choice(Role))
    scope: Mapped[Scope] = mapped_column(Choice(Scope))
    grade: Mapped[int | None]
    homeroom_id: Mapped[int | None] = mapped_column(ForeignKey("homeroom.id"))
    place: Mapped[str | None] = mapped_column(String(60))
    """The gate or the lab: where its readers stand (`reader.place`)."""


class StaffSession(SchoolTable):
    """One browser where somebody is logged in; deleting the row logs it out."""

    __tablename__ = "staff_session"
    __table_args__ = (Index(None, "staff_id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    school_id: Mapped[int | None] = mapped_column(  # type: ignore[assignment]
        ForeignKey("school.id")
    )
    """The school that somebody of the district has entered."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    needs_code: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether the password was right and the code of the phone is still to come."""
    address: Mapped[str] = mapped_column(String(45), default="", server_default="")
    browser: Mapped[str] = mapped_column(String(20), default="", server_default="")
    system: Mapped[str] = mapped_column(String(20), default="", server_default="")
    """What the browser called itself and its machine at log-in, for its owner to know it by."""

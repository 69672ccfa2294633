"""A school, its logo and its homerooms."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Id, SchoolId, Table


class School(Table):
    """One school; `code` names it in topics, certificates and addresses."""

    __tablename__ = "school"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    signature: Mapped[str] = mapped_column(String(20))
    """What stands in 【】 before each message to parents (签名)."""
    zone: Mapped[str] = mapped_column(String(40), default="Asia/Shanghai")
    double_tap_s: Mapped[int] = mapped_column(default=60)
    """The same card again within this time is kept and changes nothing."""
    late_after: Mapped[str] = mapped_column(String(5), default="08:00")
    """HH:MM in the school's zone."""
    stale_minutes: Mapped[int] = mapped_column(default=30)
    """Parents are not told of a tap that became known later than this."""
    register_version: Mapped[int] = mapped_column(default=0)
    """Rises with each change of students, guardians, cards and readers: caches compare it."""
    cards_version: Mapped[int] = mapped_column(default=0)
    """The version of the card list that readers should have."""


class SchoolLogo(Table):
    """The picture that stands for a school; apart from it, for nobody wants it with the rest."""

    __tablename__ = "school_logo"

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(20))
    """By its first bytes, whatever the browser that sent it said."""
    body: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime]


class Homeroom(Table):
    """A homeroom (班级)."""

    __tablename__ = "homeroom"
    __table_args__ = (UniqueConstraint("school_id", "name"),)

    id: Mapped[Id]
    school_id: Mapped[SchoolId]
    grade: Mapped[int]
    name: Mapped[str] = mapped_column(String(40))

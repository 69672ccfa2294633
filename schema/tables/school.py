"""A school, its logo, its terms and its homerooms."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Id, SchoolTable, Table


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
    cards_per_student: Mapped[int] = mapped_column(default=1, server_default="1")
    """How many active cards of their own a student may have: 1 or 2."""
    phone_countries: Mapped[str] = mapped_column(String(40), default="CN", server_default="CN")
    """Where guardians have their phones: ISO 3166-1 codes apart by spaces, the own first."""
    register_version: Mapped[int] = mapped_column(default=0)
    """Rises with each change of students, guardians, cards and readers: caches compare it."""
    cards_version: Mapped[int] = mapped_column(default=0)
    """The version of the card list that readers should have."""


class SchoolLogo(SchoolTable):
    """The picture that stands for a school; apart from it, for nobody wants it with the rest."""

    __tablename__ = "school_logo"

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(20))
    """By its first bytes, whatever the browser that sent it said."""
    body: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime]


class Term(SchoolTable):
    """A term (学期) of a school year."""

    __tablename__ = "term"
    __table_args__ = (UniqueConstraint("school_id", "starts_on"),)

    id: Mapped[Id]
    school_year: Mapped[int]
    """The year in which the school year begins: 2026 for 2026–2027学年."""
    name: Mapped[str] = mapped_column(String(40))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    """The last day."""


class Campus(SchoolTable):
    """A campus (校区) of a school that has several."""

    __tablename__ = "campus"
    __table_args__ = (UniqueConstraint("school_id", "name"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(40))


class Homeroom(SchoolTable):
    """A homeroom (班级) of one school year: the next year's is another row.

    So whoever was in it, and what was counted for it, keeps its name for good.
    """

    __tablename__ = "homeroom"
    __table_args__ = (UniqueConstraint("school_id", "school_year", "name"),)

    id: Mapped[Id]
    campus_id: Mapped[int | None] = mapped_column(ForeignKey("campus.id"))
    school_year: Mapped[int] = mapped_column(server_default="2026")
    """The year in which its school year begins."""
    grade: Mapped[int]
    name: Mapped[str] = mapped_column(String(40))
    is_past: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Its school year is over: lists of today leave it out."""
    sourced_id: Mapped[str | None] = mapped_column(String(80))
    """What the register system calls it (OneRoster `sourcedId`)."""

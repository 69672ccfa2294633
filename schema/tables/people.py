"""Students and the guardians who are told."""

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, Id, SchoolId, Table


class Language(StrEnum):
    """A language that pages and messages speak."""

    CHINESE = "zh"
    ENGLISH = "en"


class Student(Table):
    """A student of one school, found by the student number (学号)."""

    __tablename__ = "student"
    __table_args__ = (UniqueConstraint("school_id", "number"), Index(None, "homeroom_id"))

    id: Mapped[Id]
    school_id: Mapped[SchoolId]
    number: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(120))
    pinyin: Mapped[str] = mapped_column(String(200), default="")
    """Syllables and initials in lower case, for search: "zhang san zs"."""
    homeroom_id: Mapped[int] = mapped_column(ForeignKey("homeroom.id"))


class Guardian(Table):
    """A parent or other guardian; the phone is kept sealed (AES-GCM) and found by keyed hash."""

    __tablename__ = "guardian"
    __table_args__ = (Index(None, "school_id", "phone_hash"),)

    id: Mapped[Id]
    school_id: Mapped[SchoolId]
    name: Mapped[str] = mapped_column(String(120))
    phone_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    phone_tail: Mapped[str] = mapped_column(String(4))
    """The last four digits, which is all that screens show."""
    language: Mapped[Language] = mapped_column(Choice(Language), default=Language.CHINESE)


class Guardianship(Table):
    """That a guardian belongs to a student, and whether arrivals and departures are told."""

    __tablename__ = "guardianship"
    __table_args__ = (Index(None, "guardian_id"),)

    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"), primary_key=True)
    guardian_id: Mapped[int] = mapped_column(ForeignKey("guardian.id"), primary_key=True)
    relation: Mapped[str] = mapped_column(String(20))
    is_told: Mapped[bool] = mapped_column(default=True)

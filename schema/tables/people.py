"""Students, where and how they were when, and the guardians who are told."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, Id, SchoolTable, Table


class Language(StrEnum):
    """A language that pages and messages speak."""

    CHINESE = "zh"
    ENGLISH = "en"


class Channel(StrEnum):
    """The way on which a guardian is told."""

    SMS = "sms"
    WECOM = "wecom"
    """家校沟通 of WeCom (企业微信)."""


class Sex(StrEnum):
    """As the register gives it (GB/T 2261.1)."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


class StudentStatus(StrEnum):
    """Whether a student is one of the school's today."""

    ENROLLED = "enrolled"
    """在读."""
    SUSPENDED = "suspended"
    """休学: comes back."""
    TRANSFERRED = "transferred"
    """转出."""
    GRADUATED = "graduated"
    """毕业."""


class Student(SchoolTable):
    """A student of one school, found by the student number (学号)."""

    __tablename__ = "student"
    __table_args__ = (
        UniqueConstraint("school_id", "number"),
        Index(None, "homeroom_id"),
        Index(None, "school_id", "identity_hash"),
        Index(None, "school_id", "sourced_id"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(120))
    pinyin: Mapped[str] = mapped_column(String(200), default="")
    """Syllables and initials in lower case, for search: "zhang san zs"."""
    homeroom_id: Mapped[int] = mapped_column(ForeignKey("homeroom.id"))
    """The homeroom of today; `homeroom_stay` has those before."""
    sex: Mapped[Sex] = mapped_column(
        Choice(Sex), default=Sex.UNKNOWN, server_default=Sex.UNKNOWN.value
    )
    born_on: Mapped[date | None]
    status: Mapped[StudentStatus] = mapped_column(
        Choice(StudentStatus),
        default=StudentStatus.ENROLLED,
        server_default=StudentStatus.ENROLLED.value,
    )
    status_since: Mapped[date | None]
    """None: since the student is known here."""
    identity_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Identity number, of any of the papers that the register takes."""
    identity_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    identity_tail: Mapped[str] = mapped_column(String(4), default="", server_default="")
    registry_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """学籍号: an attribute and no key; sealed, for it contains the identity number."""
    registry_tail: Mapped[str] = mapped_column(String(4), default="", server_default="")
    sourced_id: Mapped[str | None] = mapped_column(String(80))
    """What the register system calls the student (OneRoster `sourcedId`)."""
    gone_at: Mapped[datetime | None]
    """Since when the register's file has not named the student any more; nobody is deleted."""
    erased_at: Mapped[datetime | None]
    """When all that names the person was erased; the row stays, for counts refer to it."""


class HomeroomStay(SchoolTable):
    """That a student was of a homeroom from `from_on` until the day before `until_on`."""

    __tablename__ = "homeroom_stay"

    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"), primary_key=True)
    from_on: Mapped[date] = mapped_column(primary_key=True)
    homeroom_id: Mapped[int] = mapped_column(ForeignKey("homeroom.id"), index=True)
    until_on: Mapped[date | None]


class Boarding(SchoolTable):
    """That a student boarded (住校) from `from_on` until the day before `until_on`."""

    __tablename__ = "boarding"

    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"), primary_key=True)
    from_on: Mapped[date] = mapped_column(primary_key=True)
    until_on: Mapped[date | None]


class StudentPhoto(SchoolTable):
    """A student's picture; apart from the student, for nobody wants it with the rest."""

    __tablename__ = "student_photo"

    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(20))
    """By its first bytes, whatever the file's name said."""
    body_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime]


class StudentNote(SchoolTable):
    """What staff wrote down about a student."""

    __tablename__ = "student_note"
    __table_args__ = (Index(None, "student_id"),)

    id: Mapped[Id]
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    body: Mapped[str] = mapped_column(Text)
    written_by: Mapped[str] = mapped_column(String(120))
    written_at: Mapped[datetime]


class Guardian(SchoolTable):
    """A parent or other guardian; the phone is kept sealed (AES-GCM) and found by keyed hash."""

    __tablename__ = "guardian"
    __table_args__ = (
        Index(None, "school_id", "phone_hash"),
        Index(None, "school_id", "sourced_id"),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(120))
    phone_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    phone_tail: Mapped[str] = mapped_column(String(4))
    """The last four digits, which is all that screens show."""
    phone_since: Mapped[datetime | None]
    """Since when it is this number; None: since the guardian is known here."""
    verified_at: Mapped[datetime | None]
    """When a code showed that the number is the guardian's, or staff vouched for it."""
    verified_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Empty: the guardian, by a code."""
    language: Mapped[Language] = mapped_column(Choice(Language), default=Language.CHINESE)
    wecom_id: Mapped[str | None] = mapped_column(String(64))
    """What WeCom calls the guardian (`parent_userid`), for those who are told there."""
    sourced_id: Mapped[str | None] = mapped_column(String(80))
    """What the register system calls the guardian (OneRoster `sourcedId`)."""


WANTED_AT_FIRST = "arrival departure late absence leave library notice"
"""What a guardian is told who has not said otherwise."""


class GuardianPhone(SchoolTable):
    """A further number of a guardian, for staff to call; messages go to the guardian's own."""

    __tablename__ = "guardian_phone"
    __table_args__ = (Index(None, "guardian_id"), Index(None, "school_id", "phone_hash"))

    id: Mapped[Id]
    guardian_id: Mapped[int] = mapped_column(ForeignKey("guardian.id"))
    phone_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    phone_tail: Mapped[str] = mapped_column(String(4))


class ConsentWording(SchoolTable):
    """A wording to which guardians consent (告知同意书); a changed one is another row."""

    __tablename__ = "consent_wording"
    __table_args__ = (Index(None, "school_id", "made_at"),)

    id: Mapped[Id]
    language: Mapped[Language] = mapped_column(Choice(Language))
    body: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime]


class Guardianship(Table):
    """That a guardian belongs to a student, and what the guardian wants to be told of the student.

    Which kinds, on which way, and when not: `card_server.messages.wishes` reads and writes these.
    """

    __tablename__ = "guardianship"
    __table_args__ = (Index(None, "guardian_id"),)

    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"), primary_key=True)
    guardian_id: Mapped[int] = mapped_column(ForeignKey("guardian.id"), primary_key=True)
    relation: Mapped[str] = mapped_column(String(20))
    is_told: Mapped[bool] = mapped_column(default=True)
    priority: Mapped[int] = mapped_column(default=1, server_default="1")
    """1 is asked first."""
    wanted: Mapped[str] = mapped_column(
        String(120), default=WANTED_AT_FIRST, server_default=WANTED_AT_FIRST
    )
    """The wanted kinds of messages, apart by spaces; none of them is sent unless `is_told`."""
    channel: Mapped[Channel] = mapped_column(
        Choice(Channel), default=Channel.SMS, server_default=Channel.SMS.value
    )
    quiet_from: Mapped[int | None]
    """Minutes after midnight in the school's zone; None: as the school has it."""
    quiet_until: Mapped[int | None]
    daily_limit: Mapped[int | None]
    """Messages a day about this student; None: as the school has it."""
    consented_at: Mapped[datetime | None]
    consent_wording_id: Mapped[int | None] = mapped_column(ForeignKey("consent_wording.id"))
    """Without `consented_at`: of a consent that was withdrawn."""
    consent_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Who noted a consent on paper; empty: the guardian, on the own page."""

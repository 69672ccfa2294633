"""The school's calendar (校历) and its timetables (作息时间)."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, Id, SchoolTable, Table


class DayKind(StrEnum):
    """What a day is for."""

    LESSONS = "lessons"
    CLOSED = "closed"
    EXAM = "exam"


class DayPart(StrEnum):
    """Which part of a day a session is."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class ForWhom(StrEnum):
    """Of whom a session is expected."""

    EVERYBODY = "everybody"
    DAY_STUDENTS = "day_students"
    """走读生."""
    BOARDERS = "boarders"
    """住校生, as for evening study."""


class EntrySource(StrEnum):
    """Where a word of the calendar comes from."""

    STATE = "state"
    """The State Council's holidays and make-up days, as the school accepted them."""
    STAFF = "staff"


class CalendarEntry(SchoolTable):
    """What the school says of one day, for all grades or some; ended, never overwritten."""

    __tablename__ = "calendar_entry"
    __table_args__ = (Index(None, "school_id", "day"),)

    id: Mapped[Id]
    day: Mapped[date]
    kind: Mapped[DayKind] = mapped_column(Choice(DayKind))
    grades: Mapped[str] = mapped_column(String(60), default="", server_default="")
    """Grade numbers apart by spaces; empty for the whole school."""
    weekday: Mapped[int | None]
    """Whose timetable applies (调休): 1 for Monday to 7 for Sunday; None for its own."""
    parts: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """Which parts take place (DayPart, apart by spaces); empty for all of the day."""
    timetable_id: Mapped[int | None] = mapped_column(ForeignKey("timetable.id"))
    """A timetable for this day alone, as for exams; None for the one in force."""
    note: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """What the day is called: 国庆节, 月考."""
    source: Mapped[EntrySource] = mapped_column(Choice(EntrySource))
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Timetable(SchoolTable):
    """The hours of a school's days (作息时间), from one day on, for all or for some."""

    __tablename__ = "timetable"
    __table_args__ = (Index(None, "school_id", "starts_on"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(40))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    """The last day; None for until another one begins."""
    grades: Mapped[str] = mapped_column(String(60), default="", server_default="")
    """Grade numbers apart by spaces; empty for all."""
    homerooms: Mapped[str] = mapped_column(String(400), default="", server_default="")
    """Homeroom ids apart by spaces; such a timetable goes before one for grades."""
    is_special: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Holds on those days only that name it, as an exam's hours do."""
    ended_at: Mapped[datetime | None]
    """Taken out of use; days that were kept with it stay as they are."""


class TimetableSession(Table):
    """One session (时段) of one weekday; all times in minutes of the day."""

    __tablename__ = "timetable_session"
    __table_args__ = (UniqueConstraint("timetable_id", "weekday", "position"),)

    id: Mapped[Id]
    timetable_id: Mapped[int] = mapped_column(ForeignKey("timetable.id"))
    weekday: Mapped[int]
    """1 for Monday to 7 for Sunday."""
    position: Mapped[int]
    """From 1, in the order of the day."""
    name: Mapped[str] = mapped_column(String(20))
    part: Mapped[DayPart] = mapped_column(Choice(DayPart))
    arrive_from: Mapped[int]
    late_after: Mapped[int]
    absent_after: Mapped[int]
    leave_from: Mapped[int]
    """From when on leaving is not early."""
    ends: Mapped[int]
    expects_entry: Mapped[bool] = mapped_column(default=True, server_default=true())
    """False where students are on campus already: who is inside is present."""
    expects_exit: Mapped[bool] = mapped_column(default=True, server_default=true())
    """False where they stay on campus for the next session."""
    for_whom: Mapped[ForWhom] = mapped_column(
        Choice(ForWhom), default=ForWhom.EVERYBODY, server_default=ForWhom.EVERYBODY.value
    )
    """Nothing is expected in it of anybody else."""

"""Attendance (考勤): a student's day, where each one is, a homeroom's counts; and what people add.

The first three are written with each tap and asked all day; no foreign keys (taps.py says why).
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.leave import LeaveKind
from schema.tables.metadata import Choice, Id, SchoolTable
from schema.tables.readers import Direction


class SessionStatus(StrEnum):
    """What became of a student in one session of a day."""

    PRESENT = "present"
    LATE = "late"
    LEFT_EARLY = "left_early"
    ABSENT = "absent"
    ON_LEAVE = "on_leave"
    NOT_JUDGED = "not_judged"
    """Not yet: not due, or a gate that serves it is in the dark."""
    NOT_EXPECTED = "not_expected"


ODD = (
    "attendance.late > 0 OR attendance.late_minutes > 0 OR attendance.left_early > 0"
    " OR attendance.absent > 0 OR attendance.on_leave > 0 OR attendance.findings <> ''"
)
"""Days that are anything but present; a query that has this word for word uses their index."""


class Attendance(SchoolTable):
    """One student's day; a row exists from the first tap, leave, correction or judgement on."""

    __tablename__ = "attendance"
    # Few days are anything but present: lists of students and of findings read these alone, and the
    # sums of students the index alone. Every column in it makes a change of that column dearer.
    __table_args__ = (
        Index(
            "ix_attendance_odd",
            "school_id",
            "day",
            "student_id",
            "late",
            "late_minutes",
            "left_early",
            "absent",
            "on_leave",
            "findings",
            postgresql_where=text(ODD),
            sqlite_where=text(ODD),
        ),
    )

    school_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    """In the school's zone. It stands before the student, so that one index serves a school's day
    (a range) and a student's term (a probe for each day of a list)."""
    student_id: Mapped[int] = mapped_column(primary_key=True)
    homeroom_id: Mapped[int]
    """The homeroom of that day."""
    arrived_at: Mapped[datetime | None]
    """The first entry."""
    departed_at: Mapped[datetime | None]
    """The last exit."""
    late_minutes: Mapped[int]
    """Whole minutes, of all sessions together; 0 for in time."""
    early_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    present: Mapped[int] = mapped_column(default=0, server_default="0")
    """In how many sessions the student was there, late or leaving early or not."""
    late: Mapped[int] = mapped_column(default=0, server_default="0")
    """In how many sessions late."""
    left_early: Mapped[int] = mapped_column(default=0, server_default="0")
    absent: Mapped[int] = mapped_column(default=0, server_default="0")
    on_leave: Mapped[int] = mapped_column(default=0, server_default="0")
    not_judged: Mapped[int] = mapped_column(default=0, server_default="0")
    sessions: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Each session's result as JSON (`card_server.attendance.facts.SessionResult`, a list);
    empty where the day was kept before there were timetables."""
    findings: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """What staff should look at (`card_server.attendance.facts.Finding`), apart by spaces."""


class Presence(SchoolTable):
    """Where one student is: inside or outside, since when, by which reader."""

    __tablename__ = "presence"

    school_id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(primary_key=True)
    homeroom_id: Mapped[int]
    is_inside: Mapped[bool]
    since_at: Mapped[datetime]
    """The tap that changed it last, or the school's hour of closing."""
    reader_id: Mapped[int]
    is_closed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Nobody saw the student leave: the exit is the school's hour of closing."""


class HomeroomDay(SchoolTable):
    """One homeroom's counts of one day, in students where a name does not say sessions."""

    __tablename__ = "homeroom_day"

    school_id: Mapped[int] = mapped_column(primary_key=True)
    homeroom_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    arrived: Mapped[int] = mapped_column(default=0)
    late: Mapped[int] = mapped_column(default=0)
    inside: Mapped[int] = mapped_column(default=0)
    """Students on campus now, of those who came this day."""
    left_early: Mapped[int] = mapped_column(default=0, server_default="0")
    absent: Mapped[int] = mapped_column(default=0, server_default="0")
    """Students who were absent in at least one session."""
    on_leave: Mapped[int] = mapped_column(default=0, server_default="0")
    away: Mapped[int] = mapped_column(default=0, server_default="0")
    """Students who were expected and were not there in any session."""
    late_sessions: Mapped[int] = mapped_column(default=0, server_default="0")
    left_early_sessions: Mapped[int] = mapped_column(default=0, server_default="0")
    absent_sessions: Mapped[int] = mapped_column(default=0, server_default="0")
    on_leave_sessions: Mapped[int] = mapped_column(default=0, server_default="0")


class DayPlanRow(SchoolTable):
    """What a day was for a homeroom, kept when the day began: calendar and timetable may change
    afterwards, and the day is judged by what held then."""

    __tablename__ = "day_plan"

    school_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    homeroom_id: Mapped[int] = mapped_column(primary_key=True)
    plan: Mapped[str] = mapped_column(Text)
    """`card_server.attendance.facts.DayPlan` as JSON."""
    made_at: Mapped[datetime]


class Deadline(SchoolTable):
    """When a session of a homeroom's day is judged for those who have not come."""

    __tablename__ = "deadline"
    __table_args__ = (Index(None, "judged_at", "due_at"),)

    school_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    homeroom_id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Which session of the day, from 1; 0 for the hour at which the school closes
    (`card_server.attendance.plans.CLOSING`)."""
    due_at: Mapped[datetime]
    judged_at: Mapped[datetime | None]
    waiting_for: Mapped[str] = mapped_column(Text, default="", server_default="")
    """The ids of the readers that have not reported past `due_at`, apart by spaces."""


class Correction(SchoolTable):
    """What staff say of a student's day (更正); it stands whatever the taps say, until ended."""

    __tablename__ = "correction"
    __table_args__ = (Index(None, "school_id", "day"), Index(None, "school_id", "student_id"))

    id: Mapped[Id]
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    day: Mapped[date]
    position: Mapped[int]
    """Which session of the day, from 1; 0 for all of them."""
    status: Mapped[SessionStatus] = mapped_column(Choice(SessionStatus))
    leave_kind: Mapped[LeaveKind | None] = mapped_column(Choice(LeaveKind))
    minutes: Mapped[int | None]
    """How late, or how early gone; None: as many as the taps say."""
    reason: Mapped[str] = mapped_column(String(200))
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime]
    ended_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    ended_at: Mapped[datetime | None]
    """Since when it counts no more: taken back, or another one stands in its place."""
    marking_id: Mapped[UUID | None]
    """Of all that were made by one click for a whole homeroom; None for one made alone."""


class DayNote(SchoolTable):
    """What staff note beside a student's day (日备注), whatever its status; it judges nothing."""

    __tablename__ = "day_note"
    __table_args__ = (Index(None, "school_id", "student_id", "day"),)

    id: Mapped[Id]
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    day: Mapped[date]
    body: Mapped[str] = mapped_column(String(200))
    made_by: Mapped[str] = mapped_column(String(120))
    made_by_id: Mapped[int | None]
    """The account's id, for its owner may take it back."""
    made_at: Mapped[datetime]
    ended_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    ended_at: Mapped[datetime | None]
    """Since when it is taken back."""


class HandPassage(SchoolTable):
    """Somebody let in or out without a card, as the guard wrote it down."""

    __tablename__ = "hand_passage"
    __table_args__ = (Index(None, "school_id", "student_id", "at"),)

    id: Mapped[Id]
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    at: Mapped[datetime]
    direction: Mapped[Direction] = mapped_column(Choice(Direction))
    reason: Mapped[str] = mapped_column(String(200))
    made_by: Mapped[str] = mapped_column(String(120))
    made_by_id: Mapped[int | None]
    """The account's id, for its owner may take it back."""
    made_at: Mapped[datetime]
    ended_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    ended_at: Mapped[datetime | None]


class Exemption(SchoolTable):
    """That nothing is expected of a student from `from_on` until the day before `until_on`."""

    __tablename__ = "exemption"
    __table_args__ = (UniqueConstraint("student_id", "from_on"),)

    id: Mapped[Id]
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    reason: Mapped[str] = mapped_column(String(200), default="", server_default="")


class AttendanceRules(SchoolTable):
    """What a school has settled for its attendance; a school without a row has the defaults."""

    __tablename__ = "attendance_rules"

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), primary_key=True)
    closes: Mapped[int] = mapped_column(default=22 * 60)
    """Minute of the day: who is still inside then, and no boarder, has forgotten the exit."""
    boarders_weekday: Mapped[int] = mapped_column(default=7)
    """On which day boarders must be back, 1 for Monday to 7 for Sunday."""
    boarders_by: Mapped[int] = mapped_column(default=18 * 60 + 30)
    """Minute of that day."""
    leave_days: Mapped[int] = mapped_column(default=3)
    """Leave over so many days needs the school's approval beside the homeroom teacher's."""
    holds_exits: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The gate refuses an exit during a session to who has no leave."""
    late_tenths: Mapped[int] = mapped_column(default=5)
    """Conduct points (考核分) taken for each late arrival, in tenths of a point."""
    early_tenths: Mapped[int] = mapped_column(default=5)
    absent_tenths: Mapped[int] = mapped_column(default=20)

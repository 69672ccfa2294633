"""Of whom a day expects something, and of whom of them nothing is known yet, by homeroom."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from card_server.reports.board_days import Expecting
from card_server.reports.kept_days import Results, open_results
from schema.tables.attendance import Attendance, Exemption, Presence, SessionStatus
from schema.tables.leave import LeaveSlip, LeaveState
from schema.tables.people import Boarding, Student, StudentStatus
from schema.tables.school import Homeroom


@dataclass(frozen=True)
class Named:
    """A student in one of the board's lists."""

    id: int
    name: str
    number: str
    homeroom: str
    arrived_at: datetime | None
    """Of the arrival that was late."""
    late_minutes: int
    """For the session that the student came late for."""


@dataclass(frozen=True)
class Time:
    """A day, from its first moment until now, or until its end where it is over."""

    day: date
    begin: datetime
    until: datetime


class Alike(NamedTuple):
    """How many students of a homeroom are alike in all of these."""

    number: int
    inside: int
    """How many of them are on campus now, since whichever day."""
    is_exempt: bool
    is_boarder: bool
    has_come: bool
    is_unseen: bool
    """Neither here, nor absent, nor on leave."""
    is_away: bool
    """On leave by a slip."""


class Expected(NamedTuple):
    """Those of whom a day expects something, in students."""

    students: int = 0
    came: int = 0
    unknown: int = 0
    """Unseen, and no slip says why."""
    away: int = 0
    """Unseen, on leave by a slip, and not judged yet."""


@dataclass(frozen=True)
class Members:
    """A homeroom's students."""

    groups: Collection[Alike] = ()

    @property
    def students(self) -> int:
        """All of them, exempt or not."""
        return sum(one.number for one in self.groups)

    @property
    def inside(self) -> int:
        """Those who are on campus now."""
        return sum(one.inside for one in self.groups)

    def count(self, expects: Expecting) -> Expected:
        """Those of whom such a day expects something."""
        standing = {False: expects.day_students, True: expects.boarders}
        told = [one for one in self.groups if standing[one.is_boarder] and not one.is_exempt]
        unseen = [one for one in told if one.is_unseen]
        return Expected(
            students=sum(one.number for one in told),
            came=sum(one.number for one in told if one.has_come),
            unknown=sum(one.number for one in unseen if not one.is_away),
            away=sum(one.number for one in unseen if one.is_away),
        )


def count_members(session: Session, school_id: int, time: Time) -> dict[int, Members]:
    """Every homeroom's, in one query.

    Of a day that is over these are the students of today: a board is about today.
    """
    kinds = (
        _is_exempt(time.day).label("is_exempt"),
        _boards(time.day).label("is_boarder"),
        Attendance.arrived_at.is_not(None).label("has_come"),
        _is_unseen().label("is_unseen"),
        _is_away(school_id, time).label("is_away"),
    )
    found = session.execute(
        select(
            Student.homeroom_id,
            func.count(),
            func.count().filter(Presence.is_inside),
            *kinds,
        )
        .outerjoin(Attendance, _is_day_of_student(school_id, time.day))
        .outerjoin(
            Presence,
            and_(Presence.school_id == school_id, Presence.student_id == Student.id),
        )
        .where(Student.school_id == school_id, Student.status == StudentStatus.ENROLLED)
        .group_by(Student.homeroom_id, *(kind.name for kind in kinds))
    )
    rooms: dict[int, list[Alike]] = {}
    for room, number, inside, *flags in found:
        # SQLite has no truth of its own: its flags are numbers.
        rooms.setdefault(room, []).append(Alike(number, inside, *map(bool, flags)))
    return {room: Members(groups) for room, groups in rooms.items()}


def name_unknown(
    session: Session, school_id: int, time: Time, room: tuple[int, Expecting], most: int
) -> list[Named]:
    """Those of one homeroom of whom something is expected and nothing is known, by number."""
    homeroom_id, expects = room
    boards = _boards(time.day)
    standing = or_(
        boards if expects.boarders else false(), ~boards if expects.day_students else false()
    )
    found = session.execute(
        select(Student.id, Student.name, Student.number, Homeroom.name)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .outerjoin(Attendance, _is_day_of_student(school_id, time.day))
        .where(
            Student.school_id == school_id,
            Student.status == StudentStatus.ENROLLED,
            Student.homeroom_id == homeroom_id,
            ~_is_exempt(time.day),
            standing,
            _is_unseen(),
            ~_is_away(school_id, time),
        )
        .order_by(Student.number)
        .limit(most)
    )
    return [Named(key, name, number, homeroom, None, 0) for key, name, number, homeroom in found]


def name_late(
    session: Session, school_id: int, day: date, rooms: Collection[int] | None, most: int
) -> list[Named]:
    """Who was late that day, the newest first; of these homerooms, or of all."""
    wanted = (
        select(
            Student.id,
            Student.name,
            Student.number,
            Homeroom.name,
            Attendance.arrived_at,
            Attendance.late_minutes,
            Attendance.sessions,
        )
        .select_from(Attendance)
        .join(Student, Student.id == Attendance.student_id)
        .join(Homeroom, Homeroom.id == Attendance.homeroom_id)
        .where(
            Attendance.school_id == school_id,
            Attendance.day == day,
            Attendance.late_minutes > 0,
        )
        .order_by(Attendance.arrived_at.desc(), Student.id)
        .limit(most)
    )
    if rooms is not None:
        wanted = wanted.where(Attendance.homeroom_id.in_(rooms))
    return [
        Named(key, name, number, homeroom, *late_arrival(came_at, minutes, open_results(judged)))
        for key, name, number, homeroom, came_at, minutes, judged in session.execute(wanted)
    ]


def late_arrival(
    first_at: datetime | None, of_day: int, results: Results
) -> tuple[datetime | None, int]:
    """When a student came late, and by how many minutes, for the first session that began before.

    `first_at` and `of_day` are the day's first arrival and all its minutes. The hour is None where
    the student was there for an earlier session: then the first arrival is not the one.
    """
    at = first_at
    for one in results:
        if one.late_minutes:
            return at, one.late_minutes
        if one.status in (SessionStatus.PRESENT, SessionStatus.LEFT_EARLY):
            at = None
    return first_at, of_day


def _is_unseen() -> ColumnElement[bool]:
    return and_(
        Attendance.arrived_at.is_(None),
        func.coalesce(Attendance.absent, 0) == 0,
        func.coalesce(Attendance.on_leave, 0) == 0,
    )


def _is_away(school_id: int, time: Time) -> ColumnElement[bool]:
    """Whether a slip has held at some moment of the day so far."""
    return Student.id.in_(
        select(LeaveSlip.student_id).where(
            LeaveSlip.school_id == school_id,
            LeaveSlip.state == LeaveState.APPROVED,
            LeaveSlip.until_at > time.begin,
            LeaveSlip.from_at <= time.until,
        )
    )


def _boards(day: date) -> ColumnElement[bool]:
    return Student.id.in_(select(Boarding.student_id).where(*_holds(Boarding, day)))


def _is_exempt(day: date) -> ColumnElement[bool]:
    return Student.id.in_(select(Exemption.student_id).where(*_holds(Exemption, day)))


def _holds(table: type[Boarding | Exemption], day: date) -> tuple[ColumnElement[bool], ...]:
    return table.from_on <= day, or_(table.until_on.is_(None), table.until_on > day)


def _is_day_of_student(school_id: int, day: date) -> ColumnElement[bool]:
    return and_(
        Attendance.school_id == school_id,
        Attendance.day == day,
        Attendance.student_id == Student.id,
    )

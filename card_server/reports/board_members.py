"""Of whom a day expects something, and of whom of them nothing is known yet, by homeroom."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from card_server.reports.board_days import Expecting
from schema.tables.attendance import Attendance, Exemption
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
    late_minutes: int


@dataclass(frozen=True)
class Time:
    """A day, from its first moment until now, or until its end where it is over."""

    day: date
    begin: datetime
    until: datetime


@dataclass(frozen=True)
class Members:
    """A homeroom's students; all numbers but the first are without those who are exempt."""

    students: int = 0
    day_students: int = 0
    boarders: int = 0
    unknown_day_students: int = 0
    """Neither here, nor absent, nor on leave."""
    unknown_boarders: int = 0
    away_day_students: int = 0
    """On leave by a slip, and the day is not judged yet."""
    away_boarders: int = 0

    def count(self, expects: Expecting) -> tuple[int, int, int]:
        """How many are expected, how many of them unknown, and how many away by a slip."""
        expected = unknown = away = 0
        if expects.day_students:
            expected, unknown = self.day_students, self.unknown_day_students
            away = self.away_day_students
        if expects.boarders:
            expected += self.boarders
            unknown += self.unknown_boarders
            away += self.away_boarders
        return expected, unknown, away


def count_members(session: Session, school_id: int, time: Time) -> dict[int, Members]:
    """Every homeroom's, in one query.

    Of a day that is over these are the students of today: a board is about today.
    """
    kinds = (
        _is_exempt(time.day).label("is_exempt"),
        _boards(time.day).label("is_boarder"),
        _is_unseen().label("is_unseen"),
        _is_away(school_id, time).label("is_away"),
    )
    found = session.execute(
        select(Student.homeroom_id, func.count(), *kinds)
        .outerjoin(Attendance, _is_day_of_student(school_id, time.day))
        .where(Student.school_id == school_id, Student.status == StudentStatus.ENROLLED)
        .group_by(Student.homeroom_id, *(kind.name for kind in kinds))
    )
    rooms: dict[int, list[_Alike]] = {}
    for room, number, is_exempt, is_boarder, is_unseen, is_away in found:
        alike = _Alike(number, is_exempt, is_boarder, is_unseen, is_away)
        rooms.setdefault(room, []).append(alike)
    return {room: _add_up(groups) for room, groups in rooms.items()}


class _Alike(NamedTuple):
    """How many students of a homeroom are alike in all of these."""

    number: int
    is_exempt: bool
    is_boarder: bool
    is_unseen: bool
    is_away: bool


def _add_up(groups: Collection[_Alike]) -> Members:
    days = [one for one in groups if not one.is_exempt and not one.is_boarder]
    boarders = [one for one in groups if not one.is_exempt and one.is_boarder]
    return Members(
        students=sum(one.number for one in groups),
        day_students=sum(one.number for one in days),
        boarders=sum(one.number for one in boarders),
        unknown_day_students=sum(one.number for one in days if one.is_unseen and not one.is_away),
        unknown_boarders=sum(one.number for one in boarders if one.is_unseen and not one.is_away),
        away_day_students=sum(one.number for one in days if one.is_unseen and one.is_away),
        away_boarders=sum(one.number for one in boarders if one.is_unseen and one.is_away),
    )


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
    return [Named(*row) for row in session.execute(wanted)]


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

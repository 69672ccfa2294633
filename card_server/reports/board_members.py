"""Of whom a day expects something, and of whom of them nothing is known yet, by homeroom."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select
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
    """A homeroom's students, without those who are exempt."""

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
    unseen, has_slip = _is_unseen(), _is_away(school_id, time)
    unknown, away = unseen & ~has_slip, unseen & has_slip
    wanted = (
        _select(
            school_id,
            time.day,
            Student.homeroom_id,
            _number(~_BOARDS),
            _number(_BOARDS),
            _number(~_BOARDS & unknown),
            _number(_BOARDS & unknown),
            _number(~_BOARDS & away),
            _number(_BOARDS & away),
        )
        .where(Exemption.id.is_(None))
        .group_by(Student.homeroom_id)
    )
    return {room: Members(*numbers) for room, *numbers in session.execute(wanted)}


def name_unknown(
    session: Session, school_id: int, time: Time, room: tuple[int, Expecting], most: int
) -> list[Named]:
    """Those of one homeroom of whom something is expected and nothing is known, by number."""
    homeroom_id, expects = room
    standing = or_(
        _BOARDS if expects.boarders else false(), ~_BOARDS if expects.day_students else false()
    )
    wanted = _select(
        school_id, time.day, Student.id, Student.name, Student.number, Homeroom.name
    ).join(Homeroom, Homeroom.id == Student.homeroom_id)
    found = session.execute(
        wanted.where(
            Student.homeroom_id == homeroom_id,
            Exemption.id.is_(None),
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


_BOARDS: ColumnElement[bool] = Boarding.student_id.is_not(None)


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


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _select(school_id: int, day: date, *columns: Any) -> Select[*tuple[Any, ...]]:
    """Students who are enrolled, with their day, bed and exemption, where they have any."""
    return (
        select(*columns)
        .select_from(Student)
        .outerjoin(
            Attendance,
            and_(
                Attendance.school_id == school_id,
                Attendance.day == day,
                Attendance.student_id == Student.id,
            ),
        )
        .outerjoin(Boarding, and_(Boarding.student_id == Student.id, *_holds(Boarding, day)))
        .outerjoin(Exemption, and_(Exemption.student_id == Student.id, *_holds(Exemption, day)))
        .where(Student.school_id == school_id, Student.status == StudentStatus.ENROLLED)
    )


def _holds(table: type[Boarding | Exemption], day: date) -> tuple[ColumnElement[bool], ...]:
    return table.from_on <= day, or_(table.until_on.is_(None), table.until_on > day)

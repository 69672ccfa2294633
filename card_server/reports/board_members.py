"""Of whom a day expects something, and of whom of them nothing is known yet, by homeroom."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from card_server.reports.board_days import Expecting
from card_server.reports.kept_days import Results, open_results
from card_server.reports.on_campus import OF_THE_SCHOOL
from schema.tables.attendance import Attendance, Exemption, Presence, SessionStatus
from schema.tables.leave import LeaveSlip, LeaveState
from schema.tables.metadata import UtcDateTime
from schema.tables.people import Boarding, Student, StudentStatus
from schema.tables.school import Homeroom

SCHOOL: Final = bindparam("school", type_=Integer())
_DAY: Final = bindparam("day", type_=Date())
_BEGIN: Final = bindparam("begin", type_=UtcDateTime())
_UNTIL: Final = bindparam("until", type_=UtcDateTime())


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


class Kind(IntEnum):
    """What may be true of a student; each is one bit."""

    ENROLLED = 1
    """Not suspended: a day expects something of no other."""
    EXEMPT = 2
    """Or not named any more by the register's file."""
    BOARDER = 4
    ARRIVED = 8
    UNSEEN = 16
    """Neither here, nor absent, nor on leave."""
    AWAY = 32
    """On leave by a slip."""


class Alike(NamedTuple):
    """How many students of a homeroom are of the same kinds."""

    number: int
    inside: int
    """How many of them are on campus now, since whichever day."""
    kinds: int
    """The sum of these `Kind`s."""

    def are(self, kind: Kind) -> bool:
        return bool(self.kinds & kind)

    def are_told(self, expects: Expecting) -> bool:
        """Whether such a day expects something of them."""
        if self.are(Kind.EXEMPT) or not self.are(Kind.ENROLLED):
            return False
        return expects.boarders if self.are(Kind.BOARDER) else expects.day_students


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
        """All who are enrolled, exempt or not."""
        return sum(one.number for one in self.groups if one.are(Kind.ENROLLED))

    @property
    def inside(self) -> int:
        """Those who are on campus now, the suspended as well."""
        return sum(one.inside for one in self.groups)

    def count(self, expects: Expecting) -> Expected:
        """Those of whom such a day expects something."""
        told = [one for one in self.groups if one.are_told(expects)]
        unseen = [one for one in told if one.are(Kind.UNSEEN)]
        return Expected(
            students=sum(one.number for one in told),
            came=sum(one.number for one in told if one.are(Kind.ARRIVED)),
            unknown=sum(one.number for one in unseen if not one.are(Kind.AWAY)),
            away=sum(one.number for one in unseen if one.are(Kind.AWAY)),
        )


def count_members(session: Session, school_id: int, time: Time) -> dict[int, Members]:
    """Every homeroom's, in one query.

    Of a day that is over these are the students of today: a board is about today.
    """
    rooms: dict[int, list[Alike]] = {}
    found = session.execute(_select_members(), day_values(school_id, time))
    for room, number, inside, kinds in found:
        rooms.setdefault(room, []).append(Alike(number, inside, kinds))
    return {room: Members(groups) for room, groups in rooms.items()}


def name_unknown(
    session: Session, school_id: int, time: Time, room: tuple[int, Expecting], most: int
) -> list[Named]:
    """Those of one homeroom of whom something is expected and nothing is known, by number."""
    homeroom_id, expects = room
    found = session.execute(
        select(Student.id, Student.name, Student.number, Homeroom.name)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .outerjoin(Attendance, is_day_of_student())
        .where(
            Student.school_id == school_id,
            Student.homeroom_id == homeroom_id,
            is_awaited(),
            ~is_away(),
        )
        .order_by(Student.number)
        .limit(most),
        day_values(school_id, time) | awaiting({homeroom_id: expects}),
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


def day_values(school_id: int, time: Time) -> dict[str, Any]:
    """What queries with the conditions of here are asked with."""
    return {"school": school_id, "day": time.day, "begin": time.begin, "until": time.until}


@cache
def _select_members() -> Select[int, int, int, int]:
    """Written once: writing it takes a quarter as long as asking it."""
    flags = {
        Kind.ENROLLED: Student.status == StudentStatus.ENROLLED,
        Kind.EXEMPT: or_(_is_exempt(), _is_gone()),
        Kind.BOARDER: _boards(),
        Kind.ARRIVED: Attendance.arrived_at.is_not(None),
        Kind.UNSEEN: _is_unseen(),
        Kind.AWAY: is_away(),
    }
    kinds = sum((case((flag, int(kind)), else_=0) for kind, flag in flags.items()), literal(0))
    return (
        select(
            Student.homeroom_id,
            func.count(),
            func.count().filter(Presence.is_inside, Student.erased_at.is_(None)),
            kinds.label("kinds"),
        )
        .outerjoin(Attendance, is_day_of_student())
        .outerjoin(Presence, and_(Presence.school_id == SCHOOL, Presence.student_id == Student.id))
        .where(Student.school_id == SCHOOL, Student.status.in_(OF_THE_SCHOOL))
        .group_by(Student.homeroom_id, "kinds")
    )


def is_awaited() -> ColumnElement[bool]:
    """They are expected by their homeroom's day, and neither here nor judged; maybe on leave.

    To be asked with `awaiting`.
    """
    boards = _boards()
    return and_(
        Student.status == StudentStatus.ENROLLED,
        ~_is_exempt(),
        ~_is_gone(),
        or_(
            and_(boards, Student.homeroom_id.in_(bindparam("with_boarders", expanding=True))),
            and_(~boards, Student.homeroom_id.in_(bindparam("with_others", expanding=True))),
        ),
        _is_unseen(),
    )


def awaiting(expects: Mapping[int, Expecting]) -> dict[str, list[int]]:
    """Which homerooms' days expect somebody, by whom."""
    return {
        "with_boarders": [room for room, one in expects.items() if one.boarders],
        "with_others": [room for room, one in expects.items() if one.day_students],
    }


def _is_unseen() -> ColumnElement[bool]:
    """Not who is here by no tap of the day: by what staff say, or inside since the day before."""
    return and_(
        Attendance.arrived_at.is_(None),
        func.coalesce(Attendance.present, 0) == 0,
        func.coalesce(Attendance.absent, 0) == 0,
        func.coalesce(Attendance.on_leave, 0) == 0,
        func.coalesce(Attendance.not_judged, 1) > 0,
    )


def is_away() -> ColumnElement[bool]:
    """A slip has held at some moment of the day so far."""
    return Student.id.in_(
        select(LeaveSlip.student_id).where(
            LeaveSlip.school_id == SCHOOL,
            LeaveSlip.state == LeaveState.APPROVED,
            LeaveSlip.until_at > _BEGIN,
            LeaveSlip.from_at <= _UNTIL,
        )
    )


def _boards() -> ColumnElement[bool]:
    return Student.id.in_(select(Boarding.student_id).where(*_holds(Boarding)))


def _is_exempt() -> ColumnElement[bool]:
    return Student.id.in_(select(Exemption.student_id).where(*_holds(Exemption)))


def _is_gone() -> ColumnElement[bool]:
    """As for judging the day: of whom the register's file does not name nothing is expected."""
    return and_(Student.gone_at.is_not(None), Student.gone_at <= _UNTIL)


def _holds(table: type[Boarding | Exemption]) -> tuple[ColumnElement[bool], ...]:
    return table.from_on <= _DAY, or_(table.until_on.is_(None), table.until_on > _DAY)


def is_day_of_student() -> ColumnElement[bool]:
    """Joins a student with what is kept of the day."""
    return and_(
        Attendance.school_id == SCHOOL,
        Attendance.day == _DAY,
        Attendance.student_id == Student.id,
    )

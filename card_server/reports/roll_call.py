"""The dormitory's roll call as it stands (晚点名): by homeroom, and each boarder of one.

Beside what somebody said stands what the gates know: who is on campus, and who is on leave.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Result, Select, and_, func, literal, select
from sqlalchemy.orm import Session

from card_server.attendance.roll_call import Called, is_called
from schema.tables.attendance import Presence
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.people import Student
from schema.tables.readers import Reader
from schema.tables.roll_call import RollCall
from schema.tables.school import Homeroom

_READER: Final = Reader.__table__.c


@dataclass(frozen=True)
class Boarder:
    """One boarder of the roll."""

    student_id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    is_inside: bool | None
    """On campus now, as the gates know it; None for whom no gate has ever seen."""
    since_at: datetime | None
    gate: str
    leave: LeaveKind | None
    is_here: bool | None
    made_by: str
    made_at: datetime | None

    @property
    def called(self) -> Called:
        """What the roll says of them."""
        return _called(self.is_here, is_on_leave=self.leave is not None)


@dataclass(frozen=True)
class RoomRoll:
    """A homeroom's numbers; without an id those of all."""

    homeroom_id: int
    homeroom: str
    counts: Counter[Called]

    @property
    def boarders(self) -> int:
        """All who are on its roll."""
        return self.counts.total()

    def __getitem__(self, called: Called) -> int:
        return self.counts[called]

    def __add__(self, other: "RoomRoll") -> "RoomRoll":
        return RoomRoll(0, "", self.counts + other.counts)


NO_BOARDERS: Final = RoomRoll(0, "", Counter())


def count_rooms(session: Session, school_id: int, day: date, at: datetime) -> list[RoomRoll]:
    """Each homeroom that has boarders that night, by grade; in one query."""
    roll = (
        _join(
            select(
                Student.homeroom_id,
                RollCall.is_here,
                _leaves(at).exists().label("is_on_leave"),
            ),
            day,
        )
        .where(is_called(school_id, day))
        .subquery()
    )
    found = session.execute(
        select(Homeroom.id, Homeroom.name, roll.c.is_here, roll.c.is_on_leave, func.count())
        .join(roll, roll.c.homeroom_id == Homeroom.id)
        .group_by(Homeroom.grade, Homeroom.id, Homeroom.name, roll.c.is_here, roll.c.is_on_leave)
        .order_by(Homeroom.grade, Homeroom.id)
    )
    rooms: dict[int, RoomRoll] = {}
    for homeroom_id, name, is_here, is_on_leave, students in found:
        room = rooms.setdefault(homeroom_id, RoomRoll(homeroom_id, name, Counter()))
        room.counts[_called(is_here, is_on_leave=bool(is_on_leave))] += students
    return list(rooms.values())


def list_boarders(
    session: Session,
    school_id: int,
    day: date,
    at: datetime,
    *,
    homeroom_id: int | None = None,
    is_missing_only: bool = False,
    limit: int | None = None,
) -> list[Boarder]:
    """Those on the roll by homeroom and number, in one query."""
    leave = _leaves(at).order_by(LeaveSlip.id).limit(1).correlate(Student).scalar_subquery()
    wanted = _join(
        select(
            Student.id,
            Student.name,
            Student.number,
            Homeroom.id,
            Homeroom.name,
            Presence.is_inside,
            Presence.since_at,
            func.coalesce(_READER.name, literal("")),
            leave.label("leave"),
            RollCall.is_here,
            func.coalesce(RollCall.made_by, literal("")),
            RollCall.made_at,
        ).join(Homeroom, Homeroom.id == Student.homeroom_id),
        day,
    )
    wanted = (
        wanted.outerjoin(Presence, Presence.student_id == Student.id)
        .outerjoin(
            Reader.__table__,
            and_(_READER.id == Presence.reader_id, _READER.school_id == school_id),
        )
        .where(is_called(school_id, day))
        .order_by(Homeroom.grade, Homeroom.id, Student.number)
        .limit(limit)
    )
    if homeroom_id is not None:
        wanted = wanted.where(Student.homeroom_id == homeroom_id)
    if is_missing_only:
        wanted = wanted.where(RollCall.is_here.is_(False))
    found: Result[*tuple[Any, ...]] = session.execute(wanted)
    return [Boarder(*row) for row in found]


def _join(wanted: Select[*tuple[Any, ...]], day: date) -> Select[*tuple[Any, ...]]:
    said: ColumnElement[bool] = and_(RollCall.student_id == Student.id, RollCall.day == day)
    return wanted.outerjoin(RollCall, said)


def _leaves(at: datetime) -> Select[LeaveKind]:
    return select(LeaveSlip.kind).where(
        LeaveSlip.school_id == Student.school_id,
        LeaveSlip.student_id == Student.id,
        LeaveSlip.state == LeaveState.APPROVED,
        LeaveSlip.from_at <= at,
        LeaveSlip.until_at > at,
    )


def _called(is_here: bool | None, *, is_on_leave: bool) -> Called:
    if is_here is None:
        return Called.ON_LEAVE if is_on_leave else Called.OPEN
    return Called.HERE if is_here else Called.MISSING

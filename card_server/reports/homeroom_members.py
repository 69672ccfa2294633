"""Who was of a homeroom on which days, with names: the rows of its sheets."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.homerooms import room_on, stays_of
from card_server.attendance.members import Membership
from card_server.people.student_search import matches
from card_server.staff.sessions import SchoolInUse
from schema.tables.people import HomeroomStay, Student


@dataclass(frozen=True)
class Member:
    """A student, and on which of the days in question the homeroom was theirs."""

    id: int
    number: str
    name: str
    pinyin: str
    days: frozenset[date]


def read_members(
    session: Session, school: SchoolInUse, homeroom_id: int, days: list[date], words: str = ""
) -> list[Member]:
    """The students of the homeroom on any of these days, by number; two queries.

    With words those alone whose name, pinyin or number answers to them.
    """
    was_there = select(HomeroomStay.__table__.c.student_id).where(
        and_(
            HomeroomStay.__table__.c.homeroom_id == homeroom_id,
            HomeroomStay.__table__.c.from_on <= days[-1],
            or_(
                HomeroomStay.__table__.c.until_on.is_(None),
                HomeroomStay.__table__.c.until_on > days[0],
            ),
        )
    )
    wanted = select(Student).where(
        Student.school_id == school.id,
        or_(Student.homeroom_id == homeroom_id, Student.id.in_(was_there)),
    )
    if words.strip():
        wanted = wanted.where(matches(" ".join(words.split())))
    students = list(session.scalars(wanted.order_by(Student.number)))
    stays = stays_of(session, [one.id for one in students])
    found = []
    for one in students:
        rooms = {day: room_on(stays, one.id, day, one.homeroom_id) for day in days}
        theirs = {day for day in _expected(one, days, school.zone) if rooms[day] == homeroom_id}
        if theirs:
            found.append(Member(one.id, one.number, one.name, one.pinyin, frozenset(theirs)))
    return found


def _expected(student: Student, days: list[date], zone: ZoneInfo) -> Iterator[date]:
    membership = Membership(
        student.id,
        student.homeroom_id,
        student.status,
        student.status_since,
        student.gone_at,
        student.erased_at,
    )
    return (day for day in days if membership.is_expected(day, zone))

"""Who was of a homeroom on which days, with names: the rows of its sheets."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Result, and_, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.homerooms import Stays, room_on, stays_of
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
    wanted = select(
        Student.id,
        Student.homeroom_id,
        Student.status,
        Student.status_since,
        Student.gone_at,
        Student.erased_at,
        Student.number,
        Student.name,
        Student.pinyin,
    ).where(
        Student.school_id == school.id,
        or_(Student.homeroom_id == homeroom_id, Student.id.in_(was_there)),
    )
    if words.strip():
        wanted = wanted.where(matches(" ".join(words.split())))
    found: Result[*tuple[Any, ...]] = session.execute(wanted.order_by(Student.number))
    students = found.all()
    stays = stays_of(session, [one.id for one in students])
    members = []
    for *of_school, number, name, pinyin in students:
        membership = Membership(*of_school)
        theirs = frozenset(_theirs(membership, stays, homeroom_id, days, school.zone))
        if theirs:
            members.append(Member(membership.student_id, number, name, pinyin, theirs))
    return members


def _theirs(
    membership: Membership, stays: Stays, homeroom_id: int, days: list[date], zone: ZoneInfo
) -> Iterator[date]:
    of_today = membership.homeroom_id
    for day in days:
        room = room_on(stays, membership.student_id, day, of_today)
        if room == homeroom_id and membership.is_expected(day, zone):
            yield day

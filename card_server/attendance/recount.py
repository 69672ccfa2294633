"""A homeroom's counts of a day, counted anew from its students' rows."""

from datetime import date

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from card_server.attendance.counted import COUNTED, add_counted
from card_server.attendance.plans import SchoolDays
from card_server.attendance.rows import Count
from card_server.school_time import bounds_of
from card_server.storage.bulk import Write, insert_missing, write_all
from schema.tables.attendance import Attendance, HomeroomDay, Presence

_REPLACING = ", ".join(f"{name} = excluded.{name}" for name in Count.__struct_fields__[3:])


def recount(session: Session, school: SchoolDays, day: date) -> int:
    """Put a school's counts of a day right; how many homerooms had wrong ones.

    The counts are locked before their students are counted: whoever records a tap meanwhile adds to
    them afterwards, and what is counted here is what was committed before.
    """
    rooms = _rooms(session, school, day)
    zeros = [Count(school.id, room, day) for room in sorted(rooms)]
    insert_missing(session, HomeroomDay, zeros)
    found = {
        row.homeroom_id: row
        for row in session.scalars(
            select(HomeroomDay)
            .where(HomeroomDay.school_id == school.id, HomeroomDay.day == day)
            .order_by(HomeroomDay.homeroom_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    right = {room: Count(school.id, room, day) for room in found}
    _count_days(session, school, day, right)
    _count_inside(session, school, day, right)
    wrong = [
        count
        for room, count in sorted(right.items())
        if any(
            getattr(found[room], name) != getattr(count, name) for name in Count.__struct_fields__
        )
    ]
    write_all(session, [Write(HomeroomDay, wrong, _REPLACING)])
    return len(wrong)


def _rooms(session: Session, school: SchoolDays, day: date) -> set[int]:
    of_day = select(Attendance.homeroom_id).where(
        Attendance.school_id == school.id, Attendance.day == day
    )
    inside = select(Presence.homeroom_id).where(_is_inside_since(school, day))
    return {*session.scalars(of_day.distinct()), *session.scalars(inside.distinct())}


def _count_days(session: Session, school: SchoolDays, day: date, right: dict[int, Count]) -> None:
    wanted = (
        select(Attendance.homeroom_id, *map(func.sum, COUNTED.values()))
        .where(Attendance.school_id == school.id, Attendance.day == day)
        .group_by(Attendance.homeroom_id)
    )
    for room, *sums in session.execute(wanted):
        add_counted(right[room], sums)


def _count_inside(session: Session, school: SchoolDays, day: date, right: dict[int, Count]) -> None:
    wanted = (
        select(Presence.homeroom_id, func.count())
        .where(_is_inside_since(school, day))
        .group_by(Presence.homeroom_id)
    )
    for room, number in session.execute(wanted):
        right[room].inside = number


def _is_inside_since(school: SchoolDays, day: date) -> ColumnElement[bool]:
    begin, end = bounds_of(day, school.zone)
    return and_(
        Presence.school_id == school.id,
        Presence.is_inside,
        Presence.since_at >= begin,
        Presence.since_at < end,
    )

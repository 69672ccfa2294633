"""Boarders on campus of whom nothing was seen since before the last days without lessons.

Where a gate missed the exit on Friday they count as inside all weekend, and so as back in time. No
tap says otherwise, so nobody is told anything; staff see who it may be, and look.
"""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.attendance.plans import moment_of
from card_server.calendar.plan import Calendar, Room, plan_day
from card_server.calendar.reading import read_calendar
from card_server.people.boarding_days import boards_on, holds_on
from card_server.school_time import day_of
from schema.tables.attendance import Presence
from schema.tables.calendar import DayPart
from schema.tables.people import Boarding, Student
from schema.tables.school import Homeroom

_LOOKED_BACK: Final = 70
"""Days; the long holidays are shorter, or nobody is on campus since before them."""


def is_unseen(
    session: Session, school_id: int, now: datetime, zone: ZoneInfo
) -> ColumnElement[bool]:
    """Whether a student inside boards, had to be back by now, and was not seen since lessons."""
    today = day_of(now, zone)
    boarding = Boarding.__table__.c
    anybody = select(boarding.student_id).where(boarding.school_id == school_id, holds_on(today))
    if session.scalar(anybody.limit(1)) is None:
        return false()
    calendar = read_calendar(session, school_id, today - timedelta(days=_LOOKED_BACK), today)
    if not calendar.timetables:
        return false()
    own = {room for one in calendar.timetables for room in one.homerooms}
    room = Homeroom.__table__.c
    alike: dict[Room, list[int]] = {}
    wanted = select(room.id, room.grade).where(room.school_id == school_id)
    for id_, grade in session.execute(wanted):
        alike.setdefault(Room(id_ if id_ in own else 0, grade), []).append(id_)
    ended = {one: lessons_ended(calendar, one, now, zone) for one in alike}
    return boards_on(today) & or_(
        false(),
        *(
            Student.homeroom_id.in_(alike[one]) & (Presence.since_at < moment)
            for one, moment in ended.items()
            if moment is not None
        ),
    )


def lessons_ended(calendar: Calendar, room: Room, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the last lessons ended before the days without lessons of the newest return by now.

    None where no return is over, or where it followed no such day.
    """
    days = [day_of(now, zone) - timedelta(days=n) for n in range(_LOOKED_BACK)]
    plans = [plan_day(calendar, day, room) for day in days]
    returns = (n for n in range(len(days)) if _is_over(plans[n], days[n], now, zone))
    back = next(returns, None)
    if back is None:
        return None
    # Who returns on a school day was at home before it.
    first = back if not _lessons_end(plans[back]) else back + 1
    for n in range(first, len(days)):
        if ends := _lessons_end(plans[n]):
            return moment_of(days[n], ends, zone) if n > first else None
    return None


def _is_over(plan: DayPlan, day: date, now: datetime, zone: ZoneInfo) -> bool:
    return any(
        one.is_return and moment_of(day, one.late_after, zone) <= now for one in plan.sessions
    )


def _lessons_end(plan: DayPlan) -> int:
    """Minute of the day; 0 on a day without lessons, which may have evening study."""
    lessons = [
        one.ends for one in plan.sessions if not one.is_return and one.part is not DayPart.EVENING
    ]
    return max(lessons, default=0)

"""A day that is kept already (`day_plan`), and whether calendar and timetables contradict it."""

from datetime import date

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.calendar.plan import Calendar, Room, plan_day
from schema.tables.attendance import DayPlanRow
from schema.tables.school import Homeroom

_PLAN = msgspec.json.Decoder(DayPlan)


def homerooms_that_differ(
    session: Session, school_id: int, day: date, calendar: Calendar
) -> list[int] | None:
    """The homerooms for which the day is kept otherwise than a calendar says now, in one query.

    None where the day has not begun: nothing is kept. A recomputation would change what is judged.
    """
    room, kept = Homeroom.__table__.c, DayPlanRow.__table__.c
    found = session.execute(
        select(room.id, room.grade, kept.plan)
        .join(Homeroom.__table__, room.id == kept.homeroom_id)
        .where(kept.school_id == school_id, kept.day == day)
        .order_by(room.id)
    ).all()
    if not found:
        return None
    return [
        homeroom_id
        for homeroom_id, grade, plan in found
        if _PLAN.decode(plan) != plan_day(calendar, day, Room(homeroom_id, grade))
    ]

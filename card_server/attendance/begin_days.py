"""Each day's plans are kept when the day begins at the school, and with them its deadlines.

After an outage the days that were missed follow, a week at most: somebody may have been absent.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.attendance.plans import (
    JUDGED_BACK,
    PlanKey,
    SchoolDays,
    keep_plans,
    read_school,
)
from card_server.school_time import day_of
from schema.tables.attendance import DayPlanRow
from schema.tables.school import Homeroom, School


def begin_days(session: Session, now: datetime) -> None:
    """Keep the plans of today, and of the days since the last that was kept."""
    for school_id in session.scalars(select(School.id).order_by(School.id)).all():
        school = read_school(session, school_id)
        for day in _days_to_begin(session, school, now):
            missing = _missing(session, school, day)
            if missing:
                keep_plans(session, {school.id: school}, missing, now)
                session.commit()


def _days_to_begin(session: Session, school: SchoolDays, now: datetime) -> list[date]:
    """Today, and the last week's days since one on which the school was at work with us.

    A plan that was made on its own day says so; one that was made afterwards, for a late or an
    imported tap or one with a wrong clock, does not.
    """
    today = day_of(now, school.zone)
    kept = session.execute(
        select(DayPlanRow.day, func.min(DayPlanRow.made_at).label("made_at"))
        .where(
            DayPlanRow.school_id == school.id,
            DayPlanRow.day >= today - JUDGED_BACK,
            DayPlanRow.day < today,
        )
        .group_by(DayPlanRow.day)
    )
    at_work = [row.day for row in kept if day_of(row.made_at, school.zone) <= row.day]
    first = min(at_work, default=today)
    return [first + timedelta(days=n) for n in range((today - first).days + 1)]


def _missing(session: Session, school: SchoolDays, day: date) -> list[PlanKey]:
    kept = select(DayPlanRow.homeroom_id).where(
        DayPlanRow.school_id == school.id, DayPlanRow.day == day
    )
    rooms = select(Homeroom.id).where(
        Homeroom.school_id == school.id,
        Homeroom.is_past.is_(False),
        Homeroom.id.not_in(kept),
    )
    return [PlanKey(school.id, day, room) for room in session.scalars(rooms)]

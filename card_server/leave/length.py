"""Whether leave is too long for the homeroom teacher alone: how many school days it takes."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.attendance.plans import PlanKey, plans_now, read_school
from card_server.calendar.rules import rules_for
from card_server.leave.wishes import Wish, days_of
from card_server.people.boarding_days import boards_on
from schema.tables.people import Student


def needs_school(session: Session, student: Student, wish: Wish, zone: ZoneInfo) -> bool:
    """Whether the school must approve as well: over so many school days, by its own rule."""
    school_id = student.school_id
    first, last = days_of(wish.from_at, wish.until_at, zone)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    schools = {school_id: read_school(session, school_id)}
    keys = [PlanKey(school_id, day, student.homeroom_id) for day in days]
    plans = plans_now(session, schools, keys)
    boards = bool(session.scalar(select(boards_on(first)).where(Student.id == student.id)))
    counted = sum(
        takes_lessons(plan, key.day, wish.from_at, wish.until_at, zone, boards=boards)
        for key, plan in plans.items()
    )
    return counted > rules_for(session, school_id).leave_days


def takes_lessons(
    plan: DayPlan,
    day: date,
    from_at: datetime,
    until_at: datetime,
    zone: ZoneInfo,
    *,
    boards: bool,
) -> bool:
    """Whether a time lies over any part of a student's sessions; the boarders' return is none."""
    midnight = datetime.combine(day, time.min, zone)
    return any(
        from_at < midnight + timedelta(minutes=one.ends)
        and until_at > midnight + timedelta(minutes=one.late_after)
        for one in plan.sessions
        if one.is_for(boards=boards) and not one.is_return
    )

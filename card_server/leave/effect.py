"""What approved leave does beside itself: its days are judged anew, and the gates hear of it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from card_server.attendance.refold import refold
from card_server.leave.wishes import days_of
from card_server.register.version import touch_register
from card_server.school_time import day_of
from schema.tables.leave import LeaveSlip


def let_days_know(
    session: Session,
    school_id: int,
    slip: LeaveSlip,
    until_at: datetime,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Judge the days of a slip anew, up to today and to what was its end, `until_at`.

    Days to come are judged with it when they come.
    """
    touch_register(session, {school_id})
    first, last = days_of(slip.from_at, until_at, zone)
    last = min(last, day_of(now, zone))
    if first <= last:
        refold(session, school_id, slip.student_id, first, last, now)

"""Events of days that were judged otherwise than by a tap that came in: who is told of them.

A tap's own events are written with the tap (outbox.py). Here an absence is told when its time has
come, and whatever becomes of a day afterwards: a correction, leave, a change of the timetable.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from card_server.attendance.day_book import Rewritten
from card_server.webhooks.changes import read_students, who_listens, write_events
from card_server.webhooks.events import AttendanceEvent, DayStatus, changed_day, summary_of
from schema.tables.webhooks import EventKind

_NOTHING = frozenset({DayStatus.NOT_JUDGED, DayStatus.NOT_EXPECTED})


def tell_of_days(session: Session, rewritten: Sequence[Rewritten], now: datetime) -> None:
    """Write down the days that look otherwise to a receiver; an inner change is told to nobody."""
    by_school: dict[int, list[Rewritten]] = {}
    for one in rewritten:
        by_school.setdefault(one.after.school_id, []).append(one)
    for school_id, changes in by_school.items():
        listening = who_listens(session, school_id, EventKind.ATTENDANCE)
        if listening is None:
            continue
        days = [one.after for one in changes if _is_news(one)]
        students = read_students(session, sorted({day.student_id for day in days}))
        events = [
            AttendanceEvent(now, listening.school, changed_day(day, students[day.student_id]))
            for day in days
            if day.student_id in students
        ]
        write_events(session, school_id, listening, events)


def _is_news(one: Rewritten) -> bool:
    after = summary_of(one.after)
    if one.before is None:
        return after.status not in _NOTHING
    return summary_of(one.before) != after

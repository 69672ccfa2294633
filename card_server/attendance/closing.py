"""Nobody but boarders is on campus over night: who is still inside when a day is over goes out.

The school's hour of closing is a deadline (deadlines.py). This is for whoever came in after it, and
for a school whose clock stood still at that hour.
"""

from datetime import date, datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.plans import SchoolDays, read_school
from card_server.attendance.refold import judge_pupils, read_pupils
from card_server.school_time import bounds_of, day_of
from schema.tables.attendance import Presence
from schema.tables.people import Boarding
from schema.tables.school import School

_AT_ONCE = 200


def close_over_night(session: Session, now: datetime) -> None:
    """Judge the last day of everybody who is inside since an earlier day and does not board."""
    for school_id in session.scalars(select(School.id).order_by(School.id)).all():
        school = read_school(session, school_id)
        by_day: dict[date, list[int]] = {}
        for student_id, since_at in _inside_since_yesterday(session, school, now):
            by_day.setdefault(day_of(since_at, school.zone), []).append(student_id)
        for day, students in by_day.items():
            for start in range(0, len(students), _AT_ONCE):
                part = students[start : start + _AT_ONCE]
                judge_pupils(session, read_pupils(session, school, part, [day]), now)
                session.commit()


def _inside_since_yesterday(
    session: Session, school: SchoolDays, now: datetime
) -> list[tuple[int, datetime]]:
    today = day_of(now, school.zone)
    boards = select(Boarding.student_id).where(
        Boarding.student_id == Presence.student_id,
        Boarding.from_on <= today,
        or_(Boarding.until_on.is_(None), Boarding.until_on > today),
    )
    wanted = (
        select(Presence.student_id, Presence.since_at)
        .where(
            and_(Presence.school_id == school.id, Presence.is_inside),
            Presence.since_at < bounds_of(today, school.zone)[0],
            ~boards.exists(),
        )
        .order_by(Presence.student_id)
    )
    return [(row.student_id, row.since_at) for row in session.execute(wanted)]

"""Nobody but boarders is on campus over night: who is still inside when a day is over goes out.

The school's hour of closing is a deadline (deadlines.py). This is for whoever came in after it, and
for a school whose clock stood still at that hour.
"""

from datetime import date, datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from card_server.attendance.plans import SchoolDays, read_school
from card_server.attendance.refold import judge_pupils, read_pupils
from card_server.school_time import bounds_of, day_of
from schema.tables.attendance import Presence
from schema.tables.people import Boarding
from schema.tables.school import School

_AT_ONCE = 200


def close_over_night(session: Session, now: datetime) -> None:
    """Judge the last day of everybody who is inside since an earlier day and does not board.

    Of who boarded until a later day, that day as well: it is the first one that ended outside.
    """
    for school_id in session.scalars(select(School.id).order_by(School.id)).all():
        school = read_school(session, school_id)
        by_days: dict[tuple[date, ...], list[int]] = {}
        for student_id, days in _inside_since_yesterday(session, school, now):
            by_days.setdefault(days, []).append(student_id)
        for days, students in by_days.items():
            for start in range(0, len(students), _AT_ONCE):
                part = students[start : start + _AT_ONCE]
                judge_pupils(session, read_pupils(session, school, part, days), now)
                session.commit()


def _inside_since_yesterday(
    session: Session, school: SchoolDays, now: datetime
) -> list[tuple[int, tuple[date, ...]]]:
    """The students, and the days to be judged; not who boarded until today: this day goes on."""
    today = day_of(now, school.zone)
    boards = select(Boarding.student_id).where(
        Boarding.student_id == Presence.student_id,
        Boarding.from_on <= today,
        or_(Boarding.until_on.is_(None), Boarding.until_on >= today),
    )
    boarded_until = (
        select(func.max(Boarding.until_on))
        .where(Boarding.student_id == Presence.student_id, Boarding.until_on < today)
        .scalar_subquery()
    )
    wanted = (
        select(Presence.student_id, Presence.since_at, boarded_until.label("boarded_until"))
        .where(
            and_(Presence.school_id == school.id, Presence.is_inside),
            Presence.since_at < bounds_of(today, school.zone)[0],
            ~boards.exists(),
        )
        .order_by(Presence.student_id)
    )
    found: list[tuple[int, tuple[date, ...]]] = []
    for student_id, since_at, until_on in session.execute(wanted):
        since = day_of(since_at, school.zone)
        later = () if until_on is None or until_on <= since else (until_on,)
        found.append((student_id, (since, *later)))
    return found

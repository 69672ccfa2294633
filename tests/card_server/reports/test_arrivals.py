"""The curve of arrivals: whole minutes from the first to the morning's last, on either database."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from card_server.reports.arrivals import read_arrivals
from schema.tables.attendance import Attendance
from tests.card_server.web.odd_things import add_day
from tests.card_server.web.small_school import SmallSchool

DAY = date(2026, 9, 8)
_FIRST = datetime(2026, 9, 7, 23, 5, tzinfo=UTC)
"""07:05 at the school, on the day before by UTC."""


def _arrive(session: Session, school: SmallSchool, student: int, after: timedelta) -> None:
    add_day(session, school, student, DAY)
    theirs = Attendance.student_id == school.students[student]
    session.execute(update(Attendance).where(theirs).values(arrived_at=_FIRST + after))


def test_each_minute_is_counted_also_the_empty_ones(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    after_s = [0, 59.999999, 60, 185, 4 * 3600 + 60]
    with sessions.begin() as session:
        for student, seconds in enumerate(after_s):
            _arrive(session, school, student, timedelta(seconds=seconds))
    with sessions() as session:
        found = read_arrivals(session, school.id, DAY, None)
        of_room = read_arrivals(session, school.id, DAY, school.homerooms[:1])
        of_nobody = read_arrivals(session, school.id, DAY - timedelta(days=1), None)
    minutes = [_FIRST + timedelta(minutes=n) for n in range(4)]
    assert [(one.at, one.arrived) for one in found] == list(zip(minutes, (2, 1, 0, 1), strict=True))
    assert all(one.at.utcoffset() == timedelta() for one in found)
    assert sum(one.arrived for one in of_room) < 4
    assert of_nobody == []

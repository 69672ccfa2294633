"""Kept days are read for the students and days that are asked, with their sessions and findings."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.facts import Finding, SessionResult
from card_server.reports.kept_days import read_days, read_results
from schema.tables.attendance import Attendance, SessionStatus
from tests.card_server.web.odd_things import add_day
from tests.card_server.web.small_school import SmallSchool

MONDAY = date(2026, 9, 7)
TUESDAY = MONDAY + timedelta(days=1)
_SESSIONS = '[{"position":1,"status":"late","late_minutes":4}]'
_LATE = (SessionResult(1, SessionStatus.LATE, late_minutes=4),)


@pytest.fixture(autouse=True)
def days(school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    """The first student is late on Monday; the others and Tuesday were never judged."""
    with sessions.begin() as session:
        for student in range(3):
            add_day(session, school, student, MONDAY)
        add_day(session, school, 0, TUESDAY)
        for one in session.scalars(select(Attendance).where(Attendance.school_id == school.id)):
            is_late = one.student_id == school.students[0] and one.day == MONDAY
            one.sessions = _SESSIONS if is_late else ""
            one.findings = "missed_exit clock_suspect" if is_late else ""


def test_a_day_comes_with_its_sessions_and_findings(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    first, second, _ = school.students[:3]
    with sessions() as session:
        found = read_days(session, school.id, [first, second], [MONDAY])
    assert set(found) == {(first, MONDAY), (second, MONDAY)}
    late, plain = found[first, MONDAY], found[second, MONDAY]
    assert (late.results, plain.results) == (_LATE, ())
    assert late.findings == (Finding.MISSED_EXIT, Finding.CLOCK_SUSPECT)
    assert (late.homeroom_id, plain.findings) == (school.homerooms[0], ())


def test_sessions_alone_leave_out_the_days_that_nobody_judged(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions() as session:
        found = read_results(session, school.id, school.students[:3], [MONDAY, TUESDAY])
    assert found == {school.students[0]: {MONDAY: _LATE}}

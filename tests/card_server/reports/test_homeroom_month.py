"""A homeroom's month: who was of it on which day, what is closed, and what is counted."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from card_server.attendance.facts import SessionResult
from card_server.errors import AppError
from card_server.reports.homeroom_month import (
    HomeroomMonth,
    Totals,
    count_sessions,
    days_of_month,
    read_homeroom_month,
)
from card_server.school_time import DISTRICT_ZONE
from card_server.staff.sessions import SchoolInUse
from card_server.storage.database import open_engine, open_sessions
from schema.tables.attendance import SessionStatus as Status
from schema.tables.leave import LeaveKind
from schema.tables.people import HomeroomStay, Student, StudentStatus
from tests.card_server.web.sheet_month import FESTIVAL, FIRST, MONDAY, TUESDAY, add_month
from tests.card_server.web.small_school import SmallSchool, make_school


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = open_engine(database_url)
    with open_sessions(engine)() as session:
        yield session
    engine.dispose()


@pytest.fixture
def school(session: Session) -> SmallSchool:
    school = make_school(session)
    add_month(session, school)
    return school


def _read(session: Session, school: SmallSchool, room: int = 0, words: str = "") -> HomeroomMonth:
    shown = SchoolInUse(school.id, "一中", "一中", DISTRICT_ZONE, "08:00", 7)
    return read_homeroom_month(session, shown, school.homerooms[room], FIRST, words)


def test_every_day_of_a_month_is_there() -> None:
    assert [len(days_of_month(date(2024, month, 15))) for month in (2, 4, 12)] == [29, 30, 31]


def test_sessions_are_counted_by_what_became_of_them() -> None:
    results = (
        SessionResult(1, Status.LATE, late_minutes=3, early_minutes=9),
        SessionResult(2, Status.LEFT_EARLY, early_minutes=9),
        SessionResult(3, Status.ABSENT),
        SessionResult(4, Status.ON_LEAVE, leave_kind=LeaveKind.OFFICIAL),
        SessionResult(5, Status.PRESENT, leave_kind=LeaveKind.SICK),
    )
    assert count_sessions(results) == Totals(late=1, left_early=2, absent=1, official=1)


def test_a_student_who_moved_counts_in_each_homeroom_for_the_days_there(
    session: Session, school: SmallSchool
) -> None:
    moved, (first, second) = school.students[0], school.homerooms
    stay = {"student_id": moved, "school_id": school.id}
    session.add(HomeroomStay(**stay, homeroom_id=first, from_on=FIRST, until_on=TUESDAY))
    session.add(HomeroomStay(**stay, homeroom_id=second, from_on=TUESDAY))
    session.execute(update(Student).where(Student.id == moved).values(homeroom_id=second))
    session.flush()
    before = next(one for one in _read(session, school).lines if one.student_id == moved)
    after = next(one for one in _read(session, school, 1).lines if one.student_id == moved)
    assert MONDAY in before.days
    assert TUESDAY in before.elsewhere
    assert TUESDAY in after.days
    assert MONDAY in after.elsewhere


def test_who_has_left_is_there_until_then(session: Session, school: SmallSchool) -> None:
    gone = school.students[4]
    values = {"status": StudentStatus.TRANSFERRED, "status_since": TUESDAY}
    session.execute(update(Student).where(Student.id == gone).values(**values))
    line = next(one for one in _read(session, school).lines if one.student_id == gone)
    assert list(line.days) == [MONDAY]
    assert line.totals == Totals(absent=2)


def test_closed_days_have_their_name(session: Session, school: SmallSchool) -> None:
    days = {one.day: one for one in _read(session, school).days}
    assert days[FESTIVAL].is_closed
    assert days[FESTIVAL].name == "中秋节"
    assert days[FIRST].is_closed
    assert not days[MONDAY].is_closed
    assert days[MONDAY].totals == Totals(late=1, left_early=1, absent=1, sick=1)


def test_words_find_and_a_homeroom_that_is_not_there_is_said_so(
    session: Session, school: SmallSchool
) -> None:
    assert [one.name for one in _read(session, school, words=" zhang ").lines] == ["张三"]
    school.homerooms[0] = 99
    with pytest.raises(AppError, match="no such homeroom"):
        _read(session, school)

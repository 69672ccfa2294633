"""Calling the roll of boarders: which evening, who is on it, whose word stands."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.correcting import Doing
from card_server.attendance.roll_call import Called, call_roll, evening_of, night_of
from card_server.audit.writing import Actor
from card_server.errors import AppError
from card_server.field_errors import FieldsError
from card_server.reports.roll_call import Boarder, count_rooms, list_boarders
from card_server.school_time import DISTRICT_ZONE
from schema.tables.audit import AuditEntry
from schema.tables.leave import LeaveState
from schema.tables.people import Boarding, Student, StudentStatus
from schema.tables.roll_call import RollCall
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool, make_school

EVENING = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
"""21:40 at the school."""


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    """The first four of its students board since September, the third until that evening."""
    with sessions.begin() as session:
        made = make_school(session)
        for number, until in enumerate((None, None, EVENING, None)):
            session.add(
                Boarding(
                    school_id=made.id,
                    student_id=made.students[number],
                    from_on=date(2026, 9, 1),
                    until_on=until,
                )
            )
    return made


def _doing(school: SmallSchool, now: datetime = NOW) -> Doing:
    return Doing(Actor("staff", 1, "宿管老师", ""), school.id, DISTRICT_ZONE, now)


def _read(sessions: sessionmaker[Session], school: SmallSchool) -> list[Boarder]:
    with sessions() as session:
        return list_boarders(session, school.id, EVENING, night_of(EVENING, DISTRICT_ZONE))


@pytest.mark.parametrize(
    ("moment", "evening"),
    [
        ("2026-11-23T21:40", "2026-11-23"),
        ("2026-11-24T00:10", "2026-11-23"),
        ("2026-11-24T11:59", "2026-11-23"),
        ("2026-11-24T12:00", "2026-11-24"),
    ],
)
def test_an_evening_lasts_until_noon(moment: str, evening: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=DISTRICT_ZONE)
    assert evening_of(at, DISTRICT_ZONE) == date.fromisoformat(evening)


def test_who_boards_that_night_is_on_the_roll(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    on_roll = {one.student_id for one in _read(sessions, school)}
    assert on_roll == {school.students[n] for n in (0, 1, 3)}
    with sessions.begin() as session:
        session.get_one(Student, school.students[1]).status = StudentStatus.SUSPENDED
    assert school.students[1] not in {one.student_id for one in _read(sessions, school)}


def test_the_last_word_stands_and_can_be_taken_back(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    first, second = school.students[0], school.students[1]
    with sessions.begin() as session:
        assert call_roll(session, _doing(school), EVENING, {first: True, second: False}) == [
            first,
            second,
        ]
    later = _doing(school, NOW + timedelta(minutes=20))
    with sessions.begin() as session:
        assert call_roll(session, later, EVENING, {first: True, second: True}) == [second]
    called = {one.student_id: (one.called, one.made_at) for one in _read(sessions, school)}
    assert called[first] == (Called.HERE, NOW)
    assert called[second] == (Called.HERE, later.now)
    with sessions.begin() as session:
        assert call_roll(session, later, EVENING, {first: None, second: True}) == [first]
        assert call_roll(session, later, EVENING, {first: None}) == []
    with sessions() as session:
        assert session.scalars(select(RollCall.student_id)).all() == [second]
        noted = select(AuditEntry.action).where(AuditEntry.action == "roll_call.called")
        assert len(session.scalars(noted).all()) == 3


def test_an_approved_slip_over_the_evening_stands_in_for_a_call(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    night = night_of(EVENING, DISTRICT_ZONE)
    with sessions.begin() as session:
        for number, hours in ((0, 1), (1, -1)):
            slip = make_slip(school, number, night - timedelta(hours=9), 9 + hours)
            slip.state = LeaveState.APPROVED
            session.add(slip)
    called = {one.student_id: one.called for one in _read(sessions, school)}
    assert called[school.students[0]] is Called.ON_LEAVE
    assert called[school.students[1]] is Called.OPEN
    with sessions.begin() as session:
        call_roll(session, _doing(school), EVENING, {school.students[0]: True})
    with sessions() as session:
        rooms = count_rooms(session, school.id, EVENING, night)
    counts = {called: sum(room[called] for room in rooms) for called in Called}
    assert counts == {Called.HERE: 1, Called.MISSING: 0, Called.ON_LEAVE: 0, Called.OPEN: 2}
    assert sum(room.boarders for room in rooms) == 3


@pytest.mark.parametrize("number", [2, 4])
def test_who_does_not_board_that_night_is_not_called(
    sessions: sessionmaker[Session], school: SmallSchool, number: int
) -> None:
    marks = {school.students[0]: True, school.students[number]: True}
    with sessions.begin() as session, pytest.raises(AppError):
        call_roll(session, _doing(school), EVENING, marks)
    with sessions() as session:
        assert session.scalars(select(RollCall)).all() == []


@pytest.mark.parametrize("days", [1, -8])
def test_a_coming_evening_and_one_long_ago_are_not_called(
    sessions: sessionmaker[Session], school: SmallSchool, days: int
) -> None:
    evening = EVENING + timedelta(days=days)
    with sessions.begin() as session, pytest.raises(FieldsError):
        call_roll(session, _doing(school), evening, {school.students[0]: True})

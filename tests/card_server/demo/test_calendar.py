"""Whatever the date and the hour, the demo's today is a school day whose sessions are to come."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.details import seal_details
from card_server.calendar.proposals import proposals_for
from card_server.calendar.reading import list_entries, plans_between, plans_for
from card_server.demo.calendar import NAME, add_calendar, open_today, play_today
from card_server.demo.people import add_terms
from card_server.storage.database import open_engine
from schema.tables.calendar import DayKind, ForWhom, Timetable
from schema.tables.school import Homeroom, School

_NOON = 12 * 60


@pytest.fixture
def session(sqlite_url: str) -> Session:
    engine = open_engine(sqlite_url)
    seal_details(engine, bytes(32))
    return Session(engine)


def _make(session: Session, day: date) -> tuple[School, list[int]]:
    """The demo's terms and calendar, for a school without people."""
    school = School(code="demo", name="实验中学", signature="实验中学")
    session.add(school)
    session.flush()
    year = add_terms(session, school, datetime(day.year, day.month, day.day, 4, tzinfo=UTC))
    rooms = [
        Homeroom(school_id=school.id, school_year=year, grade=grade, name=f"{grade}年级(1)班")
        for grade in (7, 8, 9)
    ]
    session.add_all(rooms)
    session.flush()
    add_calendar(session, school, year, day)
    return school, [one.id for one in rooms]


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 11, 24),
        date(2026, 11, 22),
        date(2026, 10, 1),
        date(2027, 2, 1),
        date(2027, 7, 30),
        date(2027, 2, 21),
    ],
    ids=["weekday", "Sunday", "National Day", "winter", "summer", "the last day of winter"],
)
@pytest.mark.parametrize("minute", [0, 450, _NOON, 1439])
def test_today_is_a_school_day(session: Session, day: date, minute: int) -> None:
    school, rooms = _make(session, day)
    open_today(session, school, day, minute)
    open_today(session, school, day, minute)
    plans = plans_for(session, school.id, day, rooms)
    for plan in plans.values():
        expected = [one for one in plan.sessions if not one.is_return]
        assert (plan.kind, plan.note) == (DayKind.LESSONS, NAME)
        assert expected[0].late_after == min(minute + 60, 1439)
        assert len(expected) == (2 if minute < _NOON + 60 else 1)
    assert len(list_entries(session, school.id, day, day)) == 1


def test_a_played_morning_moves_todays_session(session: Session) -> None:
    day = date(2026, 11, 24)
    school, rooms = _make(session, day)
    open_today(session, school, day, _NOON)
    noon = datetime(2026, 11, 24, 4, tzinfo=UTC)
    play_today(session, school.id, day, _NOON + 1, noon)
    plan = plans_for(session, school.id, day, rooms)[rooms[0]]
    assert plan.sessions[0].late_after == _NOON + 1
    special = select(Timetable).where(Timetable.is_special)
    assert len(session.scalars(special).all()) == 1


def test_the_year_has_its_holidays_and_its_hours(session: Session) -> None:
    day = date(2026, 11, 24)
    school, rooms = _make(session, day)
    assert all(one.is_settled for one in proposals_for(session, school.id, 2026))
    plans = plans_between(session, school.id, day, day + timedelta(days=3), [rooms[0], rooms[-1]])
    names = [one.name for one in plans[day][rooms[-1]].sessions]
    assert names == ["上午", "下午", "晚自习"]
    assert plans[day][rooms[-1]].sessions[2].for_whom is ForWhom.BOARDERS
    assert [one.name for one in plans[day][rooms[0]].sessions] == ["上午", "下午"]
    friday = plans[day + timedelta(days=3)][rooms[0]]
    assert friday.sessions[1].ends < plans[day][rooms[0]].sessions[1].ends
    summer = date(2027, 5, 6)
    later = plans_for(session, school.id, summer, rooms[:1])[rooms[0]]
    assert later.sessions[1].late_after > plans[day][rooms[0]].sessions[1].late_after

"""A database with a school of three homerooms, a term and a timetable."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.calendar.sessions import SessionHours, change_hours
from card_server.calendar.timetables import TimetableSettings, add_timetable
from card_server.storage.database import open_engine, open_sessions
from schema.tables.calendar import DayPart
from schema.tables.school import School, Term
from tests.card_server.people.people_school import PeopleSchool, make_people_school

TODAY = date(2025, 9, 24)
NOW = datetime(2025, 9, 24, 3, tzinfo=UTC)
HOURS = (
    SessionHours("上午", DayPart.MORNING, 390, 460, 500, 700, 700),
    SessionHours("下午", DayPart.AFTERNOON, 780, 830, 860, 1000, 1000),
)


@dataclass
class DatedSchool:
    """A school's ids."""

    id: int
    homerooms: list[int]
    timetable: int


@pytest.fixture
def calendar_engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def opened(calendar_engine: Engine) -> Iterator[Session]:
    with open_sessions(calendar_engine).begin() as session:
        yield session


@pytest.fixture
def dated(opened: Session) -> DatedSchool:
    return date_school(opened, make_people_school(opened))


def date_school(session: Session, school: PeopleSchool) -> DatedSchool:
    """Give a school the autumn of 2025 and the same hours on each weekday."""
    session.add(
        Term(
            school_id=school.id,
            school_year=2025,
            name="第一学期",
            starts_on=date(2025, 9, 1),
            ends_on=date(2026, 1, 23),
        )
    )
    session.flush()
    wanted = TimetableSettings("秋季", date(2025, 9, 1))
    row = add_timetable(session, SYSTEM, school.id, wanted, NOW)
    change_hours(session, SYSTEM, school.id, row.id, range(1, 6), HOURS, NOW)
    return DatedSchool(school.id, school.homerooms, row.id)


def version_of(session: Session, school_id: int) -> int:
    """What caches compare."""
    school = session.get_one(School, school_id, populate_existing=True)
    return school.register_version

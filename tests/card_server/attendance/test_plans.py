"""Which days' plans are kept, and that a morning's taps ask for them once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from card_server.attendance.plans import PlanKey, Plans, SchoolDays, kept_plans, read_school
from card_server.storage.database import open_engine
from schema.tables.attendance import DayPlanRow
from schema.tables.school import Homeroom
from tests.harness.campus import make_campus

TODAY, LAST_YEAR = date(2026, 3, 2), date(2025, 3, 3)
NOW = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = open_engine(database_url)
    with Session(engine) as session:
        make_campus(session, "s1", students=120, first_id=1)
        make_campus(session, "s2", students=120, first_id=1001)
        past = Homeroom(school_id=1, grade=9, name="九(1)班", is_past=True)
        session.add(past)
        session.commit()
        yield session
    engine.dispose()


def test_the_first_tap_of_today_keeps_the_plans_of_the_whole_school(session: Session) -> None:
    one, *others = _rooms(session, school_id=1)
    assert others
    assert {*_ask(session, TODAY, one)} == {PlanKey(1, TODAY, one)}
    kept = session.execute(select(DayPlanRow.school_id, DayPlanRow.day, DayPlanRow.homeroom_id))
    assert {tuple(row) for row in kept} == {(1, TODAY, room) for room in (one, *others)}


def test_who_comes_from_another_homeroom_asks_nothing_more(session: Session) -> None:
    one, *others = _rooms(session, school_id=1)
    _ask(session, TODAY, one)
    with _statements(session) as asked:
        for room in others:
            assert {*_ask(session, TODAY, room)} == {PlanKey(1, TODAY, room)}
    assert asked == []


def test_a_tap_of_a_day_that_is_over_keeps_its_own_homerooms_plan_alone(session: Session) -> None:
    one = _rooms(session, school_id=1)[0]
    _ask(session, LAST_YEAR, one)
    kept = session.execute(select(DayPlanRow.day, DayPlanRow.homeroom_id))
    assert [tuple(row) for row in kept] == [(LAST_YEAR, one)]


def _ask(session: Session, day: date, room: int) -> Plans:
    return kept_plans(session, _school(session), [PlanKey(1, day, room)], NOW)


def _school(session: Session) -> dict[int, SchoolDays]:
    known: dict[int, SchoolDays] = session.info.setdefault("schools", {})
    if not known:
        known[1] = read_school(session, 1)
    return known


def _rooms(session: Session, school_id: int) -> list[int]:
    wanted = select(Homeroom.id).where(Homeroom.school_id == school_id, Homeroom.is_past.is_(False))
    return list(session.scalars(wanted.order_by(Homeroom.id)))


@contextmanager
def _statements(session: Session) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)

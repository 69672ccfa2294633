"""Passages without a card: the guard's word counts for the day, and can be taken back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from card_server.attendance.hand_passages import list_passages, passings_of
from card_server.attendance.noting_passages import (
    AtGate,
    PassageWish,
    read_passage,
    record_passage,
    take_back,
)
from card_server.audit.writing import Actor
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from schema.tables.attendance import Attendance
from schema.tables.people import Student
from schema.tables.readers import Direction
from tests.card_server.leave.leave_school import MONDAY, NOW, set_hours
from tests.card_server.people.conftest import campus, people, people_engine
from tests.card_server.people.people_school import ZONE, PeopleSchool, enrol

__all__ = ["campus", "people", "people_engine"]
DAY = timedelta(days=1)
IN = PassageWish(Direction.IN, datetime(2026, 11, 22, 23, 50, tzinfo=UTC), "忘带卡")
"""Ten to eight in the morning."""


@pytest.fixture
def pupil(people: Session, campus: PeopleSchool) -> Student:
    set_hours(people, campus.id)
    return enrol(people, campus)


def _guard(pupil: Student, staff_id: int = 3) -> AtGate:
    return AtGate(Actor("staff", staff_id, "门卫", ""), staff_id, pupil.school_id, ZONE, NOW)


def _arrived(people: Session, pupil: Student) -> datetime | None:
    people.expire_all()
    row = people.get(Attendance, (pupil.school_id, MONDAY, pupil.id))
    return row.arrived_at if row else None


def test_who_is_let_in_has_arrived_until_it_is_taken_back(people: Session, pupil: Student) -> None:
    guard = _guard(pupil)
    row = record_passage(people, guard, pupil.id, IN)
    assert _arrived(people, pupil) == IN.at
    [passing] = passings_of(people, pupil.school_id, [pupil.id], NOW - DAY, NOW)[pupil.id]
    assert (passing.id, passing.at, passing.reader_id, passing.fixed) == (
        None,
        IN.at,
        0,
        Direction.IN,
    )
    take_back(people, guard, row.id)
    assert _arrived(people, pupil) is None
    assert passings_of(people, pupil.school_id, [pupil.id], NOW - DAY, NOW) == {}
    [line] = list_passages(people, pupil.school_id, NOW - DAY, 10)
    assert (line.made_by, line.ended_by, line.ended_at) == ("门卫", "门卫", NOW)


def test_another_guard_cannot_take_it_back_and_the_school_can(
    people: Session, pupil: Student
) -> None:
    row = record_passage(people, _guard(pupil), pupil.id, IN)
    other = _guard(pupil, 4)
    with pytest.raises(AppError) as caught:
        take_back(people, other, row.id)
    assert caught.value.code is Code.NOT_ALLOWED
    take_back(people, replace(other, is_school=True), row.id)
    with pytest.raises(AppError) as caught:
        take_back(people, _guard(pupil), row.id)
    assert caught.value.code is Code.CONFLICT


def test_a_thumb_that_presses_twice_writes_one_passage(people: Session, pupil: Student) -> None:
    guard = _guard(pupil)
    record_passage(people, guard, pupil.id, IN)
    with pytest.raises(AppError) as caught:
        record_passage(people, guard, pupil.id, IN)
    assert caught.value.code is Code.CONFLICT
    out = PassageWish(Direction.OUT, IN.at, "忘带卡")
    assert record_passage(people, guard, pupil.id, out)


@pytest.mark.parametrize("ago", [timedelta(minutes=-2), timedelta(hours=25)])
def test_not_before_it_happens_nor_a_day_later(
    people: Session, pupil: Student, ago: timedelta
) -> None:
    wish = PassageWish(Direction.IN, NOW - ago, "忘带卡")
    with pytest.raises(FieldsError):
        record_passage(people, _guard(pupil), pupil.id, wish)


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("", NOW),
        ("07:50", IN.at),
        ("23:50", datetime(2026, 11, 22, 15, 50, tzinfo=UTC)),
    ],
)
def test_an_hour_is_the_last_one_of_that_name(typed: str, at: datetime) -> None:
    form = {"direction": "in", "reason": "忘带卡", "at": typed}
    assert read_passage(form, ZONE, NOW).at == at


@pytest.mark.parametrize(
    ("name", "typed"), [("at", "8 o'clock"), ("direction", "up"), ("reason", "")]
)
def test_what_cannot_be_is_refused(name: str, typed: str) -> None:
    form = {"direction": "in", "reason": "忘带卡", name: typed}
    with pytest.raises(FieldsError) as caught:
        read_passage(form, ZONE, NOW)
    assert name in caught.value.fields

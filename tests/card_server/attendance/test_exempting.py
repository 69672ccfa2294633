"""Exemptions: nothing is expected in their days, and they never lie over each other."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from card_server.attendance.exempting import end_exemption, exempt, read_exempt_time
from card_server.attendance.exemptions import exempt_on, list_exemptions
from card_server.audit.writing import SYSTEM
from card_server.field_errors import FieldsError
from schema.tables.attendance import Exemption
from schema.tables.people import Student
from tests.card_server.leave.leave_school import MONDAY, NOW, set_hours
from tests.card_server.people.conftest import campus, people, people_engine
from tests.card_server.people.people_school import ZONE, PeopleSchool, enrol

__all__ = ["campus", "people", "people_engine"]


@pytest.fixture
def pupil(people: Session, campus: PeopleSchool) -> Student:
    set_hours(people, campus.id)
    return enrol(people, campus)


def _exempt(people: Session, pupil: Student, first: str, last: str = "") -> Exemption:
    wanted = read_exempt_time({"from_on": first, "last_on": last, "reason": "走训"})
    return exempt(people, SYSTEM, pupil.school_id, pupil.id, wanted, NOW, ZONE)


def _days(people: Session, pupil: Student) -> list[int]:
    first, last = date(2026, 11, 20), date(2026, 11, 30)
    found = exempt_on(people, pupil.school_id, [pupil.id], first, last)
    return sorted(day.day for _student, day in found)


def test_its_days_are_those_of_both_ends(people: Session, pupil: Student) -> None:
    _exempt(people, pupil, "2026-11-23", "2026-11-25")
    assert _days(people, pupil) == [23, 24, 25]


def test_one_without_an_end_lasts(people: Session, pupil: Student) -> None:
    row = _exempt(people, pupil, "2026-11-28")
    assert _days(people, pupil) == [28, 29, 30]
    end_exemption(people, SYSTEM, pupil.school_id, row.id, date(2026, 11, 30), NOW, ZONE)
    assert _days(people, pupil) == [28, 29]
    with pytest.raises(FieldsError):
        end_exemption(people, SYSTEM, pupil.school_id, row.id, date(2026, 11, 30), NOW, ZONE)


def test_one_that_ends_before_it_began_never_was(people: Session, pupil: Student) -> None:
    row = _exempt(people, pupil, "2026-11-23")
    end_exemption(people, SYSTEM, pupil.school_id, row.id, MONDAY, NOW, ZONE)
    assert list_exemptions(people, pupil.school_id, pupil.id) == []


@pytest.mark.parametrize(
    ("first", "last"), [("2026-11-25", ""), ("2026-11-20", "2026-11-23"), ("2026-11-24", "")]
)
def test_two_never_lie_over_each_other(
    people: Session, pupil: Student, first: str, last: str
) -> None:
    _exempt(people, pupil, "2026-11-23", "2026-11-25")
    with pytest.raises(FieldsError):
        _exempt(people, pupil, first, last)
    assert _exempt(people, pupil, "2026-11-26")
    assert _exempt(people, pupil, "2026-11-20", "2026-11-22")


@pytest.mark.parametrize(
    ("first", "last"), [("", ""), ("2026-11-23", "2026-11-22"), ("2025-01-01", "")]
)
def test_days_that_cannot_be_are_refused(
    people: Session, pupil: Student, first: str, last: str
) -> None:
    with pytest.raises(FieldsError):
        _exempt(people, pupil, first, last)

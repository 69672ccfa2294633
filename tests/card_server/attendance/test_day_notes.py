"""Notes beside a day: who writes and takes them back; no day is judged by one."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.attendance.correcting import Doing, Mark, correct
from card_server.attendance.day_notes import (
    MAX_NOTE,
    find_day_note,
    list_day_notes,
    note_day,
    read_note,
    take_note_back,
)
from card_server.audit.writing import write_waiting
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from schema.tables.attendance import Attendance, Correction, SessionStatus
from schema.tables.audit import AuditEntry
from schema.tables.people import Student
from tests.card_server.leave.leave_school import HEAD, MONDAY, NOW, TEACHER, set_hours
from tests.card_server.people.conftest import campus, people, people_engine
from tests.card_server.people.people_school import ZONE, PeopleSchool, enrol

__all__ = ["campus", "people", "people_engine"]
CALLED = "已联系家长，十点到校"


@pytest.fixture
def pupil(people: Session, campus: PeopleSchool) -> Student:
    set_hours(people, campus.id)
    return enrol(people, campus, "20260101", 0)


def _teacher(school_id: int) -> Doing:
    return Doing(TEACHER, school_id, ZONE, NOW, staff_id=7)


def _head(school_id: int) -> Doing:
    return Doing(HEAD, school_id, ZONE, NOW, is_school=True, staff_id=8)


def test_a_note_is_kept_with_who_and_when_and_judges_nothing(
    people: Session, pupil: Student
) -> None:
    row = note_day(people, _teacher(pupil.school_id), pupil.id, MONDAY, CALLED)
    assert (row.body, row.made_by, row.made_at, row.ended_at) == (CALLED, "班老师", NOW, None)
    for table in (Attendance, Correction):
        assert people.scalar(select(func.count()).select_from(table)) == 0


def test_a_note_changes_nothing_of_a_day_that_is_judged(people: Session, pupil: Student) -> None:
    doing = _teacher(pupil.school_id)
    late = Mark(1, SessionStatus.LATE, None, "第一节才来", 12)
    correct(people, doing, pupil.id, MONDAY, late)
    key = (pupil.school_id, MONDAY, pupil.id)
    before = people.get_one(Attendance, key).sessions
    row = note_day(people, doing, pupil.id, MONDAY, CALLED)
    take_note_back(people, doing, row.id)
    people.expire_all()
    assert people.get_one(Attendance, key).sessions == before


def test_notes_of_a_day_are_listed_the_newest_first_with_those_taken_back(
    people: Session, pupil: Student
) -> None:
    doing = _teacher(pupil.school_id)
    first = note_day(people, doing, pupil.id, MONDAY, CALLED)
    second = note_day(people, doing, pupil.id, MONDAY, "已到校")
    take_note_back(people, doing, first.id)
    found = list_day_notes(people, pupil.school_id, [pupil.id], MONDAY, MONDAY)
    notes = found[pupil.id, MONDAY]
    assert [(one.id, one.ended_by) for one in notes] == [(second.id, ""), (first.id, "班老师")]
    friday = MONDAY - timedelta(days=3)
    assert list_day_notes(people, pupil.school_id, [pupil.id], friday, friday) == {}


def test_a_note_is_taken_back_once_by_its_author_or_an_administrator(
    people: Session, pupil: Student
) -> None:
    teacher, head = _teacher(pupil.school_id), _head(pupil.school_id)
    one, other = (note_day(people, teacher, pupil.id, MONDAY, CALLED) for _ in range(2))
    for colleague in (replace(teacher, staff_id=9), replace(teacher, staff_id=None)):
        with pytest.raises(AppError) as caught:
            take_note_back(people, colleague, one.id)
        assert caught.value.code is Code.NOT_ALLOWED
    take_note_back(people, teacher, one.id)
    take_note_back(people, head, other.id)
    assert find_day_note(people, pupil.school_id, other.id).ended_by == "校长"
    for doing in (teacher, head):
        with pytest.raises(AppError) as caught:
            take_note_back(people, doing, one.id)
        assert caught.value.code is Code.CONFLICT


def test_days_are_noted_as_far_back_as_they_are_corrected(people: Session, pupil: Student) -> None:
    teacher, head = _teacher(pupil.school_id), _head(pupil.school_id)
    for doing in (teacher, head):
        with pytest.raises(FieldsError):
            note_day(people, doing, pupil.id, MONDAY + timedelta(days=1), CALLED)
    before_term = date(2026, 8, 31)
    with pytest.raises(FieldsError):
        note_day(people, teacher, pupil.id, before_term, CALLED)
    assert note_day(people, head, pupil.id, before_term, CALLED)


def test_a_note_of_last_term_can_still_be_taken_back(people: Session, pupil: Student) -> None:
    teacher = _teacher(pupil.school_id)
    row = note_day(people, teacher, pupil.id, MONDAY, CALLED)
    next_term = replace(teacher, now=NOW + timedelta(days=365))
    assert take_note_back(people, next_term, row.id).ended_at == next_term.now


@pytest.mark.parametrize("typed", ["", "  ", "字" * (MAX_NOTE + 1)])
def test_nothing_and_too_much_are_refused(typed: str) -> None:
    with pytest.raises(FieldsError) as caught:
        read_note(typed)
    assert "body" in caught.value.fields


def test_a_note_may_have_two_hundred_characters() -> None:
    assert read_note(f" {'字' * MAX_NOTE} ") == "字" * MAX_NOTE


def test_another_school_s_note_is_not_there(people: Session, pupil: Student) -> None:
    row = note_day(people, _teacher(pupil.school_id), pupil.id, MONDAY, CALLED)
    with pytest.raises(AppError) as caught:
        take_note_back(people, _head(pupil.school_id + 1), row.id)
    assert caught.value.code is Code.NOT_FOUND


def test_notes_stand_in_the_log(people: Session, pupil: Student) -> None:
    doing = _teacher(pupil.school_id)
    take_note_back(people, doing, note_day(people, doing, pupil.id, MONDAY, CALLED).id)
    write_waiting(people)
    found = people.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.subject == f"student:{pupil.id}", AuditEntry.action.like("%.day_note%"))
        .order_by(AuditEntry.seq)
    )
    assert list(found) == ["attendance.day_noted", "attendance.day_note_ended"]

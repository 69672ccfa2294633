"""Students: added, changed, found twice nowhere; their numbers are sealed."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.people.notes import add_note, list_notes, remove_note
from card_server.people.students import (
    add_student,
    change_student,
    find_student,
    forget_numbers,
    read_settings,
    settings_of,
)
from card_server.seen import fingerprint
from schema.tables.people import Sex, StudentNote, StudentStatus
from schema.tables.school import School
from tests.card_server.people.people_school import (
    BEGUN,
    NOW,
    SEAL,
    TODAY,
    PeopleSchool,
    enrol,
    make_people_school,
)

_WHO = {"number": "20260101", "name": "张三"}
_PAPER = "11010519491231002X"


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"number": ""}, {"number"}),
        ({"number": "学号1"}, {"number"}),
        ({"name": " \u200b"}, {"name"}),
        ({"sex": "boy"}, {"sex"}),
        ({"born_on": "1.2.2013"}, {"born_on"}),
        ({"identity": "110105194912310021"}, {"identity"}),
        ({"identity": _PAPER, "born_on": "2013-01-01"}, {"born_on"}),
        ({"identity": _PAPER, "sex": "male"}, {"sex"}),
        ({"registry": "G 12"}, {"registry"}),
    ],
)
def test_what_cannot_be_is_said_field_by_field(typed: dict[str, str], fields: set[str]) -> None:
    with pytest.raises(FieldsError) as caught:
        read_settings(_WHO | typed)
    assert set(caught.value.fields) == fields


def test_a_student_has_pinyin_a_homeroom_and_sealed_numbers(
    people: Session, campus: PeopleSchool
) -> None:
    made = enrol(
        people, campus, " ２０２６０１０１", name="曾三", identity=_PAPER, registry=f"G{_PAPER}"
    )
    assert (made.number, made.name) == ("20260101", "曾三")
    assert made.pinyin == "zeng san zengsan zs"
    assert (made.status, made.status_since) == (StudentStatus.ENROLLED, BEGUN)
    assert (made.sex, made.born_on) == (Sex.FEMALE, date(1949, 12, 31))
    assert made.identity_sealed
    assert SEAL.open(made.identity_sealed) == _PAPER
    assert made.registry_sealed
    assert SEAL.open(made.registry_sealed) == f"G{_PAPER}"
    assert made.identity_tail == "002X"
    assert _PAPER not in repr(settings_of(made))


def test_a_number_is_one_students(people: Session, campus: PeopleSchool) -> None:
    enrol(people, campus, identity=_PAPER)
    with pytest.raises(FieldsError) as caught:
        enrol(people, campus, name="李四")
    assert (set(caught.value.fields), caught.value.code) == ({"number"}, Code.CONFLICT)
    with pytest.raises(FieldsError) as caught:
        enrol(people, campus, "20260102", name="李四", identity=_PAPER)
    assert set(caught.value.fields) == {"identity"}
    other = make_people_school(people, "no2")
    assert enrol(people, other, identity=_PAPER).number == "20260101"


def test_nobody_comes_in_the_future_or_into_a_homeroom_elsewhere(
    people: Session, campus: PeopleSchool
) -> None:
    wanted = read_settings(_WHO)
    tomorrow = TODAY + timedelta(days=1)
    with pytest.raises(FieldsError, match="not come yet"):
        add_student(people, SYSTEM, campus.id, wanted, campus.homerooms[0], tomorrow, TODAY, SEAL)
    other = make_people_school(people, "no2")
    with pytest.raises(FieldsError, match="no such homeroom"):
        add_student(people, SYSTEM, campus.id, wanted, other.homerooms[0], TODAY, TODAY, SEAL)


def test_a_student_is_changed_and_the_caches_hear_of_it(
    people: Session, campus: PeopleSchool
) -> None:
    student = enrol(people, campus, identity=_PAPER)
    before = _version(people, campus)
    seen = fingerprint(settings_of(student))
    wanted = read_settings(_WHO | {"name": "张叁", "sex": "female", "born_on": "1949-12-31"})
    assert change_student(people, SYSTEM, campus.id, student.id, wanted, SEAL, seen)
    assert (student.name, student.pinyin) == ("张叁", "zhang san zhangsan zs")
    assert student.identity_tail == "002X", "a number that is not typed again stays"
    assert not change_student(people, SYSTEM, campus.id, student.id, wanted, SEAL)
    assert _version(people, campus) > before
    with pytest.raises(AppError) as caught:
        change_student(people, SYSTEM, campus.id, student.id, wanted, SEAL, seen)
    assert caught.value.code is Code.CONFLICT


def _version(people: Session, campus: PeopleSchool) -> int:
    people.flush()
    version = people.scalar(select(School.register_version).where(School.id == campus.id))
    assert version is not None
    return version


def test_numbers_are_forgotten(people: Session, campus: PeopleSchool) -> None:
    student = enrol(people, campus, identity=_PAPER, registry=f"G{_PAPER}")
    forget_numbers(people, SYSTEM, campus.id, student.id, "asked by the parents")
    kept = (student.identity_sealed, student.identity_hash, student.registry_sealed)
    assert kept == (None, None, None)
    assert (student.identity_tail, student.registry_tail) == ("", "")


def test_another_schools_student_is_not_there(people: Session, campus: PeopleSchool) -> None:
    other = make_people_school(people, "no2")
    student = enrol(people, other)
    with pytest.raises(AppError) as caught:
        find_student(people, campus.id, student.id)
    assert caught.value.code is Code.NOT_FOUND
    with pytest.raises(AppError):
        add_note(people, SYSTEM, campus.id, student.id, "x", NOW)


def test_notes_stand_newest_first_and_can_be_taken_away(
    people: Session, campus: PeopleSchool
) -> None:
    student = enrol(people, campus)
    first = add_note(people, SYSTEM, campus.id, student.id, "对花生过敏\n\n请注意\u202e", NOW)
    assert first.body == "对花生过敏\n\n请注意"
    add_note(people, SYSTEM, campus.id, student.id, "周三由奶奶接", NOW)
    found = [one.body for one in list_notes(people, campus.id, student.id)]
    assert found == ["周三由奶奶接", "对花生过敏\n\n请注意"]
    remove_note(people, SYSTEM, campus.id, student.id, first.id)
    assert len(people.scalars(select(StudentNote)).all()) == 1
    for typed in (" \n ", "长" * 1001):
        with pytest.raises(FieldsError):
            add_note(people, SYSTEM, campus.id, student.id, typed, NOW)

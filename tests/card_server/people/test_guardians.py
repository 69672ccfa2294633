"""Guardians: one row for siblings, sealed phones, messages to mobiles alone."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.messages.wishes import Wishes, change_wishes, vouch_for_number, wishes_of
from card_server.people.guardians import (
    add_guardian,
    change_guardian,
    find_guardian,
    link_guardian,
    open_phones,
    read_guardian,
    read_tie,
    remove_further,
    shown_of,
    unlink_guardian,
)
from card_server.seen import fingerprint
from schema.tables.people import Guardian, GuardianPhone, Guardianship, Language, Student
from schema.tables.school import School
from tests.card_server.people.people_school import (
    SEAL,
    PeopleSchool,
    enrol,
    make_people_school,
)

_CHINA = ("CN",)
_TIE = read_tie({"relation": "母亲", "is_told": "1"})
_SILENT = read_tie({"relation": "祖父"})


def _add(
    people: Session, student: Student, name: str = "李芳", phone: str = "13800138000", **more: str
) -> Guardian:
    typed = {"name": name, "phone": phone, **more}
    wanted = read_guardian(typed, _CHINA)
    tie = _TIE if wanted.phone else _SILENT
    return add_guardian(people, SYSTEM, student.school_id, student.id, wanted, tie, SEAL)


def _wishes(people: Session, student: Student, guardian: Guardian, *, is_told: bool) -> Wishes:
    link = people.get_one(Guardianship, (student.id, guardian.id))
    return replace(wishes_of(link), is_told=is_told)


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"name": ""}, {"name"}),
        ({"phone": "123"}, {"phone"}),
        ({"phone": "+85251234567"}, {"phone"}),
        ({"further": "010-62345678、xyz"}, {"further"}),
        ({"further": "、".join(["13800138000"] * 6)}, {"further"}),
        ({"language": "fr"}, {"language"}),
    ],
)
def test_what_cannot_be_is_said_field_by_field(typed: dict[str, str], fields: set[str]) -> None:
    with pytest.raises(FieldsError) as caught:
        read_guardian({"name": "李芳"} | typed, _CHINA)
    assert set(caught.value.fields) == fields


@pytest.mark.parametrize("typed", [{"relation": ""}, {"relation": "父", "priority": "0"}])
def test_a_tie_has_a_relation_and_a_place(typed: dict[str, str]) -> None:
    with pytest.raises(FieldsError):
        read_tie(typed)


def test_a_phone_is_sealed_and_found(people: Session, campus: PeopleSchool) -> None:
    guardian = _add(people, enrol(people, campus), phone="１３８ 0013 8000")
    assert SEAL.open(guardian.phone_sealed) == "+8613800138000"
    assert guardian.phone_hash == SEAL.hash("+8613800138000")
    assert guardian.phone_tail == "8000"


def test_a_guardian_of_two_siblings_is_one_row(people: Session, campus: PeopleSchool) -> None:
    older, younger = enrol(people, campus), enrol(people, campus, "20260102", name="张四")
    first, again = _add(people, older), _add(people, younger, phone="+86 138 0013 8000")
    assert first.id == again.id
    assert people.scalar(select(func.count()).select_from(Guardian)) == 1
    other_name = _add(people, younger, name="张伟")
    assert other_name.id != first.id, "a couple may share a phone"
    with pytest.raises(FieldsError, match="already"):
        _add(people, older)


def test_a_guardian_of_another_school_is_another_one(people: Session, campus: PeopleSchool) -> None:
    other = make_people_school(people, "no2")
    here, there = enrol(people, campus), enrol(people, other)
    guardian = _add(people, here)
    assert _add(people, there).id != guardian.id
    with pytest.raises(AppError) as caught:
        link_guardian(people, SYSTEM, other.id, there.id, guardian.id, _TIE)
    assert caught.value.code is Code.NOT_FOUND


def test_a_landline_is_for_calls_alone(people: Session, campus: PeopleSchool) -> None:
    student = enrol(people, campus)
    guardian = _add(people, student, phone="010-62345678")
    assert guardian.phone_tail == ""
    assert SEAL.open(guardian.phone_sealed) == ""
    assert open_phones(people, campus.id, student.id, guardian.id, SEAL) == ["+861062345678"]
    wanted = _wishes(people, student, guardian, is_told=True)
    with pytest.raises(FieldsError) as caught:
        change_wishes(people, SYSTEM, campus.id, student.id, guardian.id, wanted)
    assert set(caught.value.fields) == {"is_told"}
    younger = enrol(people, campus, "20260102")
    assert _add(people, younger, phone="(010) 6234 5678").id == guardian.id


def test_somebody_without_any_number_is_no_help(people: Session, campus: PeopleSchool) -> None:
    student = enrol(people, campus)
    with pytest.raises(FieldsError) as caught:
        _add(people, student, phone="")
    assert set(caught.value.fields) == {"phone"}


def test_a_phone_is_changed_and_others_are_added(people: Session, campus: PeopleSchool) -> None:
    student = enrol(people, campus)
    guardian = _add(people, student)
    version = people.scalar(select(School.register_version).where(School.id == campus.id)) or 0
    seen = fingerprint(shown_of(*find_guardian(people, campus.id, student.id, guardian.id)))
    typed = {"name": "李芳芳", "phone": "139 0013 9000", "further": "010-62345678；13800138000"}

    def change(seen: str | None) -> bool:
        wanted = read_guardian(typed, _CHINA)
        return change_guardian(
            people, SYSTEM, campus.id, student.id, guardian.id, wanted, _TIE, SEAL, seen
        )

    vouch_for_number(people, SYSTEM, campus.id, guardian.id, "家访")
    assert change(seen)
    assert guardian.verified_at is None, "nobody knows whose the new number is"
    assert guardian.phone_since is not None
    opened = open_phones(people, campus.id, student.id, guardian.id, SEAL)
    assert opened == ["+8613900139000", "+861062345678", "+8613800138000"]
    later = people.scalar(select(School.register_version).where(School.id == campus.id)) or 0
    assert later > version
    assert not change(None), "the same again changes nothing"
    with pytest.raises(AppError) as caught:
        change(seen)
    assert caught.value.code is Code.CONFLICT
    landline = people.scalars(select(GuardianPhone).order_by(GuardianPhone.id)).first()
    assert landline
    remove_further(people, SYSTEM, campus.id, student.id, guardian.id, landline.id)
    assert len(open_phones(people, campus.id, student.id, guardian.id, SEAL)) == 2


def test_wishes_are_changed_for_one_child(people: Session, campus: PeopleSchool) -> None:
    older, younger = enrol(people, campus), enrol(people, campus, "20260102")
    guardian = _add(people, older)
    _add(people, younger)
    wanted = _wishes(people, older, guardian, is_told=False)
    ids = (campus.id, older.id, guardian.id)
    change_wishes(people, SYSTEM, *ids, wanted, language=Language.ENGLISH)
    told = {one.student_id: one.is_told for one in people.scalars(select(Guardianship))}
    assert told == {older.id: False, younger.id: True}
    assert guardian.language is Language.ENGLISH


def test_who_is_unlinked_stays_for_the_sibling(people: Session, campus: PeopleSchool) -> None:
    older, younger = enrol(people, campus), enrol(people, campus, "20260102")
    guardian = _add(people, older)
    link_guardian(people, SYSTEM, campus.id, younger.id, guardian.id, _TIE)
    unlink_guardian(people, SYSTEM, campus.id, older.id, guardian.id)
    with pytest.raises(AppError):
        find_guardian(people, campus.id, older.id, guardian.id)
    assert find_guardian(people, campus.id, younger.id, guardian.id)[0] is guardian

"""Terms do not run into each other, and each day has its school year."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.register.campuses import (
    add_campus,
    find_campus,
    list_campuses,
    remove_campus,
    rename_campus,
)
from card_server.register.homerooms import HomeroomSettings, add_homeroom, list_homerooms
from card_server.register.terms import (
    TermSettings,
    add_term,
    change_term,
    find_term,
    list_terms,
    read_settings,
    remove_term,
    school_year_of,
    settings_of,
    term_of,
    year_in_use,
)
from card_server.seen import fingerprint
from schema.tables.school import Homeroom, Term
from tests.card_server.people.people_school import NOW, PeopleSchool, make_people_school

_AUTUMN = TermSettings(2026, "第一学期", date(2026, 9, 1), date(2027, 1, 22))
_SPRING = TermSettings(2026, "第二学期", date(2027, 2, 22), date(2027, 7, 9))
_TYPED = {
    "school_year": "2026",
    "name": "第一学期",
    "starts_on": "2026-09-01",
    "ends_on": "2027-01-22",
}


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"school_year": "26"}, {"school_year"}),
        ({"school_year": "2024"}, {"school_year"}),
        ({"name": ""}, {"name"}),
        ({"starts_on": "1/9/2026"}, {"starts_on"}),
        ({"ends_on": "2026-08-31"}, {"ends_on"}),
        ({"ends_on": "2028-08-31"}, {"ends_on"}),
    ],
)
def test_what_cannot_be_is_said_field_by_field(typed: dict[str, str], fields: set[str]) -> None:
    with pytest.raises(FieldsError) as caught:
        read_settings(_TYPED | typed)
    assert set(caught.value.fields) == fields


def test_terms_are_added_changed_and_removed(people: Session, campus: PeopleSchool) -> None:
    assert read_settings(_TYPED) == _AUTUMN
    term = add_term(people, SYSTEM, campus.id, _AUTUMN, NOW)
    add_term(people, SYSTEM, campus.id, _SPRING, NOW)
    assert [one.name for one in list_terms(people, campus.id)] == ["第二学期", "第一学期"]
    seen = fingerprint(vars(settings_of(term)))
    later = TermSettings(2026, "第一学期", date(2026, 9, 2), date(2027, 1, 22))
    assert change_term(people, SYSTEM, campus.id, term.id, later, NOW, seen)
    assert not change_term(people, SYSTEM, campus.id, term.id, later, NOW)
    with pytest.raises(AppError) as caught:
        change_term(people, SYSTEM, campus.id, term.id, _AUTUMN, NOW, seen)
    assert caught.value.code is Code.CONFLICT
    remove_term(people, SYSTEM, campus.id, term.id, NOW)
    assert [one.name for one in list_terms(people, campus.id)] == ["第二学期"]


def test_a_day_belongs_to_one_term(people: Session, campus: PeopleSchool) -> None:
    add_term(people, SYSTEM, campus.id, _AUTUMN, NOW)
    spring = add_term(people, SYSTEM, campus.id, _SPRING, NOW)
    into = TermSettings(2026, "短学期", date(2027, 1, 22), date(2027, 2, 1))
    with pytest.raises(FieldsError, match="another term"):
        add_term(people, SYSTEM, campus.id, into, NOW)
    moved = TermSettings(2026, "第二学期", date(2027, 1, 20), date(2027, 7, 9))
    with pytest.raises(FieldsError, match="another term"):
        change_term(people, SYSTEM, campus.id, spring.id, moved, NOW)
    other = make_people_school(people, "no2")
    add_term(people, SYSTEM, other.id, into, NOW)
    with pytest.raises(AppError):
        find_term(people, other.id, spring.id)


@pytest.mark.parametrize(
    ("day", "term", "year"),
    [
        (date(2026, 8, 31), None, 2026),
        (date(2026, 7, 31), None, 2025),
        (date(2026, 9, 1), "第一学期", 2026),
        (date(2027, 1, 22), "第一学期", 2026),
        (date(2027, 2, 1), None, 2026),
        (date(2027, 7, 9), "第二学期", 2026),
        (date(2027, 7, 31), None, 2026),
        (date(2027, 8, 15), None, 2027),
        (date(2029, 3, 1), None, 2028),
    ],
)
def test_each_day_has_its_term_and_its_school_year(day: date, term: str | None, year: int) -> None:
    terms = [
        Term(
            school_id=1,
            school_year=one.school_year,
            name=one.name,
            starts_on=one.starts_on,
            ends_on=one.ends_on,
        )
        for one in (_AUTUMN, _SPRING)
    ]
    found = term_of(terms, day)
    assert (found and found.name) == term
    assert school_year_of(terms, day) == year


def test_the_year_in_use_is_that_of_the_homerooms(people: Session, campus: PeopleSchool) -> None:
    assert year_in_use(people, campus.id, date(2030, 1, 1)) == 2026
    for room in campus.homerooms:
        people.get_one(Homeroom, room).is_past = True
    people.flush()
    assert year_in_use(people, campus.id, date(2030, 1, 1)) == 2029
    assert list_homerooms(people, campus.id) == []


def test_campuses_are_named_once_and_stay_while_homerooms_are_theirs(
    people: Session, campus: PeopleSchool
) -> None:
    east = add_campus(people, SYSTEM, campus.id, "东校区")
    with pytest.raises(FieldsError):
        add_campus(people, SYSTEM, campus.id, "东校区")
    assert rename_campus(people, SYSTEM, campus.id, east.id, "本部")
    room = add_homeroom(people, SYSTEM, campus.id, HomeroomSettings(8, "初二(1)班", east.id))
    assert room.school_year == 2026
    assert [(one.name, one.homerooms) for one in list_campuses(people, campus.id)] == [("本部", 1)]
    with pytest.raises(AppError, match="homerooms of this campus"):
        remove_campus(people, SYSTEM, campus.id, east.id)
    other = make_people_school(people, "no2")
    with pytest.raises(AppError):
        find_campus(people, other.id, east.id)
    with pytest.raises(FieldsError, match="no such campus"):
        add_homeroom(people, SYSTEM, other.id, HomeroomSettings(8, "初二(1)班", east.id))
    west = add_campus(people, SYSTEM, campus.id, "西校区")
    remove_campus(people, SYSTEM, campus.id, west.id)

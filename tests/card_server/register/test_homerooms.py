"""Homerooms: named once in a school, counted, renamed with a note."""

from collections.abc import Iterator
from dataclasses import asdict

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.register.homerooms import (
    HomeroomSettings,
    add_homeroom,
    change_homeroom,
    list_homerooms,
    read_settings,
    settings_of,
)
from card_server.seen import fingerprint
from schema.tables.people import Student
from schema.tables.school import School


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        opened.add_all(School(id=n, code=f"no{n}", name="校", signature="校") for n in (1, 2))
        opened.flush()
        yield opened


@pytest.mark.parametrize(
    ("grade", "name", "fields"),
    [
        ("0", "一班", {"grade"}),
        ("13", "一班", {"grade"}),
        ("", "一班", {"grade"}),
        ("1", "", {"name"}),
        ("1", "班" * 41, {"name"}),
        ("x", " ", {"grade", "name"}),
    ],
)
def test_what_cannot_be_is_said_field_by_field(grade: str, name: str, fields: set[str]) -> None:
    with pytest.raises(FieldsError) as caught:
        read_settings({"grade": grade, "name": name})
    assert set(caught.value.fields) == fields


def test_homerooms_stand_by_grade_with_their_students(session: Session) -> None:
    second = add_homeroom(session, SYSTEM, 1, HomeroomSettings(2, "初二(1)班"))
    add_homeroom(session, SYSTEM, 1, HomeroomSettings(1, "初一(1)班"))
    add_homeroom(session, SYSTEM, 2, HomeroomSettings(1, "初一(1)班"))
    session.add(Student(school_id=1, number="1", name="张三", homeroom_id=second.id))
    session.flush()
    found = [(one.name, one.students) for one in list_homerooms(session, 1)]
    assert found == [("初一(1)班", 0), ("初二(1)班", 1)]


def test_a_name_is_used_once_in_a_school(session: Session) -> None:
    add_homeroom(session, SYSTEM, 1, HomeroomSettings(1, "一班"))
    other = add_homeroom(session, SYSTEM, 1, HomeroomSettings(1, "二班"))
    for again in (
        lambda: add_homeroom(session, SYSTEM, 1, HomeroomSettings(1, "一班")),
        lambda: change_homeroom(session, SYSTEM, 1, other.id, HomeroomSettings(1, "一班")),
    ):
        with pytest.raises(FieldsError, match="already"):
            again()
    session.expire_all()
    assert [one.name for one in list_homerooms(session, 1)] == ["一班", "二班"]


def test_a_homeroom_is_changed_as_it_was_seen_and_by_its_own_school(session: Session) -> None:
    room = add_homeroom(session, SYSTEM, 1, HomeroomSettings(1, "一班"))
    seen, wanted = fingerprint(asdict(settings_of(room))), HomeroomSettings(2, "二班")
    with pytest.raises(AppError) as missing:
        change_homeroom(session, SYSTEM, 2, room.id, wanted)
    assert missing.value.code is Code.NOT_FOUND
    assert change_homeroom(session, SYSTEM, 1, room.id, wanted, seen)
    with pytest.raises(AppError) as changed:
        change_homeroom(session, SYSTEM, 1, room.id, HomeroomSettings(3, "三班"), seen)
    assert changed.value.code is Code.CONFLICT
    assert settings_of(room) == wanted

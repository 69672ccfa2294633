"""Making schools and changing their rules: what is wrong is said before anything is written."""

from collections.abc import Iterator
from dataclasses import asdict

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.register.schools import (
    add_school,
    change_school,
    find_school,
    read_settings,
    settings_of,
)
from card_server.seen import fingerprint
from schema.tables.audit import AuditEntry
from schema.tables.school import School

BY = SYSTEM
_TYPED = {
    "name": "实验中学",
    "signature": "实验",
    "zone": "Asia/Urumqi",
    "late_after": "09:30",
    "double_tap_s": "90",
    "stale_minutes": "20",
}


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        school(opened)
        yield opened


def school(session: Session, **changes: str) -> School:
    values = {"code": "no1", "name": "第一中学", "signature": "一中", "zone": "Asia/Shanghai"}
    return add_school(session, BY, **values | changes)


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ({"code": "No2"}, Code.INVALID, "is no code"),
        ({"code": ""}, Code.INVALID, "is no code"),
        ({"code": "-a"}, Code.INVALID, "is no code"),
        ({"code": "a" * 33}, Code.INVALID, "is no code"),
        ({"code": "no1\n"}, Code.INVALID, "is no code"),
        ({"code": "no1"}, Code.CONFLICT, "already"),
        ({"code": "b", "zone": "Mars/Base"}, Code.INVALID, "no time zone"),
        ({"code": "b", "zone": ""}, Code.INVALID, "no time zone"),
        ({"code": "b", "zone": "Asia"}, Code.INVALID, "no time zone"),
        ({"code": "b", "zone": "../../etc/passwd"}, Code.INVALID, "no time zone"),
        ({"code": "b", "name": " "}, Code.INVALID, "empty"),
        ({"code": "b", "name": "学" * 121}, Code.INVALID, "120"),
        ({"code": "b", "signature": "中" * 21}, Code.INVALID, "20"),
    ],
    ids=str,
)
def test_a_school_that_cannot_be_is_refused(
    session: Session, wrong: dict[str, str], code: Code, said: str
) -> None:
    with pytest.raises(AppError, match=said) as caught:
        school(session, **wrong)
    assert caught.value.code is code
    assert session.scalar(select(func.count()).select_from(School)) == 1


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", ""),
        ("name", "学" * 121),
        ("signature", ""),
        ("signature", "中" * 21),
        ("signature", "【一中】"),
        ("zone", "Mars/Base"),
        ("late_after", "8:00"),
        ("late_after", "24:00"),
        ("late_after", ""),
        ("double_tap_s", "-1"),
        ("double_tap_s", "3601"),
        ("double_tap_s", "1.5"),
        ("double_tap_s", "9" * 50),
        ("stale_minutes", "0"),
        ("stale_minutes", "1441"),
        ("stale_minutes", "zwei"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_alone(field: str, typed: str) -> None:
    with pytest.raises(FieldsError) as caught:
        read_settings(_TYPED | {field: typed})
    assert set(caught.value.fields) == {field}


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(FieldsError) as caught:
        read_settings({})
    assert set(caught.value.fields) == set(_TYPED)


def test_what_is_typed_is_cleaned_and_full_width_digits_are_digits() -> None:
    settings = read_settings(_TYPED | {"name": " 第一\u200b  中学\t", "double_tap_s": "３０"})
    assert (settings.name, settings.double_tap_s) == ("第一 中学", 30)


def test_a_change_is_made_once_noted_and_known_to_running_processes(session: Session) -> None:
    row = find_school(session, "no1")
    before, seen = row.register_version, fingerprint(asdict(settings_of(row)))
    wanted = read_settings(_TYPED)
    assert change_school(session, BY, row.id, wanted, seen)
    assert not change_school(session, BY, row.id, wanted)
    with pytest.raises(AppError) as caught:
        change_school(session, BY, row.id, read_settings(_TYPED | {"name": "x"}), seen)
    assert caught.value.code is Code.CONFLICT
    session.commit()
    session.refresh(row)
    assert settings_of(row) == wanted
    assert row.register_version == before + 1
    noted = session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert noted == ["school.made", "school.changed"]


def test_a_school_is_found_by_its_code(session: Session) -> None:
    assert find_school(session, "no1").name == "第一中学"


def test_where_there_are_no_schools_that_is_said(engine: Engine) -> None:
    with Session(engine) as session, pytest.raises(AppError, match="none yet"):
        find_school(session, "no1")

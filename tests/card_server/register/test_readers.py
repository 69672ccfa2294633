"""Readers: what a school decides for them, and that each school has its own."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.register.readers import (
    add_reader,
    change_reader,
    find_reader,
    read_settings,
    settings_of,
)
from card_server.register.schools import add_school
from schema.tables.audit import AuditEntry
from schema.tables.readers import ByteOrder, Direction, Purpose, Reader
from schema.tables.school import School

BY = SYSTEM
_LANE = {"name": "东门", "place": "东", "direction": "in"}


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        for code in ("no1", "no2"):
            add_school(opened, BY, code=code, name=code, signature=code, zone="Asia/Shanghai")
        yield opened


def school(session: Session, code: str = "no1") -> int:
    return session.scalars(select(School.id).where(School.code == code)).one()


def reader(session: Session, code: str = "gate", of: str = "no1", **changes: str) -> Reader:
    settings = read_settings(_LANE | changes)
    return add_reader(session, BY, school(session, of), code, settings)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", ""),
        ("name", "门" * 61),
        ("place", " "),
        ("place", "门" * 61),
        ("direction", "up"),
        ("purpose", "spaceship"),
        ("byte_order", "sideways"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_alone(field: str, typed: str) -> None:
    with pytest.raises(FieldsError) as caught:
        read_settings(_LANE | {field: typed})
    assert set(caught.value.fields) == {field}


@pytest.mark.parametrize("code", ["Gate", "", "-a", "a" * 33, "gate\n"])
def test_a_code_that_cannot_stand_in_a_certificate_is_refused(session: Session, code: str) -> None:
    with pytest.raises(FieldsError, match="is no code") as caught:
        reader(session, code)
    assert caught.value.code is Code.INVALID
    assert session.scalar(select(func.count()).select_from(Reader)) == 0


@pytest.mark.parametrize(
    ("said", "direction"), [("in", Direction.IN), ("out", Direction.OUT), ("", None)]
)
def test_a_reader_stands_at_the_gate_and_goes_its_way(
    session: Session, said: str, direction: Direction | None
) -> None:
    made = reader(session, direction=said)
    assert (made.purpose, made.direction) == (Purpose.GATE, direction)
    assert made.byte_order is ByteOrder.AS_SENT


def test_each_school_has_its_own_readers(session: Session) -> None:
    first, second = reader(session), reader(session, of="no2")
    with pytest.raises(FieldsError, match="already") as caught:
        reader(session)
    assert caught.value.code is Code.CONFLICT
    own = school(session)
    assert find_reader(session, own, first.id).id == first.id
    for refused in (
        lambda: find_reader(session, own, second.id),
        lambda: change_reader(session, BY, own, second.id, read_settings(_LANE)),
    ):
        with pytest.raises(AppError) as missing:
            refused()
        assert missing.value.code is Code.NOT_FOUND


def test_a_change_is_made_once_noted_and_known_to_running_processes(session: Session) -> None:
    made, own = reader(session), school(session)
    session.commit()
    before = session.get_one(School, own).register_version
    wanted = read_settings(_LANE | {"place": "北门", "direction": "", "byte_order": "reversed"})
    assert change_reader(session, BY, own, made.id, wanted)
    assert not change_reader(session, BY, own, made.id, wanted)
    session.commit()
    session.expire_all()
    assert settings_of(find_reader(session, own, made.id)) == wanted
    assert session.get_one(School, own).register_version == before + 1
    noted = session.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.subject == f"reader:{made.id}")
        .order_by(AuditEntry.seq)
    ).all()
    assert noted == ["reader.made", "reader.changed"]

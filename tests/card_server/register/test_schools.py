"""Making schools and readers: what is wrong is said before anything is written."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.register.schools import add_reader, add_school, find_school
from card_server.storage.database import open_engine
from schema.tables.readers import Direction, Purpose, Reader
from schema.tables.school import School


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        school(opened)
        yield opened


def school(session: Session, **changes: str) -> School:
    values = {"code": "no1", "name": "第一中学", "signature": "一中", "zone": "Asia/Shanghai"}
    return add_school(session, **values | changes)


def reader(session: Session, **changes: str) -> Reader:
    values = {"school": "no1", "code": "gate", "name": "东门", "place": "东", "direction": "in"}
    return add_reader(session, **values | changes)


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
        ({"code": "b", "name": " "}, Code.INVALID, "1 to 120"),
        ({"code": "b", "name": "学" * 121}, Code.INVALID, "1 to 120"),
        ({"code": "b", "signature": "中" * 21}, Code.INVALID, "1 to 20"),
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
    ("wrong", "code", "said"),
    [
        ({"code": "Gate"}, Code.INVALID, "is no code"),
        ({"school": "no2"}, Code.NOT_FOUND, "there are: no1"),
        ({"direction": "up"}, Code.INVALID, "in, out or empty"),
        ({"name": "门" * 61}, Code.INVALID, "1 to 60"),
        ({"place": ""}, Code.INVALID, "1 to 60"),
    ],
    ids=str,
)
def test_a_reader_that_cannot_be_is_refused(
    session: Session, wrong: dict[str, str], code: Code, said: str
) -> None:
    with pytest.raises(AppError, match=said) as caught:
        reader(session, **wrong)
    assert caught.value.code is code
    assert session.scalar(select(func.count()).select_from(Reader)) == 0


@pytest.mark.parametrize(
    ("said", "direction"), [("in", Direction.IN), ("out", Direction.OUT), ("", None)]
)
def test_a_reader_stands_at_the_gate_and_goes_its_way(
    session: Session, said: str, direction: Direction | None
) -> None:
    made = reader(session, direction=said)
    assert (made.purpose, made.direction) == (Purpose.GATE, direction)


def test_each_school_has_its_own_readers(session: Session) -> None:
    school(session, code="no2")
    reader(session)
    reader(session, school="no2")
    with pytest.raises(AppError, match="already") as caught:
        reader(session)
    assert caught.value.code is Code.CONFLICT


def test_a_school_is_found_by_its_code(session: Session) -> None:
    assert find_school(session, "no1").name == "第一中学"


def test_where_there_are_no_schools_that_is_said(engine: Engine) -> None:
    with Session(engine) as session, pytest.raises(AppError, match="none yet"):
        find_school(session, "no1")

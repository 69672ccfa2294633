"""Bringing a database to messages that know their number: what is under way can be asked about."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from schema.tables.metadata import UtcDateTime
from tests.harness.postgres import Postgres
from tests.schema.revisions import downgrade, opened_at, upgrade

TRIED = datetime(2026, 9, 1, 7, 30, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)
_AT: Any = UtcDateTime()
_SCHOOL = """
INSERT INTO school (id, code, name, signature, zone, double_tap_s, late_after, stale_minutes,
    register_version, cards_version)
VALUES (1, 'a', 'A', 'A', 'Asia/Shanghai', 60, '08:00', 30, 0, 0)
"""
_GUARDIAN = sa.table(
    "guardian",
    *(sa.column(name) for name in ("id", "school_id", "name", "phone_tail", "language")),
    *(sa.column(name, sa.LargeBinary()) for name in ("phone_sealed", "phone_hash")),
    sa.column("phone_since", _AT),
)
_MESSAGE = sa.table(
    "message",
    *(sa.column(name) for name in ("school_id", "kind", "student_id", "guardian_id", "body")),
    *(sa.column(name) for name in ("state", "attempts")),
    *(sa.column(name, _AT) for name in ("tried_at", "created_at", "due_at", "expires_at")),
    *(sa.column(name, _AT) for name in ("changed_at", "look_up_at")),
    *(sa.column(name, sa.LargeBinary()) for name in ("to_sealed", "to_hash")),
    sa.column("id", sa.Uuid()),
)


def _guardian(number: int, phone_since: datetime | None) -> dict[str, object]:
    named = {"name": "", "phone_tail": "", "language": "zh", "school_id": 1}
    phone = {"phone_sealed": b"sealed %d" % number, "phone_hash": b"hash %d" % number}
    return {"id": number, "phone_since": phone_since, **named, **phone}


def _message(
    number: int, state: str, guardian_id: int, *, student_id: int = 7
) -> dict[str, object]:
    times = ("tried_at", "created_at", "due_at", "expires_at", "changed_at", "look_up_at")
    return dict.fromkeys(times, TRIED) | {
        "school_id": 1,
        "id": UUID(int=number),
        "kind": "arrival",
        "student_id": student_id,
        "guardian_id": guardian_id,
        "body": "",
        "state": state,
        "attempts": 1,
    }


GUARDIANS = [_guardian(1, None), _guardian(2, TRIED - A_MINUTE), _guardian(3, TRIED + A_MINUTE)]
MESSAGES = [
    _message(1, "unknown", 1),
    _message(2, "sending", 2),
    _message(3, "unknown", 3),
    _message(4, "accepted", 1),
    _message(5, "unknown", 99),
    _message(6, "unknown", 0, student_id=0),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres
) -> Iterator[sa.Connection]:
    """A database before this change, with messages in it."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/old.db" if is_sqlite else postgres.create_database()
    with opened_at(url, "0007") as connection:
        connection.execute(sa.text(_SCHOOL))
        connection.execute(sa.insert(_GUARDIAN), GUARDIANS)
        connection.execute(sa.insert(_MESSAGE), MESSAGES)
        yield connection


def _read(connection: sa.Connection) -> list[tuple[object, ...]]:
    found = sa.select(
        _MESSAGE.c.state, _MESSAGE.c.look_up_at, _MESSAGE.c.to_sealed, _MESSAGE.c.to_hash
    )
    return [tuple(row) for row in connection.execute(found.order_by(_MESSAGE.c.id))]


def test_what_is_under_way_has_the_number_that_its_guardian_had_then(
    connection: sa.Connection,
) -> None:
    upgrade(connection, "0008")
    assert _read(connection) == [
        ("unknown", TRIED, b"sealed 1", b"hash 1"),
        ("sending", TRIED, b"sealed 2", b"hash 2"),
        ("unknown", TRIED, None, None),
        ("accepted", TRIED, None, None),
        ("unknown", TRIED, None, None),
        ("undelivered", None, None, None),
    ]


def test_there_and_back_and_there_again_comes_to_the_same(connection: sa.Connection) -> None:
    upgrade(connection, "0008")
    first = _read(connection)
    downgrade(connection, "0007")
    upgrade(connection, "0008")
    assert _read(connection) == first

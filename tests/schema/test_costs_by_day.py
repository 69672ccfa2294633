"""Bringing a database to sums of costs by day: they are those of the messages that it has."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from card_server.storage.database import open_engine
from schema.tables.metadata import UtcDateTime
from tests.harness.postgres import Postgres

NIGHT = datetime(2026, 9, 1, 15, 59, tzinfo=UTC)
"""A minute before midnight in Shanghai; in Auckland the next day has come."""
A_MINUTE = timedelta(minutes=1)
TUESDAY, WEDNESDAY = date(2026, 9, 1), date(2026, 9, 2)
_AT: Any = UtcDateTime()
_MESSAGE = sa.table(
    "message",
    *(sa.column(name) for name in ("school_id", "kind", "student_id", "guardian_id", "body")),
    *(sa.column(name) for name in ("state", "attempts", "segments", "price", "homeroom_id")),
    *(sa.column(name, _AT) for name in ("tried_at", "created_at", "due_at", "expires_at")),
    sa.column("changed_at", _AT),
    sa.column("id", sa.Uuid()),
    sa.column("tried_on", sa.Date()),
)
_PEOPLE = """
INSERT INTO school (id, code, name, signature, zone, double_tap_s, late_after, stale_minutes,
    register_version, cards_version)
VALUES (1, 'a', 'A', 'A', 'Asia/Shanghai', 60, '08:00', 30, 0, 0),
    (2, 'b', 'B', 'B', 'Pacific/Auckland', 60, '08:00', 30, 0, 0);
INSERT INTO homeroom (id, school_id, grade, name) VALUES (11, 1, 7, 'x'), (12, 1, 7, 'y'),
    (21, 2, 7, 'z');
INSERT INTO student (id, school_id, number, name, pinyin, homeroom_id) VALUES
    (101, 1, '1', 'stays', '', 11), (102, 1, '2', 'moved', '', 12), (201, 2, '1', 'other', '', 21);
INSERT INTO homeroom_stay (student_id, school_id, from_on, homeroom_id, until_on) VALUES
    (102, 1, '2026-09-01', 11, '2026-09-02'), (102, 1, '2026-09-02', 12, NULL)
"""


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("schema") / "migrations"))
    config.attributes["connection"] = connection
    return config


def _message(
    number: int,
    student_id: int,
    tried_at: datetime | None,
    state: str = "accepted",
    kind: str = "arrival",
) -> dict[str, object]:
    """A message of as many segments as its number."""
    times = dict.fromkeys(("created_at", "due_at", "expires_at", "changed_at"), NIGHT)
    return times | {
        "school_id": 2 if student_id == 201 else 1,
        "id": UUID(int=number),
        "kind": kind,
        "student_id": student_id,
        "guardian_id": 1,
        "body": "",
        "state": state,
        "attempts": 1,
        "segments": number,
        "price": number * 45,
        "tried_at": tried_at,
    }


MESSAGES = [
    _message(1, 101, NIGHT),
    _message(2, 101, NIGHT + A_MINUTE, "delivered"),
    _message(3, 102, NIGHT, "undelivered"),
    _message(4, 102, NIGHT + A_MINUTE, "unknown"),
    _message(5, 201, NIGHT),
    _message(6, 0, NIGHT),
    _message(7, 101, NIGHT, kind="notice"),
    *(_message(8 + n, 101, NIGHT, one) for n, one in enumerate(("failed", "sending", "queued"))),
    _message(11, 101, None, "suppressed"),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres
) -> Iterator[sa.Connection]:
    """A database before this change, with messages in it."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/old.db" if is_sqlite else postgres.create_database()
    engine = open_engine(url)
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0006")
        for statement in _PEOPLE.split(";"):
            connection.execute(sa.text(statement))
        connection.execute(sa.insert(_MESSAGE), MESSAGES)
        yield connection
    engine.dispose()


def test_messages_know_their_day_and_homeroom_and_are_added_up(connection: sa.Connection) -> None:
    command.upgrade(_config(connection), "0007")
    tried = sa.select(_MESSAGE.c.tried_on, _MESSAGE.c.homeroom_id).order_by(_MESSAGE.c.id)
    assert [tuple(row) for row in connection.execute(tried)] == [
        (TUESDAY, 11),
        (WEDNESDAY, 11),
        (TUESDAY, 11),
        (WEDNESDAY, 12),
        (WEDNESDAY, 21),
        (TUESDAY, 0),
        *[(TUESDAY, 11)] * 4,
        (None, 0),
    ]
    sums = sa.text("SELECT * FROM message_cost_day ORDER BY 1, 2, 3, 4")
    assert [(row[0], str(row[1]), *row[2:]) for row in connection.execute(sums)] == [
        (1, "2026-09-01", 0, "arrival", 1, 6, 270),
        (1, "2026-09-01", 11, "arrival", 2, 4, 180),
        (1, "2026-09-01", 11, "notice", 1, 7, 315),
        (1, "2026-09-02", 11, "arrival", 1, 2, 90),
        (1, "2026-09-02", 12, "arrival", 1, 4, 180),
        (2, "2026-09-02", 21, "arrival", 1, 5, 225),
    ]


def test_there_and_back_and_there_again_comes_to_the_same(connection: sa.Connection) -> None:
    sums = sa.text("SELECT * FROM message_cost_day ORDER BY 1, 2, 3, 4")
    command.upgrade(_config(connection), "0007")
    first = connection.execute(sums).all()
    command.downgrade(_config(connection), "0006")
    command.upgrade(_config(connection), "0007")
    assert connection.execute(sums).all() == first

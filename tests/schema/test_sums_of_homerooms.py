"""Bringing a database to kept sums of homerooms: they are those of the days that it has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.harness.postgres import Postgres
from tests.schema.revisions import downgrade, opened_at, upgrade

_DAYS = """
INSERT INTO homeroom_day (school_id, homeroom_id, day, arrived, late, inside) VALUES
    (1, 11, '2026-09-01', 4, 3, 0), (1, 11, '2026-09-02', 1, 0, 0), (1, 12, '2026-09-01', 0, 0, 0),
    (2, 11, '2026-09-01', 0, 0, 0);
INSERT INTO attendance (school_id, day, student_id, homeroom_id, late_minutes, present, late,
    left_early, absent, on_leave, sessions) VALUES
    (1, '2026-09-01', 1, 11, 9, 2, 2, 1, 0, 0, '[{}]'),
    (1, '2026-09-01', 2, 11, 0, 1, 1, 0, 1, 0, '[{}]'),
    (1, '2026-09-01', 3, 11, 7, 0, 0, 0, 0, 0, ''),
    (1, '2026-09-01', 4, 11, 0, 2, 0, 0, 0, 0, '[{}]'),
    (1, '2026-09-01', 5, 11, 0, 0, 0, 0, 2, 1, '[{}]'),
    (1, '2026-09-02', 1, 11, 0, 2, 0, 0, 0, 0, '[{}]'),
    (1, '2026-09-01', 6, 12, 0, 0, 0, 0, 0, 3, '[{}]'),
    (2, '2026-09-01', 7, 11, 0, 1, 0, 2, 0, 0, '[{}]')
"""
_SUMS = sa.text(
    "SELECT school_id, homeroom_id, day, away, late_sessions, left_early_sessions,"
    " absent_sessions, on_leave_sessions FROM homeroom_day ORDER BY 1, 2, 3"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres
) -> Iterator[sa.Connection]:
    """A database before this change, with days in it."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/old.db" if is_sqlite else postgres.create_database()
    with opened_at(url, "0005") as connection:
        for statement in _DAYS.split(";"):
            connection.execute(sa.text(statement))
        yield connection


def test_homerooms_have_the_sums_of_their_students_sessions(connection: sa.Connection) -> None:
    upgrade(connection, "0006")
    assert [(*row[:2], str(row[2]), *row[3:]) for row in connection.execute(_SUMS)] == [
        (1, 11, "2026-09-01", 1, 4, 1, 3, 1),
        (1, 11, "2026-09-02", 0, 0, 0, 0, 0),
        (1, 12, "2026-09-01", 1, 0, 0, 0, 3),
        (2, 11, "2026-09-01", 0, 0, 2, 0, 0),
    ]


def test_there_and_back_and_there_again_comes_to_the_same(connection: sa.Connection) -> None:
    upgrade(connection, "0006")
    first = connection.execute(_SUMS).all()
    downgrade(connection, "0005")
    upgrade(connection, "0006")
    assert connection.execute(_SUMS).all() == first

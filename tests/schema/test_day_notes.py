"""Bringing a database to notes and back: what staff said of days is kept."""

from pathlib import Path

import sqlalchemy as sa

from tests.harness.postgres import Postgres
from tests.schema.revisions import downgrade, opened_at, upgrade

_SAID = """
INSERT INTO school (id, code, name, signature, zone, double_tap_s, late_after, stale_minutes,
    register_version, cards_version)
VALUES (1, 'a', 'A', 'A', 'Asia/Shanghai', 60, '08:00', 30, 0, 0);
INSERT INTO homeroom (id, school_id, grade, name) VALUES (11, 1, 7, 'x');
INSERT INTO student (id, school_id, number, name, pinyin, homeroom_id)
VALUES (101, 1, '1', 'a', '', 11);
INSERT INTO correction (id, school_id, student_id, day, position, status, reason, made_by, made_at)
VALUES (1, 1, 101, '2026-09-01', 1, 'late', 'seen', 'a', '2026-09-01 00:00:00+00:00')
"""


def test_what_was_said_stays_up_and_down(tmp_path: Path, postgres: Postgres) -> None:
    kept = sa.text("SELECT status, reason FROM correction")
    new = sa.text("SELECT minutes, marking_id FROM correction")
    for url in (f"sqlite:///{tmp_path}/old.db", postgres.create_database()):
        with opened_at(url, "0009") as connection:
            for statement in _SAID.split(";"):
                connection.execute(sa.text(statement))
            upgrade(connection, "0010")
            assert connection.execute(new).one() == (None, None)
            downgrade(connection, "0009")
            assert connection.execute(kept).one() == ("late", "seen")
            assert "day_note" not in sa.inspect(connection).get_table_names()
            upgrade(connection, "0010")
            assert connection.execute(kept).one() == ("late", "seen")

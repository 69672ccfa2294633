"""What every connection is given, on either kind of database."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DatabaseError, OperationalError, StatementError
from sqlalchemy.orm import Session

from card_server.storage.database import open_engine, open_reading_sessions, open_sessions
from schema.tables.school import School
from schema.tables.staff import Staff, StaffSession


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_sqlite_keeps_what_it_commits_and_waits_its_turn(
    sqlite_url: str, pragma: str, value: object
) -> None:
    engine = open_engine(sqlite_url)
    with engine.connect() as one, engine.connect().execution_options(read_only=True) as two:
        assert one.scalar(text(f"PRAGMA {pragma}")) == value
        assert two.scalar(text(f"PRAGMA {pragma}")) == value
    engine.dispose()


def test_a_reader_on_sqlite_does_not_wait_for_the_writer(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with engine.begin() as writer, engine.connect() as connection:
        writer.execute(text("UPDATE school SET name = ''"))
        read_only = connection.execution_options(read_only=True)
        assert read_only.scalar(text("SELECT count(*) FROM school")) == 0
    engine.dispose()


def test_a_session_for_reading_sees_what_is_committed_and_refuses_to_write(engine: Engine) -> None:
    reading, writing = open_reading_sessions(engine), open_sessions(engine)
    with reading() as session:
        assert session.scalars(select(School)).all() == []
        session.rollback()
        with writing.begin() as other:
            other.add(School(code="a", name="第一中学", signature=""))
        school = session.scalars(select(School)).one()
        school.name = "第二中学"
        with pytest.raises(RuntimeError, match="reading"):
            session.flush()
    with writing() as session:
        assert session.scalars(select(School.name)).one() == "第一中学"


def test_a_session_for_writing_is_one_transaction_after_one_for_reading(engine: Engine) -> None:
    """They share the pool's connections."""
    with open_reading_sessions(engine)() as session:
        session.scalars(select(School)).all()
    with open_sessions(engine)() as session:
        session.add(School(code="a", name="第一中学", signature=""))
        session.flush()
        session.rollback()
        assert session.scalars(select(School)).all() == []


def test_a_second_writer_on_sqlite_waits_at_its_begin(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with engine.connect() as one, engine.connect() as two:
        two.connection.driver_connection.execute("PRAGMA busy_timeout=1")  # type: ignore[union-attr]
        one.execute(text("SELECT 1"))
        with pytest.raises(OperationalError, match="locked"):
            two.execute(text("SELECT 1"))
    engine.dispose()


@pytest.mark.parametrize("by_key_only", [False, True])
def test_postgresql_speaks_utc(postgres_url: str, by_key_only: bool) -> None:
    engine = open_engine(postgres_url, by_key_only=by_key_only)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW timezone")) == "UTC"
        scans = "off" if by_key_only else "on"
        assert connection.scalar(text("SHOW enable_seqscan")) == scans
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
    engine.dispose()


def test_a_connection_that_the_server_has_ended_is_not_given_out(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with engine.connect() as one, engine.connect() as two:
        ended = one.scalar(text("SELECT pg_backend_pid()"))
        one.commit()
        two.execute(text(f"SELECT pg_terminate_backend({ended}, 5000)"))
        two.commit()
    assert engine.pool.checkedin() == 2  # type: ignore[attr-defined]
    with engine.connect() as one, engine.connect() as two:
        assert one.scalar(text("SELECT pg_backend_pid()")) not in (None, ended)
        assert two.scalar(text("SELECT pg_backend_pid()")) not in (None, ended)
    engine.dispose()


def test_an_error_does_not_name_the_values(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(DatabaseError) as caught:
        connection.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "张三"})
    assert "张三" not in str(caught.value)
    assert "hide_parameters" in str(caught.value)


def test_foreign_keys_hold(engine: Engine) -> None:
    nobodys = Staff(school_id=99, login="a", name="a", password_hash="x")
    with Session(engine) as session:
        session.add(nobodys)
        with pytest.raises(DatabaseError):
            session.commit()


def test_a_transaction_that_raises_leaves_nothing(engine: Engine) -> None:
    sessions = open_sessions(engine)

    def fail_half_way() -> None:
        with sessions.begin() as session:
            session.add(School(code="a", name="a", signature="a"))
            session.flush()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_half_way()
    with sessions() as session:
        assert session.scalars(select(School)).all() == []


def test_times_come_back_in_utc_and_a_time_without_zone_is_refused(engine: Engine) -> None:
    local = datetime(2026, 9, 3, 7, 30, tzinfo=timezone(timedelta(hours=8)))
    with Session(engine) as session:
        session.add(School(id=1, code="a", name="a", signature="a"))
        session.flush()
        session.add(Staff(id=1, school_id=1, login="a", name="a", password_hash="x"))
        session.flush()
        session.add(StaffSession(token_hash=b"t", staff_id=1, created_at=local, seen_at=local))
        session.commit()
    with Session(engine) as session:
        found = session.get_one(StaffSession, b"t")
        assert found.seen_at == local
        assert found.seen_at.utcoffset() == datetime.now(UTC).utcoffset()
        found.seen_at = datetime(2026, 9, 3)  # noqa: DTZ001 - the point of the test
        with pytest.raises(StatementError, match="without a zone"):
            session.flush()

"""Queries in one round trip: the rows that each gives alone, and the errors that each raises."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec import Struct
from sqlalchemy import Engine, bindparam, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from card_server.storage.bulk import Write, query_of, write_all
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.together import Query, ask_together
from schema.tables.attendance import Attendance, Presence
from schema.tables.metadata import UtcDateTime
from tests.harness.campus import make_campus
from tests.harness.waiting import wait_for

NOON = datetime(2026, 9, 3, 4, 0, 0, 123456, tzinfo=UTC)


class Place(Struct):
    """A row of `presence`."""

    school_id: int
    student_id: int
    homeroom_id: int
    is_inside: bool
    since_at: datetime
    reader_id: int


class PlaceKey(Struct, frozen=True):
    """Which place."""

    school_id: int
    student_id: int


class DayKey(Struct, frozen=True):
    """Which day."""

    school_id: int
    day: date
    student_id: int


PLACES = [Place(1, student, 1, student == 2, NOON, 0) for student in (1, 2, 3)]
KEYS = [PlaceKey(1, student) for student in (1, 2, 3)]


@pytest.fixture
def engine(engine: Engine) -> Engine:
    fill(engine)
    return engine


def fill(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        make_campus(session)
        write_all(session, [Write(Presence, PLACES)])


def test_each_query_gives_the_rows_that_it_gives_alone(engine: Engine) -> None:
    with open_sessions(engine)() as session:
        places = query_of(session, Presence, KEYS, Place, lock=True)
        days = query_of(session, Attendance, [DayKey(1, NOON.date(), 1)], DayKey)
        [[*found], [*none], [*again]] = ask_together(session, [places, days, places])
        [alone] = ask_together(session, [places])
    assert [Place(*row) for row in found] == [Place(*row) for row in alone] == PLACES
    assert (none, len(again)) == ([], 3)


def test_values_go_in_as_their_columns_keep_them(engine: Engine) -> None:
    since = (
        text("SELECT student_id FROM presence WHERE since_at > :at ORDER BY student_id")
        .bindparams(bindparam("at", type_=UtcDateTime()))
        .columns(Presence.student_id)
    )
    with open_sessions(engine)() as session:
        before, after = ask_together(
            session,
            [Query(since, {"at": NOON - timedelta(microseconds=1)}), Query(since, {"at": NOON})],
        )
    assert ([row[0] for row in before], list(after)) == ([1, 2, 3], [])


def test_what_goes_with_a_lock_reads_what_the_one_before_has_written(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    fill(engine)
    read: list[int] = []

    def lock_and_read() -> None:
        with Session(engine) as second:
            lock = query_of(second, Presence, KEYS[:1], Place, lock=True)
            look = query_of(second, Presence, KEYS[:1], Place)
            for [row] in ask_together(second, [lock, look]):
                read.append(Place(*row).reader_id)

    with Session(engine) as first:
        moved = Place(1, 1, 1, True, NOON, 7)
        write_all(first, [Write(Presence, [moved], "reader_id = excluded.reader_id")])
        waiting = threading.Thread(target=lock_and_read)
        waiting.start()
        wait_for(lambda: _somebody_waits(engine), what="the second to wait for the lock")
        first.commit()
    waiting.join()
    assert read == [7, 7]
    engine.dispose()


def _somebody_waits(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_an_error_is_sqlalchemys_and_the_session_can_go_on(engine: Engine) -> None:
    wrong = Query(text("SELECT 1 FROM nowhere").columns(), {})
    with open_sessions(engine)() as session:
        right = query_of(session, Presence, KEYS, Place)
        with pytest.raises((ProgrammingError, OperationalError)):
            ask_together(session, [right, wrong])
        session.rollback()
        assert len(ask_together(session, [right, right])[1]) == len(PLACES)


def test_a_connection_that_is_lost_is_an_error_and_the_next_one_works(postgres_url: str) -> None:
    engine = open_engine(postgres_url, by_key_only=True)
    fill(engine)
    with open_sessions(engine)() as session:
        both = [query_of(session, Presence, KEYS, Place)] * 2
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(OperationalError):
            ask_together(session, both)
    with open_sessions(engine)() as session:
        assert len(ask_together(session, both)[0]) == len(PLACES)
    engine.dispose()

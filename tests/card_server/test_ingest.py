"""The ingest process between a real broker and both databases."""

import statistics
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.errors import EXIT_CODE, Code
from card_server.register.readers import change_reader, find_reader, settings_of
from card_server.storage.database import open_engine
from card_server.storage.migrate import migrate
from schema.messages import (
    CardsChange,
    CardsSnapshot,
    CardState,
    ReaderState,
    Rejection,
    Status,
    Taps,
    utc_now,
)
from schema.tables import readers as reader_tables
from schema.tables import taps as tap_tables
from schema.tables.attendance import HomeroomDay
from schema.tables.cards import Card
from schema.tables.messages import Message
from schema.tables.readers import ByteOrder
from schema.tables.school import School
from schema.topics import Kind
from tests.harness.campus import Campus, make_campus
from tests.harness.cards import set_card_state
from tests.harness.ingest import IngestProcess, Readers
from tests.harness.mosquitto import Mosquitto
from tests.harness.postgres import Postgres
from tests.harness.waiting import wait_for
from tests.harness.zones import NOON, zone_where_it_is


@pytest.fixture
def readers(mosquitto: Mosquitto) -> Iterator[Readers]:
    with Readers(mosquitto) as connected:
        yield connected


@pytest.fixture
def ingest(
    database_url: str, engine: Engine, mosquitto: Mosquitto, tmp_path: Path
) -> Iterator[IngestProcess]:
    make(engine)
    with IngestProcess(database_url, mosquitto, tmp_path) as process:
        yield process


def make(engine: Engine, students: int = 3) -> Campus:
    with Session(engine) as session, session.begin():
        return make_campus(session, students=students)


def rows(engine: Engine, table: type[Any]) -> list[Any]:
    with Session(engine) as session:
        return list(session.scalars(select(table)))


def uid(student: int) -> str:
    return f"04{student:010X}80"


@pytest.mark.usefixtures("ingest")
def test_a_tap_is_a_row_and_a_message_and_then_acknowledged_to_its_reader(
    engine: Engine, readers: Readers
) -> None:
    tap, other = readers.tap(uid(1)), readers.tap(uid(2))
    readers.send(tap)
    readers.wait_kept(tap)
    assert [row.id for row in rows(engine, tap_tables.Tap)] == [tap.id]
    assert [row.tap_id for row in rows(engine, Message)] == [tap.id]
    readers.send(other, reader="gate-out")
    readers.send(tap)
    wait_for(lambda: Counter(readers.kept) == {tap.id: 2, other.id: 1})
    assert {reader for reader, ack in readers.acks if other.id in ack.kept} == {"gate-out"}
    assert len(rows(engine, tap_tables.Tap)) == len(rows(engine, Message)) == 2


@pytest.mark.usefixtures("ingest")
def test_an_acknowledgement_waits_for_nothing_else_to_happen(readers: Readers) -> None:
    took = []
    for student in range(1, 8):
        tap = readers.tap(uid(student))
        began = time.monotonic()
        readers.send(tap)
        readers.wait_kept(tap)
        took.append(time.monotonic() - began)
    assert statistics.median(took) < 0.3, "the broker line wakes up once a second by itself"


@pytest.mark.usefixtures("ingest")
def test_what_cannot_be_kept_is_told_to_the_reader_and_set_aside_once(
    engine: Engine, readers: Readers
) -> None:
    good, bad, unknown = readers.tap(uid(1)), readers.tap(uid(2)), readers.tap(uid(3))
    body = msgspec.json.encode(Taps(utc_now(), [good, bad]))
    body = body.replace(uid(2).encode(), b"no card number")
    for _ in range(3):
        readers.say(body)
    readers.say(b"[" * 9000)
    readers.say(b"\xff\x00{", kind=Kind.STATUS)
    readers.send(unknown, reader="gate-north")
    wait_for(lambda: {bad.id, unknown.id} <= readers.rejected.keys())
    assert readers.rejected == {
        bad.id: Rejection.MALFORMED,
        unknown.id: Rejection.UNKNOWN_READER,
    }
    readers.wait_kept(good)
    wait_for(lambda: sum(row.times for row in rows(engine, reader_tables.Aside)) == 6)
    aside = Counter((row.reason, row.times) for row in rows(engine, reader_tables.Aside))
    assert aside == {
        (Rejection.MALFORMED, 3): 1,
        (Rejection.TOO_LARGE, 1): 1,
        (Rejection.MALFORMED, 1): 1,
        (Rejection.UNKNOWN_READER, 1): 1,
    }
    assert [row.id for row in rows(engine, tap_tables.Tap)] == [good.id]


@pytest.mark.usefixtures("ingest")
def test_a_status_is_the_readers_health_and_is_answered_with_the_card_list(
    engine: Engine, readers: Readers
) -> None:
    for version in (0, 3):
        status = Status(ReaderState.ONLINE, 5, utc_now(), cards_version=version)
        readers.say(msgspec.json.encode(status), kind=Kind.STATUS)
        wait_for(lambda: len(readers.cards) == (1 if version == 0 else 2))  # noqa: B023
    (_, snapshot), (_, confirmed) = readers.cards
    assert isinstance(snapshot, CardsSnapshot)
    assert [card.uid for card in snapshot.cards] == [uid(1), uid(2), uid(3)]
    assert confirmed == CardsChange(3, 3, [])
    [health] = rows(engine, reader_tables.ReaderHealth)
    assert (health.state, health.boot, health.cards_version) == (ReaderState.ONLINE, 5, 3)


@pytest.mark.usefixtures("ingest")
def test_a_lost_card_reaches_every_reader_within_two_seconds(
    engine: Engine, readers: Readers
) -> None:
    # A tap that is acknowledged proves that the loop has looked at the versions before.
    first = readers.tap(uid(1))
    readers.send(first)
    readers.wait_kept(first)
    wait_for(lambda: _looked(readers))
    with Session(engine) as session, session.begin():
        set_card_state(session, session.get_one(Card, 2), CardState.LOST, utc_now())
    wait_for(lambda: len(readers.cards) == 2, 2, "the change")
    assert {reader for reader, _ in readers.cards} == {"gate-in", "gate-out"}
    for _, change in readers.cards:
        assert isinstance(change, CardsChange)
        assert [(card.uid, card.state) for card in change.cards] == [(uid(2), CardState.LOST)]


@pytest.mark.usefixtures("ingest")
def test_another_byte_order_counts_for_taps_and_sends_a_fresh_list_though_the_version_was_right(
    engine: Engine, readers: Readers
) -> None:
    first = readers.tap(uid(1))
    readers.send(first)
    readers.wait_kept(first)
    wait_for(lambda: _looked(readers))
    with Session(engine) as session, session.begin():
        stored = settings_of(find_reader(session, 1, 1))
        wanted = replace(stored, byte_order=ByteOrder.REVERSED)
        change_reader(session, SYSTEM, 1, 1, wanted)
    wait_for(lambda: len(readers.cards) == 2, 2, "the fresh lists")
    lists = dict(readers.cards)
    backwards, plain = lists["gate-in"], lists["gate-out"]
    assert isinstance(backwards, CardsSnapshot)
    assert backwards.list_version == 4
    assert [card.uid for card in backwards.cards] == [turned(number) for number in (1, 2, 3)]
    assert [card.uid for card in plain.cards] == [uid(1), uid(2), uid(3)]

    # It was away and comes back with the list of before: that is not what it needs.
    status = Status(ReaderState.ONLINE, 5, utc_now(), cards_version=3)
    readers.say(msgspec.json.encode(status), kind=Kind.STATUS)
    wait_for(lambda: len(readers.cards) == 3)
    assert readers.cards[2] == ("gate-in", backwards)

    tap = readers.tap(turned(2))
    readers.send(tap)
    readers.wait_kept(tap)
    [row] = [row for row in rows(engine, tap_tables.Tap) if row.id == tap.id]
    assert (row.uid, row.student_id) == (uid(2), 2)


def turned(student: int) -> str:
    return bytes.fromhex(uid(student))[::-1].hex().upper()


def _looked(readers: Readers) -> bool:
    """One more tap after the first is in: each turn of the loop ends with a look when due."""
    tap = readers.tap("DEADBEEF")
    readers.send(tap)
    readers.wait_kept(tap)
    return True


def test_a_tap_that_the_rules_choke_on_is_set_aside_and_the_next_go_on(
    postgres_url: str, mosquitto: Mosquitto, readers: Readers, tmp_path: Path
) -> None:
    engine = open_engine(postgres_url)
    make(engine)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION choke() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'no'; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER choke BEFORE INSERT ON tap FOR EACH ROW "
                "WHEN (NEW.uid = 'DEADBEEF') EXECUTE FUNCTION choke()"
            )
        )
    taps = [readers.tap("DEADBEEF" if number == 7 else uid(1)) for number in range(20)]
    with IngestProcess(postgres_url, mosquitto, tmp_path):
        for tap in taps:
            readers.send(tap)
        good = [tap for tap in taps if tap.uid != "DEADBEEF"]
        readers.wait_kept(*good)
        wait_for(lambda: readers.rejected)
    assert readers.rejected == {taps[7].id: Rejection.UNPROCESSABLE}
    assert {row.id for row in rows(engine, tap_tables.Tap)} == {tap.id for tap in good}
    [aside] = rows(engine, reader_tables.Aside)
    assert (aside.reason, aside.school_id) == (Rejection.UNPROCESSABLE, 1)
    engine.dispose()


def test_a_database_that_was_away_costs_no_tap(
    mosquitto: Mosquitto, readers: Readers, tmp_path: Path
) -> None:
    with Postgres() as cluster:
        engine = open_engine(cluster.url())
        migrate(engine)
        make(engine, students=100)
        with IngestProcess(cluster.url(), mosquitto, tmp_path) as ingest:
            first = readers.tap(uid(1))
            readers.send(first)
            readers.wait_kept(first)
            cluster.kill()
            waiting = [readers.tap(uid(student)) for student in range(2, 101)]
            for tap in waiting:
                readers.send(tap)
            wait_for(lambda: ingest.ready()[0] == 503)
            assert list(ingest.ready()[1]) == ["database"]
            assert set(readers.kept) == {first.id}
            _start_again(cluster)
            readers.wait_kept(*waiting, timeout_s=30)
            wait_for(lambda: ingest.ready()[0] == 200)
        recorded = Counter(row.id for row in _patiently(engine, tap_tables.Tap))
        assert recorded == Counter(tap.id for tap in [first, *waiting])
        assert set(Counter(row.tap_id for row in rows(engine, Message)).values()) == {1}
        engine.dispose()


def _start_again(cluster: Postgres) -> None:
    """Start a killed cluster, as soon as the last of its children has let go of its memory."""

    def has_started() -> bool:
        try:
            cluster.start()
        except AssertionError:
            return False
        return True

    wait_for(has_started, 30, "PostgreSQL")


def _patiently(engine: Engine, table: type[Any]) -> list[Any]:
    """The rows, though the pool may still hold connections of the killed database."""
    try:
        return rows(engine, table)
    except OperationalError:
        return rows(engine, table)


def test_a_second_ingest_on_sqlite_refuses_and_says_why(
    sqlite_url: str, mosquitto: Mosquitto, readers: Readers, tmp_path: Path
) -> None:
    engine = open_engine(sqlite_url)
    make(engine)
    with IngestProcess(sqlite_url, mosquitto, tmp_path):
        second = IngestProcess(sqlite_url, mosquitto, tmp_path, "second").process
        second.start()
        assert second.wait(20) == EXIT_CODE[Code.CONFLICT]
        assert "SQLite allows one" in second.output
        assert "Traceback" not in second.output
        tap = readers.tap(uid(1))
        readers.send(tap)
        readers.wait_kept(tap)
    engine.dispose()


def test_two_ingests_on_postgresql_record_each_tap_once(
    postgres_url: str, mosquitto: Mosquitto, readers: Readers, tmp_path: Path
) -> None:
    engine = open_engine(postgres_url)
    make(engine, students=100)
    with engine.begin() as connection:
        connection.execute(update(School).values(zone=zone_where_it_is(NOON).key))
    began = utc_now() - timedelta(minutes=10)
    taps = [
        readers.tap(uid(1 + number % 100), began + timedelta(seconds=number))
        for number in range(300)
    ]
    with (
        IngestProcess(postgres_url, mosquitto, tmp_path) as one,
        IngestProcess(postgres_url, mosquitto, tmp_path, "two") as two,
    ):
        for tap in taps:
            readers.send(tap)
        for tap in taps[::3]:
            readers.send(tap)
        readers.wait_kept(*taps)
        wait_for(lambda: len(readers.kept) >= 400)
        assert readers.rejected == {}
        assert 0 not in (_kept_by(one), _kept_by(two))
    assert Counter(row.id for row in rows(engine, tap_tables.Tap)) == Counter(
        tap.id for tap in taps
    )
    told = Counter(row.tap_id for row in rows(engine, Message))
    assert set(told.values()) == {1}
    [counts] = [row for row in rows(engine, HomeroomDay) if row.homeroom_id == 1]
    assert counts.inside == counts.arrived == 50
    engine.dispose()


def _kept_by(ingest: IngestProcess) -> int:
    """How many taps this process says it has kept."""
    with urllib.request.urlopen(f"http://127.0.0.1:{ingest.port}/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()
    [line] = [line for line in lines if line.startswith("card_server_ingest_taps_total ")]
    return int(float(line.split()[1]))

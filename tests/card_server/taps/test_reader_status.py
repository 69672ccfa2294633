"""The health page's row for a reader is the reader's newest word."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from card_server.storage.database import open_sessions
from card_server.taps.reader_status import record_status
from schema.messages import ReaderState, SourceState, Status
from schema.tables.readers import ReaderHealth
from tests.card_server.tapping import MORNING, Gate

ONLINE, OFFLINE = ReaderState.ONLINE, ReaderState.OFFLINE


@pytest.fixture
def gate(engine: Engine) -> Gate:
    return Gate(open_sessions(engine))


def hear(
    gate: Gate, state: ReaderState = ONLINE, boot: int = 5, held_s: float = 0, **more: Any
) -> ReaderHealth:
    """The row after a status that was sent 3 s before it came."""
    reader = gate.reader("gate-in")
    status = Status(state, boot, MORNING, **more)
    with gate.sessions.begin() as session:
        record_status(session, reader, status, MORNING + timedelta(seconds=3), held_s)
    [row] = gate.rows(ReaderHealth)
    assert isinstance(row, ReaderHealth)
    return row


def test_all_that_a_reader_says_is_kept(gate: Gate) -> None:
    row = hear(
        gate,
        source=SourceState.READY,
        drained_to=MORNING,
        cards_version=7,
        cards_at=MORNING,
        spooled=8,
        aside=9,
        disk_free_mb=10,
        failures=["The disk is full.", "A\0B"],
        software="1.0\0",
    )
    assert (row.state, row.source, row.boot) == (ONLINE, SourceState.READY, 5)
    assert (row.drained_to, row.cards_at, row.cards_version) == (MORNING, MORNING, 7)
    assert (row.spooled, row.aside, row.disk_free_mb) == (8, 9, 10)
    assert (row.failures, row.software) == ("The disk is full.\nAB", "1.0")
    assert row.seen_at == MORNING + timedelta(seconds=3)
    assert row.clock_skew_s == 3


def test_the_time_that_the_broker_held_a_status_is_not_the_clocks_fault(gate: Gate) -> None:
    assert hear(gate, held_s=2.5).clock_skew_s == 0.5


def test_the_last_will_changes_nothing_but_the_state(gate: Gate) -> None:
    before = hear(gate, spooled=8, drained_to=MORNING)
    after = hear(gate, OFFLINE)
    assert after.state is OFFLINE
    assert (after.spooled, after.drained_to, after.seen_at) == (8, MORNING, before.seen_at)


def test_the_last_will_of_an_earlier_boot_comes_too_late(gate: Gate) -> None:
    hear(gate, boot=6)
    assert hear(gate, OFFLINE, boot=5).state is ONLINE


def test_a_reader_is_online_again_when_it_says_so(gate: Gate) -> None:
    hear(gate)
    hear(gate, OFFLINE)
    assert hear(gate, boot=6, spooled=1).state is ONLINE


def test_a_last_will_may_be_the_first_word(gate: Gate) -> None:
    row = hear(gate, OFFLINE)
    assert (row.state, row.source) == (OFFLINE, SourceState.ABSENT)


def test_the_first_words_of_a_reader_may_come_to_two_processes(gate: Gate) -> None:
    reader = gate.reader("gate-in")

    def say(spooled: int) -> None:
        with gate.sessions.begin() as session:
            status = Status(ONLINE, 5, MORNING, spooled=spooled)
            record_status(session, reader, status, MORNING, 0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(say, range(4)))
    with Session(gate.sessions.kw["bind"]) as session:
        assert len(session.scalars(select(ReaderHealth)).all()) == 1

"""A part is killed in the middle of many taps: what was beeped is kept, once."""

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.harness.postgres import Postgres
from tests.journeys.kit import (
    CampusAtWork,
    Tapper,
    assert_nothing_lost_nothing_twice,
    assert_record_is_whole,
    judge,
    tap_everywhere,
)

VICTIMS = ("reader", "broker", "ingest")
TAPS = 500
FEWER_TAPS = 200
LONGEST_TAP_S = 0.005
LONGEST_PAUSE_S = 1.0
TAKEN_OVER_S = 90
"""How long taps may wait that the broker gave to a server that is gone for good."""
STRAIGHT_S = 5.0
"""Less than a reader waits before it sends a tap again."""
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def on_postgresql(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CampusAtWork]:
    folder = tmp_path_factory.mktemp("kill")
    with CampusAtWork(folder, postgres.create_database(), students=TAPS) as campus:
        yield campus


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CampusAtWork]:
    folder = tmp_path_factory.mktemp("kill")
    with CampusAtWork(folder, f"sqlite:///{folder / 'campus.db'}", students=TAPS) as campus:
        yield campus


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("seed", range(3))
def test_a_kill_loses_nothing_and_doubles_nothing(
    on_postgresql: CampusAtWork, victim: str, seed: int, record_property: Record
) -> None:
    _kill_in_the_middle(on_postgresql, victim, seed, FEWER_TAPS, record_property)


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_kill_loses_nothing_and_doubles_nothing_on_sqlite(
    on_sqlite: CampusAtWork, victim: str, record_property: Record
) -> None:
    _kill_in_the_middle(on_sqlite, victim, 0, FEWER_TAPS, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("seed", range(20))
def test_twenty_kills_lose_nothing_and_double_nothing(
    on_postgresql: CampusAtWork, victim: str, seed: int, record_property: Record
) -> None:
    _kill_in_the_middle(on_postgresql, victim, seed, TAPS, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("seed", range(5))
def test_five_kills_lose_nothing_and_double_nothing_on_sqlite(
    on_sqlite: CampusAtWork, victim: str, seed: int, record_property: Record
) -> None:
    _kill_in_the_middle(on_sqlite, victim, seed, TAPS, record_property)


@pytest.mark.faults
def test_a_server_process_that_never_comes_back_leaves_its_taps_to_the_other(
    postgres: Postgres, tmp_path: Path
) -> None:
    with (
        CampusAtWork(tmp_path, postgres.create_database(), students=TAPS) as campus,
        campus.another_ingest() as other,
    ):
        rng = random.Random(4)
        presses = tap_everywhere(campus, FEWER_TAPS, rng, other.kill)
        pressed = {press.uid for press in presses}
        unused = [uid for uid in campus.uids if uid not in pressed]
        deadline_s = monotonic() + TAKEN_OVER_S
        is_taken_over = False
        while not is_taken_over:
            assert monotonic() < deadline_s, "taps still go to the server that is gone"
            campus.wait_until_drained(TAKEN_OVER_S)
            some, unused = unused[:10], unused[10:]
            tapper = Tapper(campus, "gate-in", some)
            tapper.start()
            presses += tapper.finish()
            is_taken_over = _are_drained_within(campus, STRAIGHT_S)
        assert_nothing_lost_nothing_twice(judge(campus, presses, set()))
        assert_record_is_whole(campus)


def _are_drained_within(campus: CampusAtWork, timeout_s: float) -> bool:
    try:
        campus.wait_until_drained(timeout_s)
    except TimeoutError:
        return False
    return True


def _kill_in_the_middle(
    campus: CampusAtWork, victim: str, seed: int, taps: int, record_property: Record
) -> None:
    rng = random.Random(f"{victim} {seed}")
    parts: dict[str, Any] = {
        "reader": campus.gates["gate-in"],
        "broker": campus.broker,
        "ingest": campus.ingest,
    }
    part = parts[victim]
    moment_s = rng.uniform(0, LONGEST_TAP_S)
    pause_s = rng.choice([0.0, rng.uniform(0, LONGEST_PAUSE_S)])
    clock = threading.Event()

    def kill() -> None:
        # Anywhere in a tap: before it is on disk, after it, after the beep.
        clock.wait(moment_s)
        part.kill()
        # The school goes on tapping while the part is away.
        clock.wait(pause_s)
        part.start()

    before = {tap.id for tap in campus.taps()}
    presses = tap_everywhere(campus, taps, rng, kill)
    campus.wait_until_drained()
    verdict = judge(campus, presses, before)
    for name in ("beeped", "not_beeped", "rows", "lost", "twice", "invented"):
        value = getattr(verdict, name)
        record_property(name, len(value) if isinstance(value, list) else value)
    assert_nothing_lost_nothing_twice(verdict)
    assert len(presses) == taps
    assert_record_is_whole(campus)

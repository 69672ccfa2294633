"""A connection belongs to one thread, and is not used again after it was idle."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from integrations.sms.connections import Connections


def test_each_thread_keeps_its_own() -> None:
    connections = Connections(object)
    together = Barrier(4)

    def ask_twice(_: int) -> tuple[object, object]:
        first = connections.mine()
        together.wait(10)
        return first, connections.mine()

    with ThreadPoolExecutor(4) as threads:
        pairs = list(threads.map(ask_twice, range(4)))
    assert all(first is second for first, second in pairs)
    assert len({id(first) for first, _ in pairs}) == 4


@pytest.mark.parametrize(("idle_s", "made"), [(4.9, 1), (5.1, 2)])
def test_one_that_was_idle_is_made_anew(
    monkeypatch: pytest.MonkeyPatch, idle_s: float, made: int
) -> None:
    count = itertools.count(1)
    connections = Connections(lambda: next(count))
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    assert connections.mine() == 1
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + idle_s)
    assert connections.mine() == made

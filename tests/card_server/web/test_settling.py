"""A full collection in the middle of a page walks over little: what stays is frozen in time."""

import gc
import weakref

from card_server.web.settling import Settling


class _Ring:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def test_what_the_first_pages_made_is_frozen_a_few_times_and_garbage_is_not() -> None:
    settling = Settling(1000.0)
    kept: list[list[list[None]]] = []
    for due_s in (1060.0, 1600.0, 4600.0):
        kept.append([[] for _ in range(5_000)])
        dead = weakref.ref(_Ring())
        before = gc.get_freeze_count()
        settling.look(due_s - 0.1)
        assert gc.get_freeze_count() == before
        settling.look(due_s)
        assert gc.get_freeze_count() >= before + 5_000
        assert dead() is None
    kept.append([[] for _ in range(5_000)])
    before = gc.get_freeze_count()
    settling.look(10_000_000.0)
    assert gc.get_freeze_count() == before

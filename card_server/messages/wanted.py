"""The kinds of messages that a guardian wants of a student, as the register keeps them."""

from collections.abc import Iterable
from functools import lru_cache

from card_server.messages.kinds import WISHES
from schema.tables.messages import MessageKind


@lru_cache(maxsize=1_024)
def read_wanted(stored: str) -> frozenset[MessageKind]:
    """The wanted kinds; one that this release does not know is left out."""
    return frozenset(kind for kind in WISHES if kind in stored.split())


def write_wanted(kinds: Iterable[MessageKind]) -> str:
    """The wanted kinds as they are kept; those that nobody chooses are left out."""
    wanted = frozenset(kinds)
    return " ".join(kind for kind in WISHES if kind in wanted)

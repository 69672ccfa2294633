"""A connection to a carrier for each thread that sends, made anew after it was idle."""

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

C = TypeVar("C")

_IDLE_S: Final = 5.0
"""A connection that was idle longer may be cut without a word on the way, and a message sent over
it would end as unknown; after this a new one is made."""


class Connections(Generic[C]):
    """What `connect` makes, one for each thread, so that their answers cannot be mixed up."""

    def __init__(self, connect: Callable[[], C]) -> None:
        self._connect = connect
        self._mine = threading.local()

    def mine(self) -> C:
        """This thread's own."""
        now = time.monotonic()
        kept: tuple[C, float] | None = getattr(self._mine, "kept", None)
        connection = kept[0] if kept and now - kept[1] <= _IDLE_S else self._connect()
        self._mine.kept = (connection, now)
        return connection

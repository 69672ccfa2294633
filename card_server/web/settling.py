"""What a server process keeps for good is taken out of the collector's way.

Templates, statements and words are made when the first pages want them, some 100,000 objects; a
full collection walks over all of them, 50 ms in the middle of somebody's page, again and again.
"""

import gc
from typing import Final

_AFTER_S: Final = (60.0, 600.0, 3600.0)
"""Seconds after the start by which most of what stays has been made. A few times, not for ever: who
is served just then leaves a little behind that is never collected."""


def settle() -> None:
    """Collect what is garbage, and never again look at what is left."""
    gc.collect()
    gc.freeze()


class Settling:
    """Settles at the start, and a few times while the first pages are looked at."""

    def __init__(self, now_s: float) -> None:
        settle()
        self._due_s = [now_s + after for after in reversed(_AFTER_S)]

    def look(self, now_s: float) -> None:
        """Settle if it is time; to be asked now and then, with a clock that only goes forward."""
        if self._due_s and now_s >= self._due_s[-1]:
            self._due_s.pop()
            settle()

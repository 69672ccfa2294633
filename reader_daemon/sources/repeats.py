"""Repeats: a card that trembles at the edge of the field is one tap, not five."""

import time

from reader_daemon.feedback.protocol import Signal


class Repeats:
    """Remembers the last card and when it was last seen."""

    def __init__(self, repeat_s: float) -> None:
        self._repeat_s = repeat_s
        self._uid = ""
        self._seen_s = 0.0

    def is_new(self, uid: str) -> bool:
        """Whether this is a tap of its own."""
        now = time.monotonic()
        is_new = uid != self._uid or now - self._seen_s >= self._repeat_s
        self._uid, self._seen_s = uid, now
        return is_new

    def still_there(self) -> None:
        """The last card is seen at this moment."""
        self._seen_s = time.monotonic()

    def answered(self, signal: Signal) -> None:
        """A tap that was not kept may be tried again at once."""
        if signal is Signal.NOT_KEPT:
            self._uid = ""

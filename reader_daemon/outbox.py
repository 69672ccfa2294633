"""What to publish next: live taps at once, the backlog beside them, little while nobody answers.

Pure bookkeeping by tap ids; times are seconds of any steady clock.
"""

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from schema.messages import MAX_TAPS

BACKLOG_WINDOW: Final = 16
"""Backlog messages on their way at once: far below a broker's queue limit of 1,000."""
LIVE_WINDOW: Final = 32
"""Live messages on their way at once; further ones wait in the backlog."""
PATIENCE_S: Final = 10.0
"""How long an acknowledgement is awaited at first."""
LONGEST_PATIENCE_S: Final = 60.0
FIRST_PAUSE_S: Final = 1.0
"""How long nothing is sent after the broker said that nobody listens; doubled up to PATIENCE_S."""


@dataclass
class _Flight:
    ids: set[UUID]
    sent_s: float
    is_live: bool


class Outbox:
    """Every unacknowledged tap is in exactly one place: new, waiting, or in a flight."""

    def __init__(self) -> None:
        self._live: OrderedDict[UUID, None] = OrderedDict()
        self._waiting: OrderedDict[UUID, None] = OrderedDict()
        self._flights: dict[int, _Flight] = {}
        self._flight_of: dict[UUID, int] = {}
        self._number = 0
        self._heard_s = -math.inf
        self._patience_s = PATIENCE_S
        self._pause_s = FIRST_PAUSE_S
        self._paused_until_s = -math.inf

    def add_backlog(self, ids: Iterable[UUID]) -> None:
        """Taps from before, oldest first."""
        for tap_id in ids:
            if not self._knows(tap_id):
                self._waiting[tap_id] = None

    def add_live(self, tap_id: UUID) -> None:
        """A tap that was made this moment."""
        if not self._knows(tap_id):
            self._live[tap_id] = None

    def take(self, now_s: float) -> list[UUID]:
        """The taps of the next message, which is on its way from now; empty if it must wait."""
        if now_s < self._paused_until_s:
            return []
        if self._live and self._count(is_live=True) < LIVE_WINDOW:
            return self._send([self._live.popitem(last=False)[0]], now_s, is_live=True)
        self._waiting.update(self._live)
        self._live.clear()
        window = BACKLOG_WINDOW if self._patience_s == PATIENCE_S else 1
        if not self._waiting or self._count(is_live=False) >= window:
            return []
        size = min(MAX_TAPS, len(self._waiting))
        ids = [self._waiting.popitem(last=False)[0] for _ in range(size)]
        return self._send(ids, now_s, is_live=False)

    def put_back(self, ids: Iterable[UUID]) -> None:
        """Taps that did not fit into the message after all go first in the next one."""
        for tap_id in reversed(list(ids)):
            self._land(tap_id)
            self._waiting[tap_id] = None
            self._waiting.move_to_end(tap_id, last=False)

    def answered(self, ids: Iterable[UUID], now_s: float) -> None:
        """The server named these taps: they are no longer ours."""
        self._heard_s = now_s
        self._patience_s = PATIENCE_S
        self._pause_s = FIRST_PAUSE_S
        self.forget(ids)

    def unheard(self, ids: Iterable[UUID], now_s: float) -> None:
        """The broker took these taps, but no server listens: they wait, and so does the rest.

        A server that starts or comes back is there within seconds; PATIENCE_S would be long.
        """
        self.put_back([tap_id for tap_id in ids if tap_id in self._flight_of])
        self._waiting = OrderedDict.fromkeys(sorted(self._waiting))
        if now_s >= self._paused_until_s:
            self._paused_until_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, PATIENCE_S)

    def forget(self, ids: Iterable[UUID]) -> None:
        """These taps are in the spool no more."""
        for tap_id in ids:
            self._land(tap_id)
            self._live.pop(tap_id, None)
            self._waiting.pop(tap_id, None)

    def expire(self, now_s: float) -> None:
        """What nobody answered waits again, behind the rest; if nobody answers at all, slow down.

        Behind, so that one message that is never answered does not hold up the others.
        """
        late = [
            flight for flight in self._flights.values() if now_s - flight.sent_s >= self._patience_s
        ]
        if not late:
            return
        if all(flight.sent_s > self._heard_s for flight in late):
            self._patience_s = min(2 * self._patience_s, LONGEST_PATIENCE_S)
        for flight in late:
            for tap_id in sorted(flight.ids):
                self._land(tap_id)
                self._waiting[tap_id] = None

    def disconnected(self) -> None:
        """Everything on its way counts as lost and goes first, oldest first."""
        self.put_back(sorted(self._flight_of))
        self._patience_s = PATIENCE_S
        self._pause_s = FIRST_PAUSE_S
        self._paused_until_s = -math.inf

    def _send(self, ids: list[UUID], now_s: float, *, is_live: bool) -> list[UUID]:
        self._number += 1
        self._flights[self._number] = _Flight(set(ids), now_s, is_live)
        self._flight_of.update(dict.fromkeys(ids, self._number))
        return ids

    def _land(self, tap_id: UUID) -> None:
        number = self._flight_of.pop(tap_id, None)
        if number is None:
            return
        flight = self._flights[number]
        flight.ids.discard(tap_id)
        if not flight.ids:
            del self._flights[number]

    def _count(self, *, is_live: bool) -> int:
        return sum(flight.is_live == is_live for flight in self._flights.values())

    def _knows(self, tap_id: UUID) -> bool:
        return tap_id in self._flight_of or tap_id in self._waiting or tap_id in self._live

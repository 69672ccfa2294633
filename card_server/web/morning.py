"""A morning played in about a minute: when each card of a school is held to which gate."""

import logging
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from card_server.errors import AppError
from card_server.web.tray_link import hold_card

_LATE_SHARE = 0.05
_ABSENT_SHARE = 0.02
_LEAST_BEFORE = timedelta(seconds=35)
_LATE_TAIL_S = 12.0
_MANY_FAILURES = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlannedTap:
    """One card at one gate, `at_s` seconds after the start."""

    at_s: float
    uid: str
    reader: str


@dataclass(frozen=True)
class Morning:
    """A plan: its taps in order, and the school's late time that makes the last ones late."""

    late_after: datetime
    taps: list[PlannedTap]


@dataclass(frozen=True)
class Progress:
    """How far a morning has got."""

    is_playing: bool = False
    done: int = 0
    total: int = 0
    refused: int = 0
    failed: int = 0


def plan_morning(uids: Sequence[str], gates: Sequence[str], start: datetime, seed: int) -> Morning:
    """A bell-shaped arrival before the next full minute, a few late ones after it, a few absent.

    A student is late from one whole minute after the school's late time on, so the late time is
    the minute before that full minute.
    """
    chance = random.Random(seed)  # noqa: S311 - a play, not a secret
    turn = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if turn - start < _LEAST_BEFORE:
        turn += timedelta(minutes=1)
    before_s = (turn - start).total_seconds()
    coming = list(uids)
    chance.shuffle(coming)
    coming = coming[round(len(coming) * _ABSENT_SHARE) :]
    late = round(len(coming) * _LATE_SHARE)
    times = [before_s + 1 + chance.random() * _LATE_TAIL_S for _ in range(late)]
    times += [_bell(chance, before_s - 3) for _ in range(len(coming) - late)]
    pairs = sorted(zip(times, coming, strict=True))
    taps = [PlannedTap(at, uid, gates[n % len(gates)]) for n, (at, uid) in enumerate(pairs)]
    return Morning(turn - timedelta(minutes=1), taps)


def _bell(chance: random.Random, width_s: float) -> float:
    """A moment between 0 and width_s, most likely at three fifths of it."""
    while True:
        at = chance.gauss(0.6 * width_s, width_s / 5)
        if 0 <= at <= width_s:
            return at


class MorningPlayer:
    """Plays one morning at a time on a thread of its own, through the readers' trays."""

    def __init__(self, tray_dir: Path) -> None:
        self._tray_dir = tray_dir
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._progress = Progress()

    @property
    def progress(self) -> Progress:
        return self._progress

    def start(self, taps: Sequence[PlannedTap]) -> bool:
        """Begin to play; False while another morning plays."""
        with self._lock:
            if self._thread and self._thread.is_alive():
                return False
            self._stopping.clear()
            self._progress = Progress(is_playing=True, total=len(taps))
            self._thread = threading.Thread(
                target=self._play, args=(taps,), name="morning", daemon=True
            )
            self._thread.start()
            return True

    def stop(self) -> None:
        """Stop in mid-morning; returns when no further tap can come."""
        self._stopping.set()
        with self._lock:
            if self._thread:
                self._thread.join()

    def _play(self, taps: Sequence[PlannedTap]) -> None:
        started = time.monotonic()
        failures = 0
        for tap in taps:
            if self._stopping.wait(max(0.0, started + tap.at_s - time.monotonic())):
                break
            failures = 0 if self._hold(tap) else failures + 1
            if failures >= _MANY_FAILURES:
                _log.warning("the morning ends: the readers do not answer")
                break
        self._progress = replace(self._progress, is_playing=False)

    def _hold(self, tap: PlannedTap) -> bool:
        was = self._progress
        try:
            shown = hold_card(self._tray_dir, tap.reader, tap.uid)
        except AppError:
            self._progress = replace(was, failed=was.failed + 1)
            return False
        refused = was.refused + (shown.signal != "admitted")
        self._progress = replace(was, done=was.done + 1, refused=refused)
        return True

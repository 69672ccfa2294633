"""The daemon: for each card read: judge, keep, show, send; and it dies when a part of it dies."""

import contextlib
import fcntl
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import IO, Final

import structlog

from reader_daemon.cardlist import CardList, Judgement
from reader_daemon.config import Purpose, Settings
from reader_daemon.exits import ExitList
from reader_daemon.feedback.panel import Panel
from reader_daemon.feedback.protocol import Signal
from reader_daemon.feedback.registry import open_feedback
from reader_daemon.link import Link
from reader_daemon.sources.protocol import CardRead, Source
from reader_daemon.sources.registry import open_source
from reader_daemon.spool import NotKeptError, Spool, SpoolBrokenError, free_mb
from schema.messages import Decision, ReaderState, Refusal, SourceState, Status, utc_now

_log = structlog.get_logger()

SPOOL_FILE: Final = "spool.db"
CARDS_FILE: Final = "cards.json"
EXITS_FILE: Final = "exits.json"
LOCK_FILE: Final = "lock"
LOW_DISK_MB: Final = 50
_SETTLED: Final = timedelta(seconds=5)
"""A card that was read this moment may not be in the spool yet: "drained" stays this far behind."""
_GOODBYE_S: Final = 5
_SPELL_S: Final = 1
_MOST_MB: Final = 2**31 - 1
"""What the status message can say of a free disk."""


class AlreadyRunningError(Exception):
    """Another daemon has this state folder."""


class Daemon:
    """The parts of one reader, wired."""

    def __init__(self, settings: Settings, source: Source, spool: Spool) -> None:
        self._settings = settings
        self._source = source
        self._spool = spool
        self._cards = CardList(settings.state_dir / CARDS_FILE)
        self._exits = ExitList(settings.state_dir / EXITS_FILE)
        self._panel = Panel({name: open_feedback(name, settings) for name in settings.feedback})
        self._link = Link(settings, spool, self._cards, self._exits, self.status, self._identify)
        self._keep_failure: str | None = None
        self._stopping = threading.Event()
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()

    def run(self) -> int:
        """Work until stopped by a signal (0) or until a part of it died (1): the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        threads = [
            self._start("reader", self._read_cards),
            self._start("link", self._link.run),
        ]
        ended = self._wait_for_end()
        if not self._stopping.is_set():
            _log.error("part_ended", part=ended)
            return 1
        self._source.close()
        self._link.stop()
        deadline_s = time.monotonic() + _GOODBYE_S
        for thread in threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        self._panel.close()
        return 1 if any(thread.is_alive() for thread in threads) else 0

    def handle(self, read: CardRead) -> None:
        """One tap: no light before it is on disk. Raises SpoolBrokenError after showing it."""
        judged = self._judge(read.uid, read.tapped_at)
        try:
            kept = self._spool.keep(read.uid, read.atr, read.tapped_at, judged)
        except NotKeptError as error:
            self._note_not_kept(str(error))
            self._show(read, Signal.NOT_KEPT, None)
            return
        except SpoolBrokenError:
            self._show(read, Signal.NOT_KEPT, None)
            raise
        self._keep_failure = None
        self._show(read, self._signal_of(judged), judged.reason)
        self._link.wake(kept.tap.id)

    def status(self, state: ReaderState) -> Status:
        """How the reader is, as the server is told."""
        counts = self._spool.counts()
        now = utc_now()
        held = self._cards.held
        is_online = state is ReaderState.ONLINE
        return Status(
            state=state,
            boot=self._spool.boot,
            sent_at=now,
            drained_to=(counts.oldest_at or now - _SETTLED) if is_online else None,
            source=self._source.state if is_online else SourceState.ABSENT,
            cards_version=held.version,
            cards_at=held.at,
            spooled=counts.waiting,
            aside=counts.aside,
            disk_free_mb=min(free_mb(self._settings.state_dir), _MOST_MB),
            failures=self._failures(),
            software=version("campus-card"),
            exits_version=self._exits.exits.version,
        )

    def _judge(self, uid: str, at: datetime) -> Judgement:
        """By both lists. At a desk every card is welcome: staff want to know whose it is."""
        if self._settings.purpose is Purpose.DESK:
            return Judgement(Decision.ADMITTED, None, self._cards.held.version)
        judged = self._cards.judge(uid)
        if judged.decision is Decision.ADMITTED and self._exits.holds(uid, at):
            return Judgement(Decision.REFUSED, Refusal.HELD, judged.cards_version)
        return judged

    def _signal_of(self, judged: Judgement) -> Signal:
        if self._settings.purpose is Purpose.DESK:
            return Signal.READ
        if judged.reason is Refusal.HELD:
            return Signal.HELD
        return Signal.ADMITTED if judged.decision is Decision.ADMITTED else Signal.REFUSED

    def _read_cards(self) -> None:
        with self._source:
            for read in self._source:
                self.handle(read)

    def _show(self, read: CardRead, shown: Signal, reason: Refusal | None) -> None:
        judged_ms = _ms_since(read)
        self._source.show(shown, reason)
        shown_ms = _ms_since(read)
        self._panel.show(shown, reason)
        _log.info(
            "tap",
            signal=shown.value,
            reason=reason.value if reason else None,
            judged_ms=judged_ms,
            shown_ms=shown_ms,
        )
        _log.debug("tap_card", uid=read.uid)

    def _note_not_kept(self, error: str) -> None:
        if not self._keep_failure:
            _log.error("tap_not_kept", error=error)
        self._keep_failure = f"Taps cannot be written to disk: {error}."

    def _failures(self) -> list[str]:
        found = [self._keep_failure, self._cards.failure, self._exits.failure]
        found += self._panel.failures
        if self._source.state is SourceState.ABSENT:
            found.append("The card reader does not answer.")
        free = free_mb(self._settings.state_dir)
        if free < LOW_DISK_MB:
            found.append(f"The disk is nearly full: {free} MB are left.")
        return [failure for failure in found if failure]

    def _identify(self, seconds: int) -> None:
        """Beside everything else, so that taps and messages go on."""

        def show() -> None:
            for _ in range(seconds):
                self._panel.show(Signal.IDENTIFY, None)
                if self._stopping.wait(1):
                    return

        threading.Thread(target=show, name="identify", daemon=True).start()

    def _start(self, name: str, work: Callable[[], None]) -> threading.Thread:
        """A thread whose end, for whatever cause, ends the daemon."""

        def run() -> None:
            try:
                work()
            except Exception:
                _log.error("part_failed", part=name, exc_info=True)
            finally:
                self._ended.put(name)

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def _wait_for_end(self) -> str:
        """Which part or signal ended it.

        In spells: Python would not hear of a signal that comes just before a wait without end.
        """
        while True:
            with contextlib.suppress(queue.Empty):
                return self._ended.get(timeout=_SPELL_S)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._stopping.set()
        self._ended.put(signal.Signals(number).name)


def run_daemon(settings: Settings) -> int:
    """The exit code of one run. Raises AlreadyRunningError, SourceError, OSError, sqlite3.Error."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    lock = take_lock(settings.state_dir)
    source = open_source(settings)
    spool = Spool(settings.state_dir / SPOOL_FILE)
    daemon = Daemon(settings, source, spool)
    _log.info("started", reader=settings.reader, boot=spool.boot, source=settings.source.value)
    code = daemon.run()
    _log.info("stopped", code=code)
    if code != 0:
        # A part may hang in a library; waiting for its thread would keep systemd from a restart.
        sys.stderr.flush()
        os._exit(code)
    spool.close()
    lock.close()
    return code


def take_lock(folder: Path) -> IO[str]:
    """Held until closed or until the process is gone. Raises AlreadyRunningError."""
    lock = (folder / LOCK_FILE).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise AlreadyRunningError(f"Another reader daemon uses {folder}.") from error
    return lock


def _ms_since(read: CardRead) -> float:
    return round((time.perf_counter() - read.read_s) * 1000, 2)

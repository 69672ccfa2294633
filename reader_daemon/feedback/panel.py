"""The panel: shows each signal by every feedback, none of which can hold up the next tap."""

import contextlib
import queue
import threading
from collections.abc import Mapping
from typing import Final

import structlog

from reader_daemon.feedback.protocol import Feedback, Signal
from schema.messages import Refusal

_log = structlog.get_logger()

_BACKLOG: Final = 4
"""Signals that a slow feedback may lag behind; older ones are dropped, they mean nothing now."""


class Panel:
    """Started on creation: one thread for each feedback."""

    def __init__(self, feedbacks: Mapping[str, Feedback]) -> None:
        self._lamps = [_Lamp(name, feedback) for name, feedback in feedbacks.items()]

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        """Returns at once."""
        for lamp in self._lamps:
            lamp.show(signal, reason)

    @property
    def failures(self) -> list[str]:
        """One sentence for each feedback whose last signal failed."""
        return [lamp.failure for lamp in self._lamps if lamp.failure]

    def close(self) -> None:
        """Lamps off; waits a second for what is being shown."""
        for lamp in self._lamps:
            lamp.close()


class _Lamp:
    def __init__(self, name: str, feedback: Feedback) -> None:
        self._name = name
        self._feedback = feedback
        self._signals: queue.Queue[tuple[Signal, Refusal | None] | None] = queue.Queue(_BACKLOG)
        self.failure: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"feedback-{name}", daemon=True)
        self._thread.start()

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        self._put((signal, reason))

    def close(self) -> None:
        self._put(None)
        self._thread.join(1)

    def _put(self, item: tuple[Signal, Refusal | None] | None) -> None:
        while True:
            try:
                self._signals.put_nowait(item)
            except queue.Full:
                with contextlib.suppress(queue.Empty):
                    self._signals.get_nowait()
            else:
                return

    def _run(self) -> None:
        while (item := self._signals.get()) is not None:
            self._try(*item)
        with contextlib.suppress(Exception):
            self._feedback.close()

    def _try(self, signal: Signal, reason: Refusal | None) -> None:
        try:
            self._feedback.show(signal, reason)
        except Exception as error:
            # Whatever a lamp's library raises: taps go on without the lamp, and staff are told.
            if not self.failure:
                _log.error("feedback_broken", feedback=self._name, exc_info=True)
            self.failure = f"The {self._name} feedback does not work: {type(error).__name__}."
        else:
            self.failure = None

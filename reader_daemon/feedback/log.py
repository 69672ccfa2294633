"""Feedback in the log: one line for each signal."""

import structlog

from reader_daemon.config import Settings
from reader_daemon.feedback.protocol import Signal
from schema.messages import Refusal

_log = structlog.get_logger()


class LogFeedback:
    """Says what was shown, not to whom."""

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        _log.info("signal", signal=signal.value, reason=reason.value if reason else None)

    def close(self) -> None:
        """Nothing stays lit."""


def open_feedback(_: Settings) -> LogFeedback:
    """A log needs no set-up."""
    return LogFeedback()

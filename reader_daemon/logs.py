"""The log: JSON lines on stderr, which systemd's journal keeps."""

import contextlib
import logging
import sys
from typing import TextIO, cast

import structlog

from reader_daemon.config import LogLevel


def set_up_logs(level: LogLevel) -> None:
    """From now on every logger writes JSON lines to stderr."""
    # nfcpy says on each try that there is no reader; the source says it once.
    logging.getLogger("nfc").setLevel(logging.CRITICAL + 1)
    threshold = logging.DEBUG if level is LogLevel.DEBUG else logging.INFO
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=False,
    )


class _Unfailing:
    """Standard error on a full disk must not cost a tap: a line is lost instead."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return self._out.write(text)
        return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._out.flush()

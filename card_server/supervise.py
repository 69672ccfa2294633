"""Running the parts of a process until a signal, or until one of them ends when it should not."""

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from types import FrameType

import structlog

from card_server.errors import EXIT_CODE, AppError

Part = Callable[[threading.Event], None]
"""Works until the event is set; ending before is a failure."""

_END_S = 15
_SPELL_S = 1
_FAILED = 70
"""EX_SOFTWARE of sysexits.h: systemd restarts us."""

_log = structlog.get_logger()


def run_until_stopped(parts: Mapping[str, Part]) -> int:
    """Run the parts side by side; the exit code. Call it on the main thread.

    SIGTERM and SIGINT end all parts and give 0. A part that ends by itself ends the process, with
    the code of its AppError or 70: half a server that looks alive is worse than none.
    """
    stop = threading.Event()
    # A queue, since an Event that is waited for locks itself out when a signal's handler sets it.
    ended: queue.SimpleQueue[None] = queue.SimpleQueue()
    codes: list[int] = []

    def run(name: str, part: Part) -> None:
        try:
            part(stop)
            if not stop.is_set():
                _log.error("a part ended by itself", part=name)
                codes.append(_FAILED)
        except AppError as error:
            sys.stderr.write(f"{error.message}\n")
            codes.append(EXIT_CODE[error.code])
        except BaseException:
            _log.exception("a part failed", part=name)
            codes.append(_FAILED)
        finally:
            ended.put(None)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        ended.put(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    threads = [
        threading.Thread(target=run, args=(name, part), name=name, daemon=True)
        for name, part in parts.items()
    ]
    for thread in threads:
        thread.start()
    _wait_for(ended)
    stop.set()
    for thread in threads:
        thread.join(_END_S)
    if any(thread.is_alive() for thread in threads):
        _log.error("a part did not end in time")
        sys.stderr.flush()
        os._exit(max(codes, default=_FAILED))
    return max(codes, default=0)


def _wait_for(ended: queue.SimpleQueue[None]) -> None:
    """In spells: Python would not hear of a signal that comes just before a wait without end."""
    while True:
        with contextlib.suppress(queue.Empty):
            return ended.get(timeout=_SPELL_S)

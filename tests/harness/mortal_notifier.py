"""Notifiers that kill themselves (SIGKILL) at a chosen step, each a process of its own.

What they import takes a second, so they are forked from one process that has imported it.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from sqlalchemy.engine.default import DefaultDialect

from card_server import notifier
from card_server.config import Settings
from integrations.sms.twilio import TwilioCarrier

STEPS: Final = ("claiming", "claimed", "sending", "sent", "recording", "recorded")
"""Before and after the commit of what is taken, the call of the carrier, the record's commit."""
LOOK_UP_STEPS: Final = ("asking", "asked", "settling", "settled")
"""Before and after the carrier is asked, and the commit of what it said."""
ANY: Final = "any"

_PR_SET_PDEATHSIG: Final = 1


class Nursery:
    """The process that forks notifiers, one at a time."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._parent: subprocess.Popen[bytes] | None = None
        self._heard = b""

    def begin(self, settings: dict[str, str], step: str = "", nth: int = 1) -> "Mortal":
        """A notifier that dies when it reaches this step for the n-th time; empty: never."""
        self._say({"settings": settings, "step": step, "nth": nth, "log": str(self.log)})
        return Mortal(int(self.hear(30)), self)

    def hear(self, timeout_s: float) -> str:
        """The next line of the forking process; empty when none comes in time."""
        assert self._parent
        assert self._parent.stdout
        pipe = self._parent.stdout.fileno()
        while b"\n" not in self._heard and select.select([pipe], [], [], timeout_s)[0]:
            more = os.read(pipe, 1000)
            assert more, "the forking process has ended"
            self._heard += more
        line, newline, rest = self._heard.partition(b"\n")
        if not newline:
            return ""
        self._heard = rest
        return line.decode()

    def _say(self, what: dict[str, object]) -> None:
        assert self._parent
        assert self._parent.stdin
        self._parent.stdin.write(json.dumps(what).encode() + b"\n")
        self._parent.stdin.flush()

    def __enter__(self) -> "Nursery":
        self._parent = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl call, no locks
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._parent
        self._parent.kill()
        self._parent.communicate()


class Mortal:
    """One notifier at work."""

    def __init__(self, pid: int, nursery: Nursery) -> None:
        self._pid = pid
        self._nursery = nursery
        self._ended: int | None = None

    def has_ended(self) -> bool:
        if self._ended is None:
            line = self._nursery.hear(0)
            self._ended = int(line) if line else None
        return self._ended is not None

    def end(self, by: signal.Signals) -> int:
        """Its exit code, negative for a signal; it may have ended by itself before."""
        if not self.has_ended():
            os.kill(self._pid, by)
            line = self._nursery.hear(30)
            assert line, f"notifier {self._pid} does not end"
            self._ended = int(line)
        assert self._ended is not None
        return self._ended


def _fork_as_told() -> None:
    # Who is told to end before it listens hears of it as soon as it does.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    for line in sys.stdin:
        told = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(told)
        _tell(pid)
        _, status = os.waitpid(pid, 0)
        _tell(os.waitstatus_to_exitcode(status))


def _tell(what: int) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _live(told: dict[str, Any]) -> None:
    _die_with_parent()
    log = os.open(told["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    _Fate(told["step"], told["nth"]).decide()
    code = 1
    try:
        notifier.run(Settings.model_validate(told["settings"]), stop)
        code = 0
    finally:
        os._exit(code)


class _Fate:
    """Counts the steps that this process takes, and ends it at the chosen one."""

    def __init__(self, step: str, nth: int) -> None:
        self._step = step
        self._left = nth
        self._lock = threading.Lock()
        self._mine = threading.local()

    def decide(self) -> None:
        """From now on every step counts."""
        self._around_commit("claim_due", "claiming", "claimed", lambda taken: bool(taken.claims))
        self._around_commit("record", "recording", "recorded", lambda _: True)
        self._around_commit("settle", "settling", "settled", lambda _: True)
        self._around_call(TwilioCarrier, "send", "sending", "sent")
        self._around_call(TwilioCarrier, "look_up", "asking", "asked")
        commit: Callable[[DefaultDialect, Any], None] = DefaultDialect.do_commit

        def do_commit(dialect: DefaultDialect, connection: Any) -> None:
            commit(dialect, connection)
            done, self._mine.done = getattr(self._mine, "done", ""), ""
            if done:
                self._reach(done)

        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]

    def _reach(self, step: str) -> None:
        if self._step not in (step, ANY):
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def _around_commit(
        self, name: str, before: str, after: str, counts: Callable[[Any], bool]
    ) -> None:
        """One of the notifier's functions that works in a transaction."""
        original = getattr(notifier, name)

        def wrapped(*arguments: Any) -> Any:
            result = original(*arguments)
            if counts(result):
                self._reach(before)
                self._mine.done = after
            return result

        setattr(notifier, name, wrapped)

    def _around_call(self, owner: type, name: str, before: str, after: str) -> None:
        original = getattr(owner, name)

        def wrapped(*arguments: Any) -> Any:
            self._reach(before)
            try:
                return original(*arguments)
            finally:
                self._reach(after)

        setattr(owner, name, wrapped)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    _fork_as_told()

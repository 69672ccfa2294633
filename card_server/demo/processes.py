"""A tree of child processes that ends as a whole, whatever ends first.

Each child is in a session of its own, so that Ctrl-C in the terminal reaches this process only,
and dies with this process even if that is killed: nothing outlives the demo.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.1
_STOP_S = 5
_END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ChildDiedError(Exception):
    """A child ended by itself; the text names it and shows its last words."""


class StoppedError(Exception):
    """Somebody asked this process to end (Ctrl-C, SIGTERM, the terminal closed)."""


class ProcessTree:
    """Children by name; entered in the main thread, all of them are ended on leaving."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "ProcessTree":
        self._logs.mkdir(parents=True, exist_ok=True)
        for end in _END_SIGNALS:
            signal.signal(end, _raise_stopped)
        return self

    def __exit__(self, *_: object) -> None:
        # A second Ctrl-C must not leave half of the children behind.
        for end in _END_SIGNALS:
            signal.signal(end, signal.SIG_IGN)
        self._stop_all()

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start a child; what it says goes to its log."""
        parent = os.getpid()
        with self.log(name).open("wb") as out:
            self._children[name] = subprocess.Popen(
                argv,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509  no threads here
            )

    def log(self, name: str) -> Path:
        """Where a child's output is."""
        return self._logs / f"{name}.log"

    def wait_until(self, condition: Callable[[], bool], what: str, timeout_s: float) -> None:
        """Raises ChildDiedError as soon as a child ends, TimeoutError after the time."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self._check_children()
            if time.monotonic() > deadline:
                raise TimeoutError(f"Waited {timeout_s:.0f} s in vain for {what}.")
            time.sleep(_POLL_S)

    def watch(self) -> None:
        """Never returns: raises StoppedError or ChildDiedError."""
        while True:
            self._check_children()
            time.sleep(_POLL_S)

    def _check_children(self) -> None:
        for name, child in self._children.items():
            code = child.poll()
            if code is not None:
                raise ChildDiedError(f"{name} ended ({_said(code)}). {self._last_words(name)}")

    def _last_words(self, name: str) -> str:
        lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
        shown = "\n".join(f"  {line}" for line in lines) or "  (nothing)"
        return f"Its last words, all of them are in {self.log(name)}:\n{shown}"

    def _stop_all(self) -> None:
        """The last started first: readers before the server, the server before the broker."""
        for child in reversed(self._children.values()):
            _signal_group(child, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                child.wait(_STOP_S / len(self._children))
        deadline = time.monotonic() + _STOP_S
        for child in self._children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0, deadline - time.monotonic()))
            _signal_group(child, signal.SIGKILL)
            child.wait()


def _raise_stopped(number: int, _frame: FrameType | None) -> None:
    raise StoppedError(signal.Signals(number).name)


def _die_with(parent: int) -> None:
    """In the child, before its program starts."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def _said(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"

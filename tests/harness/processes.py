"""A child process with its output kept in a file, which dies with the test."""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

_PR_SET_PDEATHSIG = 1


class Process:
    """Started on entry, stopped on exit; may be killed and started again in between."""

    def __init__(
        self,
        argv: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.argv = list(argv)
        self.log = log
        self.stop_signal = stop_signal
        self.env = {**os.environ, **(env or {})}
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self._child = subprocess.Popen(
                self.argv,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl call, no locks
            )

    @property
    def pid(self) -> int:
        assert self._child
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal."""
        assert self._child
        return self._child.poll()

    def wait(self, timeout_s: float = 20) -> int:
        assert self._child
        return self._child.wait(timeout_s)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self._child
        self._child.kill()
        self._child.wait()

    def stop(self, timeout_s: float = 20) -> int:
        """The stop signal, and SIGKILL if that does not do; the exit code."""
        assert self._child
        if self._child.poll() is None:
            self._child.send_signal(self.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._child.wait(timeout_s)
        self.kill()
        return self._child.wait()

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def __enter__(self) -> "Process":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._child:
            self.stop()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

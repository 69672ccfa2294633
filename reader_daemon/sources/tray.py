"""The card tray of the demo: cards tapped by a program, over a Unix socket.

A client writes lines `{"uid": "04A1B2C3D4E5F6"}`. Each is answered, in order and once the
decision has been shown, by `{"signal": "refused", "reason": "lost"}`, or by `{"error": "…"}`.
"""

import contextlib
import queue
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from reader_daemon.config import Settings
from reader_daemon.feedback.protocol import Signal
from reader_daemon.sources.protocol import CardRead, SourceError
from schema.messages import Refusal, SourceState, Uid

_LONGEST_LINE: Final = 1024
_ANSWER_S: Final = 30


class Pressed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client writes."""

    uid: Uid


class Shown(msgspec.Struct, frozen=True):
    """What a client gets for a card."""

    signal: Signal
    reason: Refusal | None


class _Press:
    """One card on its way through the daemon."""

    def __init__(self, uid: str) -> None:
        self.uid = uid
        self.answer: queue.SimpleQueue[Shown] = queue.SimpleQueue()


class TraySource:
    """Listens from entry to exit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._presses: queue.SimpleQueue[_Press | None] = queue.SimpleQueue()
        self._current: _Press | None = None
        self._server: _Server | None = None

    @property
    def state(self) -> SourceState:
        return SourceState.READY if self._server else SourceState.ABSENT

    def __iter__(self) -> Iterator[CardRead]:
        while (press := self._presses.get()) is not None:
            self._current = press
            yield CardRead(press.uid)

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        """Answer the card that was pressed last."""
        if self._current:
            self._current.answer.put(Shown(signal, reason))
            self._current = None

    def close(self) -> None:
        self._presses.put(None)

    def check(self) -> str:
        if not self._path.parent.is_dir():
            raise SourceError(f"The folder of the tray's socket is missing: {self._path.parent}")
        return f"The card tray can listen at {self._path}."

    def press(self, line: bytes) -> bytes:
        """The answer to one line of a client; waits until the decision was shown."""
        try:
            press = _Press(msgspec.json.decode(line, type=Pressed).uid)
        except ValueError as error:
            return msgspec.json.encode({"error": f"Not a card: {error}"})
        self._presses.put(press)
        try:
            return msgspec.json.encode(press.answer.get(timeout=_ANSWER_S))
        except queue.Empty:
            return msgspec.json.encode({"error": "The reader does not answer."})

    def __enter__(self) -> Self:
        # What a crash left there: a second daemon is kept out by the state folder's lock.
        self._path.unlink(missing_ok=True)
        self._server = _Server(str(self._path), self)
        threading.Thread(target=self._server.serve_forever, name="tray", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: str, tray: TraySource) -> None:
        self.tray = tray
        super().__init__(path, _Client)


class _Client(socketserver.StreamRequestHandler):
    server: _Server
    connection: socket.socket

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while line := self.rfile.readline(_LONGEST_LINE):
                if not line.endswith(b"\n"):
                    self.wfile.write(b'{"error":"A line without an end, or too long."}\n')
                    return
                self.wfile.write(self.server.tray.press(line) + b"\n")


def open_source(settings: Settings) -> TraySource:
    """The tray at the settings' socket."""
    if settings.tray_socket is None:
        raise SourceError("tray_socket is empty")
    return TraySource(settings.tray_socket)

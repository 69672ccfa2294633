"""A hand at the card tray: presses cards over its socket and reads the answers."""

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.harness.waiting import wait_for


class Hand:
    """Connected from entry to exit, as soon as the daemon listens."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def press(self, uid: str) -> dict[str, Any]:
        """The answer to one card."""
        return self.say(json.dumps({"uid": uid}).encode())

    def say(self, *lines: bytes) -> dict[str, Any]:
        """Write the lines at once; the answer to the last one."""
        self._socket.sendall(b"".join(line + b"\n" for line in lines))
        answers = [self._file.readline() for _ in lines]
        answer: dict[str, Any] = json.loads(answers[-1])
        return answer

    def __enter__(self) -> "Hand":
        connected = wait_for(self._connect, 20, "the tray")
        assert connected
        self._socket = connected
        self._socket.settimeout(20)
        self._file = self._socket.makefile("rb")
        return self

    def _connect(self) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            return None
        return connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._socket.close()

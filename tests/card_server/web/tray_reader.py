"""A reader's tray as a web process meets it: a Unix socket that answers a line with a line."""

import json
import socket
import threading
from pathlib import Path
from types import TracebackType


class TrayReader:
    """Listens at `<code>.sock` while entered; remembers the cards that were held to it."""

    def __init__(self, folder: Path, code: str, refused: dict[str, str] | None = None) -> None:
        self.uids: list[str] = []
        self._refused = refused or {}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f"{code}.sock"))
        self._listener.listen()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "TrayReader":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            with link, link.makefile("r") as lines:
                uid = json.loads(lines.readline())["uid"]
                self.uids.append(uid)
                reason = self._refused.get(uid)
                signal = "refused" if reason else "admitted"
                link.sendall(json.dumps({"signal": signal, "reason": reason}).encode() + b"\n")

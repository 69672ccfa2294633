"""A student's card on nfcpy's udp link: answers the reader's anticollision (ISO/IEC 14443-3 §6)."""

import contextlib
import functools
import operator
import socket
import threading
from types import TracebackType

from tests.harness.waiting import wait_for

_SENS_REQ = b"\x26"
_CASCADE = 0x88
_MORE_FOLLOWS = 0x04


class NfcCard:
    """Listens from entry to exit; answers only while it is presented."""

    def __init__(self, uid: str) -> None:
        self.uid = uid
        self.selected = 0
        """How often a reader came to the end of the anticollision."""
        self.missed = 0
        """How often a reader asked while no card was there."""
        self._is_present = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def path(self) -> str:
        """The reader's `nfcpy_path`."""
        return f"udp:127.0.0.1:{self._socket.getsockname()[1]}"

    def present(self) -> None:
        self._is_present = True

    def remove(self) -> None:
        self._is_present = False

    def tap(self) -> None:
        """Hold it to the reader until it was read once, and stay away until that was noticed."""
        selected = self.selected
        self.present()
        wait_for(lambda: self.selected > selected, what="the reader to select the card")
        self.remove()
        missed = self.missed
        wait_for(lambda: self.missed >= missed + 2, what="the reader to miss the card")

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, reader = self._socket.recvfrom(1024)
                if data == b"stop":
                    return
                kind, _, body = data.partition(b" ")
                if not self._is_present:
                    self.missed += 1
                    continue
                answer = self._answer(bytes.fromhex(body.decode()))
                if answer is not None:
                    self._socket.sendto(kind + b" " + answer.hex().encode(), reader)

    def _answer(self, request: bytes) -> bytes | None:
        """One step: the card's kind, a part of its number, or that this part was selected."""
        if request == _SENS_REQ:
            return b"\x44\x00"
        parts = _cascade(bytes.fromhex(self.uid))
        level = b"\x93\x95\x97".find(request[:1]) if len(request) > 1 else -1
        if not 0 <= level < len(parts):
            return None
        if request[1] == 0x20:
            return parts[level]
        if request[1:] != b"\x70" + parts[level]:
            return None
        is_last = level == len(parts) - 1
        self.selected += is_last
        return bytes([0 if is_last else _MORE_FOLLOWS])

    def __enter__(self) -> "NfcCard":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Closing alone would not wake the thread.
        self._socket.sendto(b"stop", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()


def _cascade(uid: bytes) -> list[bytes]:
    """The number in parts of four bytes and a check byte, as the reader asks for it."""
    parts = []
    while len(uid) > 4:
        parts.append(bytes([_CASCADE]) + uid[:3])
        uid = uid[3:]
    parts.append(uid)
    return [part + bytes([functools.reduce(operator.xor, part)]) for part in parts]

"""A student's card in a virtual reader, speaking vpcd's protocol: two bytes of length, then data.

It judges the daemon from outside: it counts the green and red answers that it was shown.
"""

import contextlib
import socket
import threading
import time
from types import TracebackType

from tests.harness.waiting import wait_for

ATR = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
"""A contactless memory card by PC/SC part 3 §3.1.3.2.3.1: MIFARE Classic 1K."""
_POWER_OFF, _POWER_ON, _RESET, _GET_ATR = b"\x00", b"\x01", b"\x02", b"\x04"
_GET_UID = bytes.fromhex("FFCA0000")
_LIGHT = bytes.fromhex("FF0040")
_MUTE = bytes.fromhex("FF0052")
_OK = b"\x90\x00"
_GREEN_BITS = 0b10100010
_RED_BITS = 0b01010001


class VirtualCard:
    """One card for one virtual reader; presented and removed as often as wanted."""

    def __init__(self, port: int, uid: str, atr: bytes = ATR) -> None:
        self.port = port
        self.uid = uid
        self.atr = atr
        self.greens = 0
        """How often the daemon answered with the green beep."""
        self.reds = 0
        self.reads = 0
        self.lights: list[bytes] = []
        """Every light APDU, in order."""
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def present(self) -> None:
        """Hold the card to the reader, and keep it there."""
        self.remove_at_once()
        self._socket = wait_for(self._connect, what=f"virtual reader on {self.port}")
        self._thread = threading.Thread(target=self._answer, args=(self._socket,), daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Take it away, and stay away until pcscd, which looks each 400 ms, has noticed."""
        self.remove_at_once()
        time.sleep(0.55)

    def remove_at_once(self) -> None:
        """Take it away without waiting, as at the end of a test."""
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._socket = None
        if self._thread:
            self._thread.join(5)

    def tap(self, timeout_s: float = 5) -> bool:
        """Present, wait for any light, remove. Whether the light was green."""
        greens, lights = self.greens, len(self.lights)
        self.present()
        try:
            wait_for(lambda: len(self.lights) > lights, timeout_s, "a light")
        finally:
            self.remove()
        return self.greens > greens

    def _connect(self) -> socket.socket | None:
        connection = socket.socket()
        try:
            connection.connect(("127.0.0.1", self.port))
        except OSError:
            connection.close()
            return None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                size = int.from_bytes(_receive(connection, 2), "big")
                answer = self._answer_to(_receive(connection, size))
                if answer is not None:
                    connection.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer_to(self, data: bytes) -> bytes | None:
        if data in (_POWER_OFF, _POWER_ON, _RESET):
            return None
        if data == _GET_ATR:
            return self.atr
        if data.startswith(_GET_UID):
            self.reads += 1
            return bytes.fromhex(self.uid) + _OK
        if data.startswith(_LIGHT):
            self._note_light(data)
            return _OK
        return _OK if data.startswith(_MUTE) else b"\x6d\x00"

    def _note_light(self, apdu: bytes) -> None:
        is_green = bool(apdu[3] & _GREEN_BITS)
        is_red = bool(apdu[3] & _RED_BITS)
        self.greens += is_green and not is_red
        self.reds += is_red and not is_green
        self.lights.append(apdu)

    def __enter__(self) -> "VirtualCard":
        self.present()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove_at_once()


def _receive(connection: socket.socket, size: int) -> bytes:
    """vpcd writes length and body apart: without a quick ACK each APDU waits 40 ms."""
    data = b""
    while len(data) < size:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data

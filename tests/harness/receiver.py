"""A local HTTP server in a webhook's receiver's place: it keeps what came and answers as told."""

import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.harness.local_http import Listener, LocalServer, QuietHandler


@dataclass(frozen=True)
class Came:
    """One event as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """The client's port: equal for two events that came over one connection."""

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Reply = Callable[["_Handler"], None]


class Receiver(LocalServer):
    """Takes each event, after the answers that `answer_with` has lined up are used up."""

    def __init__(self, certificate: Path | None = None) -> None:
        listener = _Listener(_Handler)
        listener.receiver = self
        super().__init__(listener)
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._listener.socket = context.wrap_socket(self._listener.socket, server_side=True)
            self._scheme = "https"
        self._lock = threading.Lock()
        self._answers: deque[Reply] = deque()
        self._came: list[Came] = []
        self.always: Reply = answer(204)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/hook"

    @property
    def came(self) -> list[Came]:
        """All events so far, in the order they came."""
        with self._lock:
            return list(self._came)

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.came]

    def answer_with(self, *answers: Reply) -> None:
        """How to answer the next events, one answer each."""
        with self._lock:
            self._answers.extend(answers)

    def take(self, came: Came) -> Reply:
        """Keep an event; the answer that it gets."""
        with self._lock:
            self._came.append(came)
            return self._answers.popleft() if self._answers else self.always


def answer(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
    """An answer with this status."""

    def reply(handler: "_Handler") -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def stall(handler: "_Handler") -> None:
    """Take the event and say nothing until released."""
    handler.server.receiver.released.wait(60)
    handler.close_connection = True


def cut(handler: "_Handler") -> None:
    """Take the event and close the connection without a word."""
    handler.close_connection = True


def drip(handler: "_Handler") -> None:
    """Begin an answer and go on with one byte now and then, for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not handler.server.receiver.released.wait(0.05):
        try:
            handler.wfile.write(b"x")
        except OSError:
            break
    handler.close_connection = True


def flood(handler: "_Handler") -> None:
    """An answer without an end."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while not handler.server.receiver.released.is_set():
            handler.wfile.write(bytes(64 * 1024))
    except OSError:
        pass
    handler.close_connection = True


class _Listener(Listener):
    receiver: Receiver

    def handle_error(self, *_: object) -> None:
        """Clients that refuse a certificate or are killed leave in the middle."""


class _Handler(QuietHandler):
    server: _Listener

    def post(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.receiver.take(Came(self.path, headers, body, self.client_address[1]))(self)

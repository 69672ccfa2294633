"""A local HTTP server on a thread, of which the servers in other people's places are made."""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class LocalServer:
    """Started on entry; on exit it lets go of the requests that it holds, and ends."""

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._thread = threading.Thread(target=listener.serve_forever, args=(0.05,))
        self.released = threading.Event()
        """Set to let go of the requests that answers hold."""

    @property
    def port(self) -> int:
        return self._listener.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


class Listener(ThreadingHTTPServer):
    """A free port of this machine; a test that ends waits for no request."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)


class QuietHandler(BaseHTTPRequestHandler):
    """Keeps connections open, as carriers do, and writes no log."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def get(self) -> None:
        """Answer a request to tell something; a server that tells nothing refuses it."""
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    def post(self) -> None:
        """Answer a request to do something; a server that does nothing refuses it."""
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    def log_message(self, *_: object) -> None:
        """The test asks for what it wants to know."""

"""What every server process answers to /live, /ready and /metrics."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

Check = Callable[[], str | None]
"""None while all is well, else one sentence that says what is not."""


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


def answer(path: str, checks: Mapping[str, Check]) -> Answer:
    """The answer to one of the three paths; 404 for any other."""
    if path == "/live":
        return Answer(200, "application/json", b'{"live": true}')
    if path == "/metrics":
        return Answer(200, CONTENT_TYPE_LATEST, generate_latest())
    if path != "/ready":
        return Answer(404, "application/json", b"{}")
    wrong = {name: said for name, check in checks.items() if (said := check()) is not None}
    body = json.dumps({"ready": not wrong, "wrong": wrong}, ensure_ascii=False).encode()
    return Answer(503 if wrong else 200, "application/json", body)


def check_database(engine: Engine) -> Check:
    """Whether the database answers a query now."""

    def check() -> str | None:
        try:
            with engine.connect().execution_options(read_only=True) as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            return f"The database does not answer: {type(error).__name__}."
        return None

    return check


def serve_health(port: int, checks: Mapping[str, Check]) -> ThreadingHTTPServer:
    """Answer on loopback, on a thread of its own; `server_port` tells which port it is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content_type, body = answer(self.path, checks)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A probe every few seconds is not worth a line."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server

"""A local HTTP server in Twilio's place: it keeps what was asked and answers as it is told."""

import base64
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qs

ACCOUNT = "AC" + "0" * 32
TOKEN = "a-token-of-this-test"
SENDER = "+8610000000001"


@dataclass(frozen=True)
class Asked:
    """One request to send a message, as it came over the wire."""

    path: str
    account: str
    token: str
    fields: dict[str, str]

    @property
    def to(self) -> str:
        return self.fields["To"]

    @property
    def text(self) -> str:
        return self.fields["Body"]


Answer = Callable[["_Handler"], None]


class SmsServer:
    """Accepts each message, after the answers that `answer_with` has lined up are used up."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.sms = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._lock = threading.Lock()
        self._answers: deque[Answer] = deque()
        self._asked: list[Asked] = []
        self.always: Answer = accept
        self.account_status = "active"
        self.released = threading.Event()
        """Set to let go of the requests that `stall` holds."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def asked(self) -> list[Asked]:
        """All requests to send a message so far, in the order they came."""
        with self._lock:
            return list(self._asked)

    def answer_with(self, *answers: Answer) -> None:
        """How to answer the next messages, one answer each."""
        with self._lock:
            self._answers.extend(answers)

    def take(self, asked: Asked) -> Answer:
        """Keep the request; the answer that it gets."""
        with self._lock:
            self._asked.append(asked)
            return self._answers.popleft() if self._answers else self.always

    def settings(self) -> dict[str, str]:
        """The server's settings that send messages here."""
        return {
            "sms_provider": "twilio",
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_sender": SENDER,
            "twilio_base_url": self.url,
        }

    def __enter__(self) -> "SmsServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def accept(handler: "_Handler") -> None:
    """201 with a message's SID, as Twilio answers."""
    handler.reply(201, {"sid": f"SM{handler.number:032x}", "status": "queued", "error_code": None})


def stall(handler: "_Handler") -> None:
    """Take the message and say nothing until released."""
    handler.server.sms.released.wait(60)
    handler.close_connection = True


def accept_when_released(handler: "_Handler") -> None:
    """Take the message, and accept it only when released."""
    handler.server.sms.released.wait(60)
    accept(handler)


def cut(handler: "_Handler") -> None:
    """Take the message and close the connection without a word."""
    handler.close_connection = True


def refuse(status: int, code: int, headers: dict[str, str] | None = None) -> Answer:
    """An error in Twilio's shape; its text repeats the number, as Twilio's own does."""

    def answer(handler: "_Handler") -> None:
        message = f"The 'To' number {handler.to} is not acceptable"
        body = {"code": code, "message": message, "more_info": "", "status": status}
        handler.reply(status, body, headers)

    return answer


def fail_at_once(code: int) -> Answer:
    """201, but the message is already marked as failed."""

    def answer(handler: "_Handler") -> None:
        handler.reply(201, {"sid": "SM" + "f" * 32, "status": "failed", "error_code": code})

    return answer


def garble(handler: "_Handler") -> None:
    """201 with a body that is not JSON."""
    handler.reply_bytes(201, b"<html>", {})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    sms: SmsServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    to = ""
    number = 0

    def do_GET(self) -> None:
        if not self.path.startswith(f"/2010-04-01/Accounts/{ACCOUNT}"):
            self.reply(404, {"code": 20404, "message": "not found", "status": 404})
        elif self._credentials() != (ACCOUNT, TOKEN):
            self.reply(401, {"code": 20003, "message": "Authenticate", "status": 401})
        else:
            self.reply(200, {"sid": ACCOUNT, "status": self.server.sms.account_status})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.to = fields["To"]
        answer = self.server.sms.take(Asked(self.path, *self._credentials(), fields))
        self.number = len(self.server.sms.asked)
        answer(self)

    def reply(
        self, status: int, body: dict[str, object], headers: dict[str, str] | None = None
    ) -> None:
        self.reply_bytes(status, json.dumps(body).encode(), headers or {})

    def reply_bytes(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _credentials(self) -> tuple[str, str]:
        encoded = self.headers.get("Authorization", "").removeprefix("Basic ")
        account, _, token = base64.b64decode(encoded).decode().partition(":")
        return account, token

    def log_message(self, *_: object) -> None:
        """The test asks for what it wants to know."""

"""A local HTTP server in Twilio's place: it keeps what was asked and answers as it is told.

A message that it took, whatever it answered then, can be fetched and listed as Twilio's can.
"""

import base64
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from twilio.request_validator import RequestValidator

from tests.harness.local_http import Listener, LocalServer, QuietHandler

ACCOUNT = "AC" + "0" * 32
TOKEN = "a-token-of-this-test"
SENDER = "+8610000000001"
_ACCOUNT_PATH = f"/2010-04-01/Accounts/{ACCOUNT}"


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


@dataclass(frozen=True)
class Kept:
    """One message as Twilio has it."""

    sid: str
    to: str
    text: str
    state: str
    error_code: int | None
    created_at: datetime

    def described(self) -> dict[str, object]:
        """As Twilio's API shows it; what still waits was sent at no time."""
        created = format_datetime(self.created_at)
        return {
            "sid": self.sid,
            "to": self.to,
            "body": self.text,
            "status": self.state,
            "error_code": self.error_code,
            "date_created": created,
            "date_sent": None if self.state == "queued" else created,
        }


Answer = Callable[["_Handler"], None]


class SmsServer(LocalServer):
    """Accepts each message, after the answers that `answer_with` has lined up are used up."""

    def __init__(self) -> None:
        listener = _Listener(_Handler)
        listener.sms = self
        super().__init__(listener)
        self._lock = threading.Lock()
        self._answers: deque[Answer] = deque()
        self._asked: list[Asked] = []
        self._kept: list[Kept] = []
        self._questions: list[str] = []
        self.answers_to: dict[str, Answer] = {}
        """How messages to these numbers are answered, when nothing is lined up."""
        self.always: Answer = accept
        self.account_status = "active"

    @property
    def asked(self) -> list[Asked]:
        """All requests to send a message so far, in the order they came."""
        with self._lock:
            return list(self._asked)

    @property
    def questions(self) -> list[str]:
        """The paths, with their queries, of all requests to tell something."""
        with self._lock:
            return list(self._questions)

    @property
    def kept(self) -> list[Kept]:
        """All messages that were taken, the newest first."""
        with self._lock:
            return list(reversed(self._kept))

    def keep(
        self,
        to: str,
        text: str,
        state: str = "queued",
        error_code: int | None = None,
        created_at: datetime | None = None,
    ) -> Kept:
        """Take a message."""
        with self._lock:
            sid = f"SM{len(self._kept) + 1:032x}"
            one = Kept(sid, to, text, state, error_code, created_at or datetime.now(UTC))
            self._kept.append(one)
        return one

    def note_question(self, path: str) -> None:
        """Keep that somebody asked."""
        with self._lock:
            self._questions.append(path)

    def turn(self, sid: str, state: str, error_code: int | None = None) -> None:
        """Let a message that was taken come to this state."""
        with self._lock:
            self._kept = [
                replace(one, state=state, error_code=error_code) if one.sid == sid else one
                for one in self._kept
            ]

    def answer_with(self, *answers: Answer) -> None:
        """How to answer the next messages, one answer each."""
        with self._lock:
            self._answers.extend(answers)

    def take(self, asked: Asked) -> Answer:
        """Keep the request; the answer that it gets."""
        with self._lock:
            self._asked.append(asked)
            if self._answers:
                return self._answers.popleft()
            return self.answers_to.get(asked.to, self.always)

    def settings(self) -> dict[str, str]:
        """The server's settings that send messages here."""
        return {
            "sms_providers": "twilio",
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_sender": SENDER,
            "twilio_base_url": self.url,
        }


def accept(handler: "_Handler") -> None:
    """201 with a message's SID, as Twilio answers."""
    handler.reply(201, handler.keep().described())


def stall(handler: "_Handler") -> None:
    """Read the message and say nothing until released."""
    handler.server.sms.released.wait(60)
    handler.close_connection = True


def take_and_stall(handler: "_Handler") -> None:
    """Take the message and say nothing until released."""
    handler.keep()
    stall(handler)


def take_and_cut(handler: "_Handler") -> None:
    """Take the message and close the connection without a word."""
    handler.keep()
    handler.close_connection = True


def accept_when_released(handler: "_Handler") -> None:
    """Take the message, and accept it only when released."""
    handler.server.sms.released.wait(60)
    accept(handler)


def cut(handler: "_Handler") -> None:
    """Read the message and close the connection without a word."""
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
        handler.reply(201, handler.keep("failed", code).described())

    return answer


def garble(handler: "_Handler") -> None:
    """201 with a body that is not JSON."""
    handler.reply_bytes(201, b"<html>", {})


def sign(url: str, fields: dict[str, str]) -> str:
    """The X-Twilio-Signature of a request that Twilio makes to us."""
    return str(RequestValidator(TOKEN).compute_signature(url, fields))


class _Listener(Listener):
    sms: SmsServer


class _Handler(QuietHandler):
    server: _Listener
    fields: dict[str, str] = {}

    @property
    def to(self) -> str:
        return self.fields["To"]

    def keep(self, state: str = "queued", error_code: int | None = None) -> Kept:
        return self.server.sms.keep(self.to, self.fields["Body"], state, error_code)

    def get(self) -> None:
        sms, url = self.server.sms, urlsplit(self.path)
        sms.note_question(self.path)
        if not url.path.startswith(_ACCOUNT_PATH):
            self.reply(404, {"code": 20404, "message": "not found", "status": 404})
        elif self._credentials() != (ACCOUNT, TOKEN):
            self.reply(401, {"code": 20003, "message": "Authenticate", "status": 401})
        elif url.path == f"{_ACCOUNT_PATH}/Messages.json":
            self._list({name: values[0] for name, values in parse_qs(url.query).items()})
        elif url.path.startswith(f"{_ACCOUNT_PATH}/Messages/"):
            self._fetch(url.path.rpartition("/")[2].removesuffix(".json"))
        else:
            self.reply(200, {"sid": ACCOUNT, "status": sms.account_status})

    def _list(self, query: dict[str, str]) -> None:
        """The messages to one number, in pages."""
        size, page = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
        found = [one for one in self.server.sms.kept if one.to == query["To"]]
        shown = found[page * size : (page + 1) * size]
        following = urlencode(query | {"Page": page + 1})
        self.reply(
            200,
            {
                "messages": [one.described() for one in shown],
                "page": page,
                "page_size": size,
                "next_page_uri": f"{_ACCOUNT_PATH}/Messages.json?{following}"
                if len(found) > (page + 1) * size
                else None,
            },
        )

    def _fetch(self, sid: str) -> None:
        found = [one for one in self.server.sms.kept if one.sid == sid]
        if found:
            self.reply(200, found[0].described())
        else:
            self.reply(404, {"code": 20404, "message": "not found", "status": 404})

    def post(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            # Whoever asked was ended in the middle of it: nobody has asked.
            self.close_connection = True
            return
        self.fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        answer = self.server.sms.take(Asked(self.path, *self._credentials(), self.fields))
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

"""A local HTTP server in a carrier's place: it keeps what was asked and answers as it is told."""

import json
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.harness.local_http import Listener, LocalServer, QuietHandler


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, as JSON unless the headers say otherwise."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


STALL = Answer()
"""Take the request and say nothing until the server ends."""
CUT = Answer()
"""Take the request and close the connection without a word."""
TORN = Answer(200, b'{"Resp', {"Content-Length": "400"})
"""Close the connection in the middle of the answer."""
GARBLED = Answer(200, b"<html>welcome to the hotel</html>")


def say(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, json.dumps(body).encode(), headers or {})


class ToldServer(LocalServer, ABC):
    """A server that a carrier's own server is made of: it says what `handle` does."""

    def __init__(self) -> None:
        listener = _Listener(_Handler)
        listener.told = self
        super().__init__(listener)
        self._lock = threading.Lock()
        self._answers: deque[Answer] = deque()
        self._asked: list[Asked] = []
        self.answers_to: dict[str, Answer] = {}
        """How messages to these are answered, when nothing is lined up."""

    @property
    def asked(self) -> list[Asked]:
        """All requests that `take` kept, in the order they came."""
        with self._lock:
            return list(self._asked)

    def answer_with(self, *answers: Answer) -> None:
        """How to answer the next requests that `take` keeps, one answer each."""
        with self._lock:
            self._answers.extend(answers)

    def take(self, asked: Asked) -> tuple[int, Answer | None]:
        """Keep the request: its number, and the answer that was lined up for it."""
        with self._lock:
            self._asked.append(asked)
            if self._answers:
                return len(self._asked), self._answers.popleft()
            return len(self._asked), self.answers_to.get(self.addressee(asked))

    @abstractmethod
    def addressee(self, asked: Asked) -> str:
        """Who gets the message; empty for requests that send none."""

    @abstractmethod
    def handle(self, asked: Asked) -> Answer:
        """The answer to a request."""


class _Listener(Listener):
    told: ToldServer


class _Handler(QuietHandler):
    server: _Listener

    def get(self) -> None:
        self._answer()

    def post(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.told.handle(Asked(self.command, self.path, headers, body))
        if answer is STALL:
            self.server.told.released.wait(60)
        self.close_connection = answer is STALL or answer is CUT or answer is TORN
        if answer is not STALL and answer is not CUT:
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        own = {"Content-Type": "application/json", "Content-Length": str(len(answer.body))}
        self.send_response(answer.status)
        for name, value in (own | dict(answer.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

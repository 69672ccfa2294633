"""A OneRoster service on a local socket: checks token, paging and filter, and errs when told to."""

import base64
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from integrations.roster.oneroster.rest_line import Access
from integrations.roster.oneroster.tables import Version
from tests.harness.local_http import Listener, LocalServer, QuietHandler

CLIENT = "school-12"
SECRET = "a-secret-of-this-test"

Record = dict[str, Any]
Answer = Callable[["_Handler"], None]


@dataclass(frozen=True)
class Asked:
    """One request for a collection."""

    path: str
    query: dict[str, str]
    token: str
    headers: dict[str, str] = field(repr=False)

    @property
    def collection(self) -> str:
        return self.path.rpartition("/")[2]


class Service(LocalServer):
    """Serves the collections, after the answers that `answer_with` has lined up are used up."""

    def __init__(
        self, collections: Mapping[str, list[Record]], path: str, largest_page: int = 2
    ) -> None:
        self.collections = dict(collections)
        self.path = path
        self.largest_page = largest_page
        self.says_total = True
        self.says_next = False
        self.knows_pages = True
        self.scopes: list[str] = []
        self.tokens: list[str] = []
        self.refuses_tokens = False
        self.answers: deque[Answer] = deque()
        self.asked: list[Asked] = []
        listener = _Listener(_Handler)
        listener.service = self
        super().__init__(listener)

    def access(self, version: Version = Version.V1_2, **changes: Any) -> Access:
        """How to come in."""
        values: dict[str, Any] = {
            "url": self.url,
            "token_url": f"{self.url}/token",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "version": version,
            "page_size": 2,
            "timeout_s": 5.0,
        }
        return Access(**(values | changes))

    def answer_with(self, *answers: Answer) -> None:
        """How to answer the next requests for collections, one answer each."""
        self.answers.extend(answers)


def fail(status: int, headers: dict[str, str] | None = None) -> Answer:
    """An error, whose body is an error page."""
    return lambda handler: handler.reply(status, b"<html>no</html>", headers or {})


def give(body: bytes, headers: dict[str, str] | None = None) -> Answer:
    """200 with this body."""
    return lambda handler: handler.reply(200, body, headers or {})


def cut(handler: "_Handler") -> None:
    """Close the connection in the middle of an answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'{"users": [')
    handler.wfile.flush()
    handler.close_connection = True


def hang_up(handler: "_Handler") -> None:
    """Close the connection without a word."""
    handler.close_connection = True


def stall(handler: "_Handler") -> None:
    """Say nothing until released."""
    handler.server.service.released.wait(30)
    handler.close_connection = True


def serve(handler: "_Handler") -> None:
    """As the specification has it."""
    handler.serve_page()


class _Listener(Listener):
    service: Service


class _Handler(QuietHandler):
    server: _Listener

    def post(self) -> None:
        service = self.server.service
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        encoded = self.headers.get("Authorization", "").removeprefix("Basic ")
        client = base64.b64decode(encoded).decode()
        is_right = client == f"{CLIENT}:{SECRET}" and form["grant_type"] == "client_credentials"
        if not is_right or self.path != "/token" or service.refuses_tokens:
            self.reply(401, b'{"error": "invalid_client"}', {})
            return
        service.scopes = form.get("scope", "").split()
        service.tokens.append(f"token-{len(service.tokens) + 1}")
        granted = {"access_token": service.tokens[-1], "token_type": "Bearer", "expires_in": 3600}
        self.reply(200, json.dumps(granted).encode(), {})

    def get(self) -> None:
        service = self.server.service
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        service.asked.append(Asked(parts.path, query, token, dict(self.headers)))
        if service.answers:
            service.answers.popleft()(self)
        else:
            self.serve_page()

    def serve_page(self) -> None:
        service = self.server.service
        asked = service.asked[-1]
        root, _, collection = asked.path.rpartition("/")
        if asked.token not in service.tokens[-1:]:
            self.reply(401, b"{}", {})
        elif root != service.path or collection not in service.collections:
            self.reply(404, b"{}", {})
        else:
            self._reply_with(collection, asked.query)

    def _reply_with(self, collection: str, query: dict[str, str]) -> None:
        service = self.server.service
        records = service.collections[collection]
        if filter_ := query.get("filter", ""):
            since = filter_.removeprefix("dateLastModified>'").removesuffix("'")
            records = [record for record in records if record["dateLastModified"] > since]
        offset = int(query["offset"]) if service.knows_pages else 0
        size = min(int(query["limit"]), service.largest_page)
        page = records[offset : offset + size]
        headers = {}
        if service.says_total:
            headers["X-Total-Count"] = str(len(records))
        if service.says_next:
            rest = (
                '<http://elsewhere.invalid/next>; rel="next", '
                if offset + size < len(records)
                else ""
            )
            headers["Link"] = rest + '<http://elsewhere.invalid/first>; rel="first"'
        self.reply(200, json.dumps({collection: page}).encode(), headers)

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

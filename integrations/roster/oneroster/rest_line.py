"""The line to a OneRoster service: token, pages, and patience with what passes.

Source: OneRoster 1.1 Final §3.4.1 (paging), §3.7 (security); 1.2 Security Framework: OAuth 2
client credentials (RFC 6749 §4.4) and bearer tokens (RFC 6750); Retry-After: RFC 9110 §10.2.3.
Redirects are not followed: a token is for one host.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from msgspec import Struct

from integrations.roster.oneroster.findings import Trouble
from integrations.roster.oneroster.tables import Version

_PATHS: Final = {
    Version.V1_1: "/ims/oneroster/v1p1",
    Version.V1_2: "/ims/oneroster/rostering/v1p2",
}
_SCOPES: Final = {
    Version.V1_1: (
        "https://purl.imsglobal.org/spec/or/v1p1/scope/roster-core.readonly",
        "https://purl.imsglobal.org/spec/or/v1p1/scope/roster-demographics.readonly",
    ),
    Version.V1_2: (
        "https://purl.imsglobal.org/spec/or/v1p2/scope/roster-core.readonly",
        "https://purl.imsglobal.org/spec/or/v1p2/scope/roster-demographics.readonly",
    ),
}
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_ATTEMPTS: Final = 5
_LONGEST_WAIT_S: Final = 120.0
_LARGEST_PAGE: Final = 64 * 1024 * 1024
_TIMES_SLOWER: Final = 8
"""A page may take this many time-outs altogether: bytes that drip are no progress."""


class SourceError(Exception):
    """Why a service gives no roster; `kind` has the sentence for people."""

    def __init__(
        self,
        kind: Trouble,
        where: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{kind} {where} {status or ''}".strip())
        self.kind = kind
        self.where = where
        """The collection, or "token"."""
        self.status = status
        self.retry_after_s = retry_after_s


class Access(Struct, frozen=True):
    """Where a service is, and how it knows us. Raises ValueError for an address without TLS."""

    url: str
    """Of the server; or of the service, where that is not where the specification puts it."""
    token_url: str
    client_id: str
    client_secret: str
    version: Version = Version.V1_2
    scopes: tuple[str, ...] = ()
    """Empty: those that the specification names for reading."""
    page_size: int = 1000
    timeout_s: float = 30.0
    """To connect, and then for each wait for bytes."""

    def __post_init__(self) -> None:
        for url in (self.url, self.token_url):
            address = urlsplit(url)
            is_safe = address.scheme == "https" or (
                address.scheme == "http" and address.hostname in _LOCAL
            )
            if not is_safe or not address.hostname:
                raise ValueError("a OneRoster service's addresses must begin with https://")
        if self.version not in _PATHS:
            raise ValueError("a OneRoster service speaks version 1.1 or 1.2")

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Access({self.url!r}, {self.client_id!r})"

    @property
    def service_url(self) -> str:
        """The collections' common beginning."""
        url = self.url.rstrip("/")
        return url if "/ims/oneroster" in url else url + _PATHS[self.version]


class Page(Struct, frozen=True):
    """One answer of a collection."""

    records: list[dict[str, Any]]
    total: int | None
    """`X-Total-Count`, where the service says it."""
    has_next: bool | None
    """What `Link` says; None: there is none."""
    is_full: bool
    """Whether there are as many records as were asked for."""

    def is_last(self, offset: int) -> bool:
        """Whether nothing comes after the records before `offset`.

        Services that say neither total nor next may cap a page at less than was asked for: with
        them only an empty page is the end.
        """
        if not self.records:
            return True
        if self.total is not None:
            return offset >= self.total
        return self.has_next is False

    @property
    def may_be_unpaged(self) -> bool:
        """Whether the service may know no pages, and have given all at once."""
        return self.total is None and self.has_next is None and not self.is_full


class RestLine:
    """An open line; close it, or use it as a context manager."""

    def __init__(self, access: Access, wait: Callable[[float], None] = time.sleep) -> None:
        self._access = access
        self._wait = wait
        self._session = OAuth2Session(
            access.client_id,
            access.client_secret,
            scope=" ".join(access.scopes or _SCOPES[access.version]),
            grant_type="client_credentials",
            token_endpoint=access.token_url,
            default_timeout=access.timeout_s,
        )
        self._session.max_redirects = 0

    def __enter__(self) -> "RestLine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def page(self, collection: str, offset: int, filter_: str = "") -> Page:
        """The records from `offset` on. Raises SourceError when patience is at its end."""
        query = {
            "limit": str(self._access.page_size),
            "offset": str(offset),
            "sort": "sourcedId",
            "orderBy": "asc",
        }
        if filter_:
            query["filter"] = filter_
        answer, body = self._get(collection, query)
        records = _records(body, collection)
        total = answer.headers.get("X-Total-Count", "")
        return Page(
            records,
            int(total) if total.isascii() and total.isdigit() else None,
            "next" in answer.links if "Link" in answer.headers else None,
            len(records) >= self._access.page_size,
        )

    def _get(self, collection: str, query: dict[str, str]) -> tuple[requests.Response, bytes]:
        """The answer, after as many attempts as it takes; what will not pass is raised at once."""
        for attempt in range(_ATTEMPTS - 1):
            try:
                return self._get_once(collection, query)
            except SourceError as error:
                pause = 2.0**attempt if error.retry_after_s is None else error.retry_after_s
                if error.kind not in _PASSING or pause > _LONGEST_WAIT_S:
                    raise
                self._wait(pause)
        return self._get_once(collection, query)

    def _get_once(self, collection: str, query: dict[str, str]) -> tuple[requests.Response, bytes]:
        """An answer with status 200. A token that is refused is renewed once."""
        answer, body = self._send(collection, query)
        if answer.status_code == 401:
            self._session.token = None
            answer, body = self._send(collection, query)
        if answer.status_code != 200:
            raise _refusal(answer, collection)
        return answer, body

    def _send(self, collection: str, query: dict[str, str]) -> tuple[requests.Response, bytes]:
        if not self._session.token:
            self._fetch_token()
        try:
            answer = self._session.get(
                f"{self._access.service_url}/{collection}",
                params=query,
                headers={"Accept": "application/json"},
                allow_redirects=False,
                stream=True,
            )
            with answer:
                return answer, self._body(answer, collection)
        except requests.RequestException as error:
            raise SourceError(_trouble(error), collection) from None
        except AuthlibBaseError:
            raise SourceError(Trouble.NO_TOKEN, "token") from None

    def _fetch_token(self) -> None:
        try:
            self._session.fetch_token()
        except requests.HTTPError:
            raise SourceError(Trouble.FAILING, "token") from None
        except requests.RequestException as error:
            raise SourceError(_trouble(error), "token") from None
        except (AuthlibBaseError, ValueError, KeyError):
            raise SourceError(Trouble.NO_TOKEN, "token") from None

    def _body(self, answer: requests.Response, collection: str) -> bytes:
        """All of it, unless it is too much or too slow."""
        until = time.monotonic() + _TIMES_SLOWER * self._access.timeout_s
        body = bytearray()
        for chunk in answer.iter_content(65_536):
            body += chunk
            if len(body) > _LARGEST_PAGE:
                raise SourceError(Trouble.TOO_BIG, collection)
            if time.monotonic() > until:
                raise SourceError(Trouble.TOO_SLOW, collection)
        return bytes(body)


_PASSING: Final = frozenset(
    {Trouble.UNREACHABLE, Trouble.TOO_SLOW, Trouble.CUT, Trouble.BUSY, Trouble.FAILING}
)


def _trouble(error: requests.RequestException) -> Trouble:
    if isinstance(error, requests.Timeout):
        return Trouble.TOO_SLOW
    if isinstance(
        error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)
    ):
        return Trouble.CUT
    if isinstance(error, requests.ConnectionError):
        is_cut = "aborted" in str(error).lower() or "reset" in str(error).lower()
        return Trouble.CUT if is_cut else Trouble.UNREACHABLE
    return Trouble.REFUSED


def _refusal(answer: requests.Response, collection: str) -> SourceError:
    status = answer.status_code
    kinds = {
        401: Trouble.NOT_ALLOWED,
        403: Trouble.NOT_ALLOWED,
        404: Trouble.NOT_FOUND,
        429: Trouble.BUSY,
    }
    kind = Trouble.FAILING if status >= 500 else kinds.get(status, Trouble.REFUSED)
    return SourceError(kind, collection, status, _retry_after_s(answer))


def _retry_after_s(answer: requests.Response) -> float | None:
    """How long to wait, by the service's own word: seconds or a date."""
    asked = answer.headers.get("Retry-After", "")
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _records(body: bytes, collection: str) -> list[dict[str, Any]]:
    """The records under the collection's name."""
    try:
        records = msgspec.json.decode(body, type=dict[str, Any]).get(collection)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SourceError(Trouble.UNREADABLE, collection) from None
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise SourceError(Trouble.UNREADABLE, collection)
    return records

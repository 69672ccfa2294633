"""One POST to a receiver: to a judged address alone, no redirects, bounded in every way."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from card_server.webhooks.address import (
    RefusedError,
    Resolve,
    check_url,
    find_addresses,
    resolve_by_system,
)
from schema.tables.webhooks import Trouble

MOST_READ: Final = 64 * 1024
"""Bytes of an answer that are read; what it says besides its status interests nobody."""
_MOST_ADDRESSES: Final = 3
"""Of one receiver are tried: each may take its time to say nothing."""
_LONGEST_WAIT_S: Final = 3600.0


@dataclass(frozen=True)
class Limits:
    """How long a receiver may take, in seconds."""

    connect_s: float = 5.0
    answer_s: float = 10.0
    whole_s: float = 12.0
    """For everything together: a receiver that sends a byte now and then is cut off too."""


@dataclass(frozen=True)
class Rules:
    """Where and how events may be sent."""

    allow_private: bool = False
    ca: Path | None = None
    """A file of certificates to trust instead of the public ones."""
    limits: Limits = Limits()
    resolve: Resolve = resolve_by_system


@dataclass(frozen=True)
class Answer:
    """What a receiver answered."""

    status: int
    retry_after_s: float | None


class NoAnswerError(Exception):
    """There was no answer."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class Line:
    """A way to one receiver that is kept open for a few events."""

    def __init__(self, url: str, rules: Rules) -> None:
        """Nothing connects yet. Raises AppError(INVALID) for a URL that no webhook may have."""
        self._url = url
        self._place = check_url(url, rules.allow_private)
        self._rules = rules
        self._guard = _Guard()
        self._session: requests.Session | None = None

    def post(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one event. Raises NoAnswerError."""
        self._guard.begin()
        timer = threading.Timer(self._rules.limits.whole_s, self._guard.cut)
        timer.daemon = True
        timer.start()
        try:
            return self._post(headers, body)
        except RefusedError as error:
            raise NoAnswerError(Trouble.PRIVATE) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            trouble = Trouble.SLOW if self._guard.has_cut else _trouble_of(error)
            self.close()
            raise NoAnswerError(trouble) from error
        finally:
            timer.cancel()

    def close(self) -> None:
        """Let go of the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._guard.hold(None)

    def _post(self, headers: Mapping[str, str], body: bytes) -> Answer:
        if self._session is None:
            self._session = self._open_session()
        limits = self._rules.limits
        with self._session.post(
            self._url,
            data=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=(limits.connect_s, limits.answer_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            if self._guard.has_cut:
                # What was cut off in the middle of its headers looks like an answer.
                raise TimeoutError
            if not _is_read_whole(response):
                self._session.close()
            return Answer(response.status_code, _retry_after(response.headers.get("Retry-After")))

    def _open_session(self) -> requests.Session:
        rules = self._rules
        addresses = find_addresses(self._place, rules.resolve, rules.allow_private)
        session = requests.Session()
        # No proxy and no .netrc from the environment: they would undo what was judged.
        session.trust_env = False
        session.verify = str(rules.ca) if rules.ca else True
        session.headers.update({"User-Agent": "card-server", "Accept-Encoding": "identity"})
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        session.mount(f"{self._place.scheme}://", _Pinned(addresses, self._guard))
        return session


@contextmanager
def open_line(url: str, rules: Rules) -> Iterator[Line]:
    """A line to the receiver. Raises AppError(INVALID) for a URL that no webhook may have."""
    line = Line(url, rules)
    try:
        yield line
    finally:
        line.close()


class _Guard:
    """A second hold of a line's socket, by which another thread cuts it off.

    TLS takes the socket itself over, so only a copy can be shut down meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self.has_cut = False

    def hold(self, opened: socket.socket | None) -> None:
        """Guard this socket, and no other any more."""
        with self._lock:
            if self._held is not None:
                self._held.close()
            self._held = opened.dup() if opened else None
            if self._held is not None and self.has_cut:
                self._held.shutdown(socket.SHUT_RDWR)

    def begin(self) -> None:
        """Forget an earlier cut."""
        with self._lock:
            self.has_cut = False

    def cut(self) -> None:
        """End whatever is read from or written to the socket."""
        with self._lock:
            self.has_cut = True
            if self._held is not None:
                with suppress(OSError):
                    self._held.shutdown(socket.SHUT_RDWR)


class _Pinned(HTTPAdapter):
    """Connects to the given addresses, whatever the name may lead to by now.

    TLS still verifies the name of the URL: only how the socket is made is ours.
    """

    def __init__(self, addresses: list[str], guard: _Guard) -> None:
        self._addresses, self._guard = addresses, guard
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        addresses, guard = self._addresses, self._guard

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(self, addresses, guard)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(self, addresses, guard)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _connect(connection: HTTPConnection, addresses: list[str], guard: _Guard) -> socket.socket:
    """A socket to the first of the addresses that takes it."""
    last: OSError = OSError("no address")
    for address in addresses[:_MOST_ADDRESSES]:
        try:
            opened = urllib3.util.connection.create_connection(
                (address, connection.port),
                connection.timeout,
                socket_options=connection.socket_options,
            )
        except OSError as error:
            last = error
            continue
        guard.hold(opened)
        return opened
    if isinstance(last, TimeoutError):
        raise urllib3.exceptions.ConnectTimeoutError(connection, "timed out") from last
    raise urllib3.exceptions.NewConnectionError(connection, "refused") from last


def _is_read_whole(response: requests.Response) -> bool:
    """Read the answer up to MOST_READ; whether the line can be used again after it.

    The status has been said by then: whatever is wrong with the rest changes nothing. Compressed
    answers are not unpacked.
    """
    read = 0
    with suppress(urllib3.exceptions.HTTPError, OSError):
        for piece in response.raw.stream(8 * 1024, decode_content=False):
            read += len(piece)
            if read >= MOST_READ:
                return False
        return True
    return False


def _retry_after(said: str | None) -> float | None:
    """Seconds to wait (RFC 9110 §10.2.3); None when nothing sensible was said."""
    if said is None:
        return None
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), _LONGEST_WAIT_S)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    wait_s = (moment - datetime.now(UTC)).total_seconds()
    return min(max(wait_s, 0.0), _LONGEST_WAIT_S)


def _trouble_of(error: Exception) -> Trouble:
    if isinstance(error, requests.exceptions.SSLError):
        return Trouble.CERTIFICATE
    if isinstance(error, requests.exceptions.Timeout | TimeoutError):
        return Trouble.SLOW
    if isinstance(error, socket.gaierror):
        return Trouble.UNKNOWN_NAME
    return Trouble.CONNECTION

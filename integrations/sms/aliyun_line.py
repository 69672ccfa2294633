"""The way on which Aliyun's SDK sends its requests, and what the SDK does not tell of it.

The SDK keeps one `requests` session for each address, for all threads. A `Line` in that session
sends each request exactly once: it follows no redirection and leaves no connection idle for long.
"""

import logging
import threading
from dataclasses import dataclass
from typing import Any, Final

import requests
from darabonba.core import DEFAULT_POOL_MAXSIZE, DaraCore
from requests.adapters import BaseAdapter, HTTPAdapter

from integrations.sms.answers import read_retry_after
from integrations.sms.connections import Connections

_PORT: Final = 80
"""What the SDK calls the port of every address, also of those that name another."""


@dataclass(frozen=True)
class Seen:
    """What became of a thread's last request."""

    status: int | None = None
    """None if no whole answer came."""
    retry_after_s: float | None = None
    failure: requests.RequestException | None = None
    """Why none came."""


class Line(BaseAdapter):
    """Connections to one address, one for each thread."""

    def __init__(self) -> None:
        super().__init__()
        self._connections = Connections(lambda: HTTPAdapter(1, 1, max_retries=0))
        self._mine = threading.local()

    @property
    def seen(self) -> Seen:
        """Of this thread, since its last `begin`."""
        seen: Seen = self._mine.seen
        return seen

    def begin(self) -> None:
        """Forget what this thread saw before."""
        self._mine.seen = Seen()

    def send(
        self, request: requests.PreparedRequest, *options: Any, **named_options: Any
    ) -> requests.Response:
        """As `requests` asks for it."""
        try:
            answer = self._connections.mine().send(request, *options, **named_options)
            # Read here: a cut in the middle of the answer is then seen like any other.
            _ = answer.content
        except requests.RequestException as error:
            self._mine.seen = Seen(failure=error)
            raise
        self._mine.seen = Seen(answer.status_code, _read_wait(answer))
        # `requests` would send the message again, to wherever the answer points.
        answer.headers.pop("Location", None)
        return answer

    def close(self) -> None:
        """Nothing: each thread's connection closes with the thread."""


def open_line(scheme: str, host: str) -> Line:
    """The line that the SDK takes to this address from now on."""
    _keep_quiet()
    with _OPENING:
        address = f"{scheme}://{host}"
        key = f"{address}:{_PORT}:pool={DEFAULT_POOL_MAXSIZE}"
        session = DaraCore._get_session(key, scheme)
        line = session.get_adapter(f"{address}/")
        if not isinstance(line, Line):
            line = Line()
            session.mount(f"{address}/", line)
        return line


_OPENING: Final = threading.Lock()


def _read_wait(answer: requests.Response) -> float | None:
    """Aliyun's own header names milliseconds."""
    own = read_retry_after(answer.headers.get("x-acs-retry-after"))
    return own / 1000 if own else read_retry_after(answer.headers.get("Retry-After"))


def _keep_quiet() -> None:
    """The SDK writes number and text into the address of a request: no log may hold it."""
    logging.getLogger("urllib3.connectionpool").addFilter(_without_query)
    # With DEBUG=sdk in the environment it would print whole requests, keys included.
    logging.getLogger("darabonba-core").setLevel(logging.WARNING)


def _without_query(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            part.partition("?")[0] if isinstance(part, str) else part for part in record.args
        )
    return True

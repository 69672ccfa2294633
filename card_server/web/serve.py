"""The web process: the application under waitress until it is told to stop."""

import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from waitress import wasyncore
from waitress.server import create_server

from card_server.config import Settings
from card_server.staff.set_up import offer_link
from card_server.storage.database import open_engine, open_sessions
from card_server.web.app import close_app, create_app
from card_server.web.settling import Settling

_LOOK_EACH_S = 0.25
"""How soon a wish to stop is noticed."""
_REQUESTS_AHEAD = 5
"""Waitress reads on while it answers: only so it notices that a live page was closed."""
_CONNECTIONS = 500
_END_S = 5


def serve(
    settings: Settings, stop: threading.Event, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve until `stop` is set; `on_ready` is told the address once connections are taken."""
    engine = open_engine(settings.database_url)
    app = create_app(settings, engine)
    settling = Settling(time.monotonic())
    sockets: dict[int, Any] = {}
    server = create_server(
        app,
        map=sockets,
        host=settings.web_host,
        port=settings.web_port,
        threads=settings.web_threads,
        channel_request_lookahead=_REQUESTS_AHEAD,
        connection_limit=_CONNECTIONS,
        ident=None,
        **_believe(settings),
    )
    try:
        address = f"http://{settings.web_host}:{server.effective_port}"
        _offer_set_up(engine, settings.web_address or address)
        if on_ready:
            on_ready(address)
        while not stop.is_set():
            settling.look(time.monotonic())
            wasyncore.loop(timeout=_LOOK_EACH_S, map=sockets, count=1, use_poll=True)
    finally:
        close_app(app)
        server.task_dispatcher.shutdown(timeout=_END_S)
        wasyncore.close_all(map=sockets, ignore_all=True)
        engine.dispose()


def _believe(settings: Settings) -> dict[str, Any]:
    """Who calls is what the web server with TLS says; nobody else is believed."""
    if not settings.web_behind_tls:
        return {}
    return {
        "trusted_proxy": settings.web_proxy,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
    }


def _offer_set_up(engine: Engine, address: str) -> None:
    """Print the link of the first set-up, each start anew, while there is no account."""
    try:
        with open_sessions(engine).begin() as session:
            token = offer_link(session, datetime.now(UTC))
    except DBAPIError:
        # The pages themselves say that the database is away, and work again when it is back.
        return
    if token:
        sys.stderr.write(
            "There is no account yet. Open this link within an hour to make the first one:\n"
            f"  {address.rstrip('/')}/set-up/{token}\n"
        )
        sys.stderr.flush()

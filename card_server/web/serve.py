"""The web process: the application under waitress until it is told to stop."""

import threading
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from card_server.config import Settings
from card_server.storage.database import open_engine
from card_server.web.app import close_app, create_app

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
    )
    try:
        if on_ready:
            on_ready(f"http://{settings.web_host}:{server.effective_port}")
        while not stop.is_set():
            wasyncore.loop(timeout=_LOOK_EACH_S, map=sockets, count=1, use_poll=True)
    finally:
        close_app(app)
        server.task_dispatcher.shutdown(timeout=_END_S)
        wasyncore.close_all(map=sockets, ignore_all=True)
        engine.dispose()

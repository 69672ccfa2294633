"""Server-sent events: a page hears within a second what kind of rows changed at its school.

Source: HTML Living Standard §9.2 (server-sent events). The stream carries names of changes only;
a page that hears one fetches its own part again.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from card_server.access import allow, held_token, reading, school_in_use
from card_server.staff.sessions import find_caller
from card_server.web.hub import Hub, Stream
from schema.tables.staff import Role

HEARTBEAT_S = 10
_NOTICE_GONE_S = 1.0
"""How long the thread of a page that was closed stays taken."""
_RETRY_MS = 2000

pages = Blueprint("live", __name__)


@pages.get("/live/events")
@allow(*(role for role in Role if role is not Role.AUDITOR))
def events() -> ResponseReturnValue:
    """The caller's school's changes, for as long as the session lasts."""
    return stream_changes(school_in_use().id, _check_session(reading(), held_token()))


def stream_changes(school_id: int, is_allowed: Callable[[], bool]) -> ResponseReturnValue:
    """A stream of one school's changes; 503 when this process serves too many already."""
    hub: Hub = current_app.extensions["hub"]
    stream = hub.join(school_id)
    if stream is None:
        return Response("busy", status=503, headers={"Retry-After": "30"})
    is_gone: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
    return _StreamResponse(stream, _write_events(hub, stream, is_gone, is_allowed))


class _StreamResponse(Response):
    """A response that leaves the hub when it is closed, even before its first byte."""

    def __init__(self, stream: Stream, body: Iterator[str]) -> None:
        super().__init__(body, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self.call_on_close(lambda: stream.__exit__(None, None, None))


def _write_events(
    hub: Hub, stream: Stream, is_gone: Callable[[], bool], is_allowed: Callable[[], bool]
) -> Iterator[str]:
    yield f"retry: {_RETRY_MS}\nevent: heartbeat\ndata:\n\n"
    beat_at = time.monotonic() + HEARTBEAT_S
    while not hub.is_closed and not is_gone():
        changes = stream.wait(_NOTICE_GONE_S)
        if changes:
            yield "".join(f"event: {change}\ndata:\n\n" for change in sorted(changes))
        if time.monotonic() >= beat_at:
            if not is_allowed():
                return
            beat_at = time.monotonic() + HEARTBEAT_S
            yield "event: heartbeat\ndata:\n\n"


def _check_session(sessions: sessionmaker[Session], token: str) -> Callable[[], bool]:
    def is_allowed() -> bool:
        """Whether the session goes on; a database that does not answer ends nothing."""
        try:
            with sessions() as opened:
                return find_caller(opened, token, datetime.now(UTC)) is not None
        except SQLAlchemyError:
            return True

    return is_allowed

"""Where carriers of messages call us: what became of messages (回执), and who wants no more (退订).

Anybody can reach these addresses, so nothing is believed but what the carrier's own program finds
genuine: Twilio signs, the others call an address that ends in a key.
"""

import threading
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

import structlog
from flask import Blueprint, Flask, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from card_server.access import now, public, writing
from card_server.carriers import build_one
from card_server.config import Settings
from card_server.errors import AppError
from card_server.figures import web as figures
from card_server.messages.receipts import take_reply, take_report
from card_server.web.entering import seal
from integrations.sms.protocol import Callback, Fate, Forged, News, Report, SmsCarrier
from schema.tables.messages import MessageState

pages = Blueprint("callbacks", __name__)

_MOST_BYTES: Final = 256 * 1024
"""Aliyun reports up to 500 messages at once."""
_FORGERIES: Final = parse("30 per minute")
"""So many of one address are answered and logged; what is genuine always gets through."""
_STATES: Final = {
    Fate.ACCEPTED: MessageState.ACCEPTED,
    Fate.DELIVERED: MessageState.DELIVERED,
    Fate.UNDELIVERED: MessageState.UNDELIVERED,
}
_log = structlog.get_logger()


class Callers:
    """The carriers of the settings, each built when it calls for the first time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._built: dict[str, SmsCarrier] = {}
        self._lock = threading.Lock()
        self.forgeries = MovingWindowRateLimiter(MemoryStorage())

    def find(self, name: str) -> SmsCarrier | None:
        """None for one that the settings do not name, or that cannot work."""
        if name not in self._settings.sms_providers:
            return None
        with self._lock:
            if name not in self._built:
                try:
                    self._built[name] = build_one(name, self._settings)
                except AppError as error:
                    _log.error("carrier not usable", carrier=name, error=error.message)
                    return None
            return self._built[name]

    def address(self) -> str:
        """This request's address as the carrier called it: a proxy may have changed its host."""
        base = self._settings.web_address or request.host_url
        query = request.query_string.decode("latin-1")
        path = f"{base.rstrip('/')}{quote(request.path)}"
        return f"{path}?{query}" if query else path


def open_callbacks(app: Flask, settings: Settings, protection: CSRFProtect) -> None:
    """Give the application what carriers' calls need; no browser makes them."""
    app.extensions["sms_callers"] = Callers(settings)
    protection.exempt(pages)


@pages.post("/callbacks/sms/<name>")
@pages.post("/callbacks/sms/<name>/<key>")
@public
def take(name: str, key: str = "") -> ResponseReturnValue:
    """Believe what a carrier tells, if it is the carrier; `key` is for the carrier to judge."""
    callers: Callers = current_app.extensions["sms_callers"]
    carrier = callers.find(name)
    if carrier is None:
        abort(404)
    request.max_content_length = _MOST_BYTES
    headers = {header.lower(): value for header, value in request.headers}
    body = request.get_data(cache=False)
    try:
        news = carrier.read(Callback(request.method, callers.address(), headers, body))
    except Forged:
        return _refuse_forged(callers, name)
    except ValueError:
        # What came is not kept, and not logged: it may hold numbers.
        figures.CALLBACKS.labels(name, "unreadable").inc()
        _log.warning("callback not understood", carrier=name, bytes=len(body))
        return Response("not understood\n", 400, content_type="text/plain")
    moved, stopped = _believe(name, news)
    figures.CALLBACKS.labels(name, "genuine").inc()
    _log.info(
        "callback taken",
        carrier=name,
        reports=len(news.reports),
        moved=moved,
        replies=len(news.replies),
        stopped=stopped,
    )
    return Response(news.answer, 200, content_type=f"{news.answer_type}; charset=utf-8")


def _refuse_forged(callers: Callers, name: str) -> ResponseReturnValue:
    figures.CALLBACKS.labels(name, "forged").inc()
    address = request.remote_addr or ""
    if not callers.forgeries.hit(_FORGERIES, address):
        return Response("too many\n", 429, content_type="text/plain")
    _log.warning("callback forged", carrier=name, address=address)
    return Response("not genuine\n", 403, content_type="text/plain")


def _believe(name: str, news: News) -> tuple[int, int]:
    """How many messages it moved, and in how many schools it stopped numbers."""
    moment = now()
    with writing().begin() as session:
        moved = sum(
            take_report(
                session,
                name,
                report.provider_id,
                report.reference,
                _STATES[report.fate],
                report.sentence,
                report.is_number_bad,
                moment,
            )
            for report in _in_order(news.reports)
        )
        stopped = sum(
            take_reply(session, seal(), reply.number, reply.text, moment) for reply in news.replies
        )
    return moved, stopped


def _in_order(reports: Sequence[Report]) -> list[Report]:
    """Those that tell anything; of two batches at once neither waits for the other in a circle."""
    telling = [report for report in reports if report.fate in _STATES]
    return sorted(telling, key=lambda one: (one.reference, one.provider_id))

"""What watches the web process asks: /live, /ready and /metrics."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine

from card_server.access import public
from card_server.health import answer, check_database


def make_pages(engine: Engine) -> Blueprint:
    """The three routes, with this engine as what readiness depends on."""
    pages = Blueprint("health", __name__)
    checks = {"database": check_database(engine)}

    @pages.get("/live")
    @pages.get("/ready")
    @pages.get("/metrics")
    @public
    def health() -> ResponseReturnValue:
        status, content_type, body = answer(request.path, checks)
        return Response(body, status, content_type=content_type)

    return pages

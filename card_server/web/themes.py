"""Light, dark, or as the system is (深色模式): the switch, kept in a cookie."""

from flask import Blueprint, abort, current_app, redirect, request
from flask.typing import ResponseReturnValue

from card_server.access import public
from card_server.theme import Theme
from card_server.web.next_page import safe_next

COOKIE = "theme"
_YEAR_S = 365 * 24 * 3600

pages = Blueprint("themes", __name__)


def choose_theme() -> Theme:
    """What the switch was set to; the system's own until then."""
    chosen = request.cookies.get(COOKIE, "")
    return Theme(chosen) if chosen in list(Theme) else Theme.SYSTEM


@pages.post("/theme/<chosen>")
@public
def switch(chosen: str) -> ResponseReturnValue:
    """Keep a choice of colours in a cookie and return to the page."""
    if chosen not in list(Theme):
        abort(404)
    response = redirect(safe_next(request.form.get("next")))
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    response.set_cookie(
        COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="Lax", secure=secure
    )
    return response

"""The Flask application: its parts put together, for staff and, in a demo, the card tray."""

from pathlib import Path

from flask import Flask, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Engine

from card_server.access import caller_or_none, guard, may, public
from card_server.config import Settings
from card_server.web import (
    account_pages,
    board_pages,
    file_pages,
    health_pages,
    live_pages,
    outbox_pages,
    reader_pages,
    student_pages,
    tap_pages,
    tray_pages,
)
from card_server.web.error_pages import show_errors
from card_server.web.formats import add_formats
from card_server.web.headers import harden
from card_server.web.hub import Hub
from card_server.web.languages import speak
from card_server.web.morning import MorningPlayer
from card_server.web.sections import open_sections

_BLUEPRINTS = (
    account_pages.pages,
    board_pages.pages,
    file_pages.pages,
    live_pages.pages,
    outbox_pages.pages,
    reader_pages.pages,
    student_pages.pages,
    tap_pages.pages,
)
_MAX_BODY = 64 * 1024


def create_app(settings: Settings, engine: Engine) -> Flask:
    """The application; nothing runs in the background before its first live page."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=settings.web_secret,
        MAX_CONTENT_LENGTH=_MAX_BODY,
        # A board stays open all day: the token lives as long as the session that it belongs to.
        WTF_CSRF_TIME_LIMIT=None,
    )
    harden(app, settings.web_behind_tls)
    speak(app)
    add_formats(app)
    show_errors(app)
    CSRFProtect(app)
    guard(app, engine)
    app.extensions["hub"] = Hub(engine, most=max(1, settings.web_threads * 2 // 3))
    for pages in _BLUEPRINTS:
        app.register_blueprint(pages)
    app.register_blueprint(health_pages.make_pages(engine))
    _add_first_page(app, settings.tray_dir)
    app.jinja_env.globals.update(
        caller_or_none=caller_or_none,
        may=may,
        open_sections=open_sections,
        has_tray=bool(settings.tray_dir),
    )
    return app


def close_app(app: Flask) -> None:
    """End what runs in the background: live pages and a morning that plays."""
    hub: Hub = app.extensions["hub"]
    hub.close()
    player: MorningPlayer | None = app.extensions.get("morning")
    if player:
        player.stop()


def _add_first_page(app: Flask, tray_dir: Path | None) -> None:
    if tray_dir is not None:
        app.extensions["tray_dir"] = tray_dir
        app.extensions["morning"] = MorningPlayer(tray_dir)
        app.register_blueprint(tray_pages.pages)
        return

    @app.get("/", endpoint="first_page")
    @public
    def first_page() -> ResponseReturnValue:
        return redirect(url_for("account.home"))

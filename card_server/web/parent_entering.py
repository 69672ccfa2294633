"""What the parents' pages need of the settings, and how they say what went wrong."""

from flask import Blueprint, Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from card_server.config import Settings
from card_server.errors import HTTP_STATUS, AppError
from card_server.parents.invitations import Web

_WEB = "parents_web"


def open_parents(app: Flask, settings: Settings) -> None:
    """Give the application what links to the parents' page are made of."""
    app.extensions[_WEB] = Web(settings.web_secret, settings.web_address)


def parents_web() -> Web:
    """How parents reach the server, and what signs their links."""
    found: Web = current_app.extensions[_WEB]
    return found


def parents_pages(name: str, module: str) -> Blueprint:
    """A part of the parents' pages: what goes wrong there is said in their frame."""
    pages = Blueprint(name, module)
    pages.register_error_handler(AppError, _show_app_error)
    pages.register_error_handler(HTTPException, _show_http_error)
    return pages


def _show_app_error(error: Exception) -> ResponseReturnValue:
    if not isinstance(error, AppError):
        raise error
    return _page(HTTP_STATUS[error.code], gettext(error.message))


def _show_http_error(error: Exception) -> ResponseReturnValue:
    if not isinstance(error, HTTPException):
        raise error
    status = error.code or 500
    if status < 400:
        return error
    if status == 404:
        return _page(404, gettext("The address is wrong, or what it showed is gone."))
    if status == 400:
        return _page(400, gettext("This page was open for too long. Nothing was changed."))
    return _page(status, gettext("Nothing was changed. Go back and try again."))


def _page(status: int, advice: str) -> ResponseReturnValue:
    is_known = g.get("parent") is not None
    page = render_template(
        "parent_error.html",
        advice=advice,
        is_known=is_known,
        is_link=request.path.startswith("/p/"),
    )
    return page, status

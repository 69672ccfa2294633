"""Pages for what went wrong: what happened, what was kept, what to do."""

from dataclasses import dataclass

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, gettext, lazy_gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from card_server.errors import HTTP_STATUS, AppError


@dataclass(frozen=True)
class _Said:
    title: LazyString
    advice: LazyString


_SAID = {
    400: _Said(
        lazy_gettext("The server did not understand this request"),
        lazy_gettext("Nothing was changed. Go back and try again."),
    ),
    403: _Said(
        lazy_gettext("You may not do this"),
        lazy_gettext("Your account has no right to it. Ask the school's administrator."),
    ),
    404: _Said(
        lazy_gettext("There is nothing here"),
        lazy_gettext("The address is wrong, or what it showed is gone."),
    ),
    405: _Said(
        lazy_gettext("This page cannot be called like that"),
        lazy_gettext("Nothing was changed. Go back and try again."),
    ),
    500: _Said(
        lazy_gettext("Something broke on our side"),
        lazy_gettext("It has been noted for repair. Taps and messages are not affected."),
    ),
}
_EXPIRED = _Said(
    lazy_gettext("This page was open for too long"),
    lazy_gettext("Nothing was changed. Go back, load the page again and repeat what you did."),
)


def show_errors(app: Flask) -> None:
    """Answer every error with a page in the caller's language."""
    app.register_error_handler(CSRFError, _show_expired)
    app.register_error_handler(AppError, _show_app_error)
    app.register_error_handler(HTTPException, _show_http_error)


def _show_expired(error: Exception) -> ResponseReturnValue:
    return _page(400, str(_EXPIRED.title), str(_EXPIRED.advice))


def _show_app_error(error: Exception) -> ResponseReturnValue:
    if not isinstance(error, AppError):
        raise error
    status = HTTP_STATUS[error.code]
    said = _SAID.get(status, _SAID[400])
    return _page(status, str(said.title), gettext(error.message))


def _show_http_error(error: Exception) -> ResponseReturnValue:
    if not isinstance(error, HTTPException):
        raise error
    status = error.code or 500
    if status < 400:
        return error
    said = _SAID.get(status) or _SAID[500 if status >= 500 else 400]
    return _page(status, str(said.title), str(said.advice))


def _page(status: int, title: str, advice: str) -> ResponseReturnValue:
    if "HX-Request" in request.headers:
        return f"{title}. {advice}", status, {"Content-Type": "text/plain; charset=utf-8"}
    return render_template("error.html", status=status, title=title, advice=advice), status

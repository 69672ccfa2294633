"""Errors as RFC 9457 problem details: a stable type, and words in the caller's language."""

from dataclasses import dataclass
from typing import Any

from apiflask import APIFlask, HTTPError
from flask import Response, jsonify, request
from flask_babel import LazyString, get_locale, gettext, lazy_gettext
from werkzeug.datastructures import Headers

from card_server.errors import HTTP_STATUS, AppError
from card_server.field_errors import FieldsError

PREFIX = "urn:campus-card:problem:"
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One kind of problem: the end of its type, and what is said of it."""

    name: str
    title: LazyString
    advice: LazyString


KINDS = {
    400: Kind(
        "malformed",
        lazy_gettext("The server did not understand this request"),
        lazy_gettext("Nothing was changed. The body is no JSON, or the request is broken."),
    ),
    401: Kind(
        "no_token",
        lazy_gettext("A token is needed"),
        lazy_gettext("Send a token that is valid in the header: Authorization: Bearer cc_…"),
    ),
    403: Kind(
        "not_allowed",
        lazy_gettext("You may not do this"),
        lazy_gettext("The token's role has no right to it."),
    ),
    404: Kind(
        "not_found",
        lazy_gettext("There is nothing here"),
        lazy_gettext("The address is wrong, or what it showed is gone."),
    ),
    405: Kind(
        "wrong_method",
        lazy_gettext("This address cannot be called like that"),
        lazy_gettext("Nothing was changed. The header Allow names the methods that can be used."),
    ),
    409: Kind(
        "conflict",
        lazy_gettext("It does not fit what is there"),
        lazy_gettext("Nothing was changed."),
    ),
    412: Kind(
        "changed",
        lazy_gettext("It is not any more what you saw"),
        lazy_gettext("Nothing was changed. Ask for it again, and send the ETag that it has now."),
    ),
    413: Kind(
        "too_large",
        lazy_gettext("The request is too large"),
        lazy_gettext(
            "Nothing was changed. A body may have 64 KiB; a file as much as is said of it."
        ),
    ),
    415: Kind(
        "wrong_media_type",
        lazy_gettext("The body is of the wrong type"),
        lazy_gettext(
            "Nothing was changed. Send it as application/json, and a file as multipart/form-data."
        ),
    ),
    422: Kind(
        "invalid",
        lazy_gettext("A value cannot be"),
        lazy_gettext("Nothing was changed. Correct what is named and send it again."),
    ),
    429: Kind(
        "too_many",
        lazy_gettext("Too many requests"),
        lazy_gettext("Wait for as many seconds as the header Retry-After says."),
    ),
    500: Kind(
        "broken",
        lazy_gettext("Something broke on our side"),
        lazy_gettext("It has been noted for repair. Taps and messages are not affected."),
    ),
    503: Kind(
        "unavailable",
        lazy_gettext("This cannot be done now"),
        lazy_gettext("Try again later."),
    ),
}

_REQUIRED = "Field required"
_EXTRA = "Extra inputs are not permitted"
"""What Pydantic says, in English only, so that other words take its place."""
_MISSING = lazy_gettext("This is missing.")
_UNKNOWN = lazy_gettext("There is nothing of this name.")
_WRONG = lazy_gettext("This value is not allowed here.")


def answer_problems(api: APIFlask) -> None:
    """Answer every error of this application with a problem."""
    api.error_processor(_answer_http_error)
    api.register_error_handler(AppError, _answer_app_error)


def refuse(status: int, *wrong: tuple[str, str]) -> HTTPError:
    """An error to raise that names what is wrong as (where, name); its text is made later."""
    detail: dict[str, dict[str, list[str]]] = {}
    for where, name in wrong:
        detail.setdefault(where, {})[name] = [_EXTRA]
    return HTTPError(status, detail=detail)


def problem(status: int, detail: str = "", errors: list[dict[str, str]] | None = None) -> Response:
    """The answer that tells of a problem."""
    kind = KINDS.get(status) or KINDS[500 if status >= 500 else 400]
    body: dict[str, Any] = {
        "type": PREFIX + kind.name,
        "title": str(kind.title),
        "status": status,
        "detail": detail or str(kind.advice),
    }
    if errors:
        body["errors"] = errors
    answer = jsonify(body)
    answer.status_code = status
    answer.content_type = MEDIA_TYPE
    answer.headers["Content-Language"] = str(get_locale())
    if status == 401:
        answer.headers["WWW-Authenticate"] = _challenge()
    return answer


def _answer_http_error(error: HTTPError) -> Response:
    answer = problem(error.status_code, errors=_name_errors(error.detail))
    allowed = Headers(error.headers).get("Allow")
    if allowed is not None:
        answer.headers["Allow"] = allowed
    return answer


def _answer_app_error(error: Exception) -> Response:
    if not isinstance(error, AppError):
        raise error
    status = HTTP_STATUS[error.code]
    if isinstance(error, FieldsError):
        wrong = [
            {"where": "json", "name": name, "message": gettext(said)}
            for name, said in error.fields.items()
        ]
        return problem(status, errors=wrong)
    return problem(status, gettext(error.message))


def _name_errors(detail: Any) -> list[dict[str, str]]:
    """Pydantic's findings with words of our own: its own are English only."""
    if not isinstance(detail, dict):
        return []
    return [
        {"where": where, "name": name, "message": str(_word(messages))}
        for where, found in detail.items()
        if isinstance(found, dict)
        for name, messages in found.items()
    ]


def _word(messages: list[str]) -> LazyString:
    """What is said of a value, by what Pydantic says."""
    if _REQUIRED in messages:
        return _MISSING
    return _UNKNOWN if _EXTRA in messages else _WRONG


def _challenge() -> str:
    """What the caller has to send (RFC 6750 §3); whether there was a token, but never why not."""
    realm = 'Bearer realm="campus-card"'
    return f'{realm}, error="invalid_token"' if "Authorization" in request.headers else realm

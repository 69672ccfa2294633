"""What is true of every request and answer: known parameters only, JSON bodies, ETags, headers."""

from typing import Any

from apiflask import APIFlask
from flask import Response, current_app, request

from card_server.api.matching import takes_if_match
from card_server.api.problems import refuse
from schema.tables.people import Language

_YEAR_S = 365 * 24 * 3600


def check_requests(api: APIFlask) -> None:
    """Refuse parameters that the route does not name, or that come twice, and other bodies."""
    api.before_request(_check_parameters)
    api.before_request(_check_body)


def finish_answers(api: APIFlask, behind_tls: bool) -> None:
    """Give answers their tag, and the headers that keep them from being taken for a page."""
    api.after_request(_tag)

    @api.after_request
    def add_headers(answer: Response) -> Response:
        answer.headers["Cache-Control"] = "private, no-cache"
        answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.vary.update(("Authorization", "Accept-Language"))
        if behind_tls:
            answer.headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}; includeSubDomains"
        return answer


def language_in_use() -> Language:
    """What the program asks for, else Chinese."""
    return Language(request.accept_languages.best_match(list(Language)) or Language.CHINESE)


def _check_parameters() -> None:
    if request.endpoint is None:
        return
    known = {
        name
        for model, where in _asked_of_route().get("args", ())
        if where == "query"
        for name in model.model_fields
    }
    wrong = [
        ("query", name)
        for name, values in request.args.lists()
        if name not in known or len(values) > 1
    ]
    if wrong:
        raise refuse(422, *wrong)


def _check_body() -> None:
    if request.endpoint is not None and "body" in _asked_of_route() and not request.is_json:
        raise refuse(415)


def _asked_of_route() -> dict[str, Any]:
    """What APIFlask wrote down of the route's inputs."""
    return getattr(current_app.view_functions[str(request.endpoint)], "_spec", {})


def _tag(answer: Response) -> Response:
    """An ETag, and 304 for who has that already (RFC 9110 §13); changes answer with the new one."""
    if answer.status_code != 200 or request.endpoint is None:
        return answer
    if request.method in ("GET", "HEAD"):
        answer.add_etag()
        answer.make_conditional(request)
    elif takes_if_match(current_app.view_functions[request.endpoint]):
        answer.add_etag()
    return answer

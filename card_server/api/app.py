"""The API's application, and how it shares the web process with the pages.

It is an application of its own, so that nothing of the pages (cookies, forms, HTML errors) reaches
it, and nothing of it the pages.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from apiflask import APIFlask
from flask import Flask, Response
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from sqlalchemy import Engine

from card_server.access import guard, public
from card_server.api import (
    attendance_campus_routes,
    attendance_ranking_routes,
    attendance_sheet_routes,
    audit_routes,
    calendar_routes,
    calendar_timetable_routes,
    card_routes,
    correction_routes,
    district_routes,
    district_staff_routes,
    event_routes,
    guardian_routes,
    history_routes,
    job_routes,
    leave_routes,
    logo_routes,
    message_routes,
    message_rules_routes,
    message_text_routes,
    notice_routes,
    paper_consent_routes,
    parent_link_routes,
    people_routes,
    personal_routes,
    promotion_routes,
    recompute_routes,
    registration_routes,
    roll_call_routes,
    roster_routes,
    roster_way_routes,
    school_routes,
    school_year_routes,
    settings_routes,
    staff_routes,
    student_routes,
    today_routes,
    token_routes,
    webhook_routes,
)
from card_server.api.description import FILE, describe
from card_server.api.limits import limit_rates
from card_server.api.problems import answer_problems
from card_server.api.requests import check_requests, finish_answers, language_in_use
from schema.tables.people import Language

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROOT = "/api/v1"
_ROUTES = (
    school_routes.routes,
    district_routes.routes,
    district_staff_routes.routes,
    student_routes.routes,
    today_routes.routes,
    card_routes.routes,
    people_routes.routes,
    personal_routes.routes,
    guardian_routes.routes,
    parent_link_routes.routes,
    school_year_routes.routes,
    calendar_routes.routes,
    calendar_timetable_routes.routes,
    recompute_routes.routes,
    registration_routes.routes,
    leave_routes.routes,
    correction_routes.routes,
    attendance_campus_routes.routes,
    roll_call_routes.routes,
    attendance_ranking_routes.routes,
    attendance_sheet_routes.routes,
    roster_routes.routes,
    roster_way_routes.routes,
    promotion_routes.routes,
    event_routes.routes,
    message_routes.routes,
    settings_routes.routes,
    logo_routes.routes,
    staff_routes.routes,
    token_routes.routes,
    webhook_routes.routes,
    notice_routes.routes,
    paper_consent_routes.routes,
    message_text_routes.routes,
    message_rules_routes.routes,
    history_routes.routes,
    job_routes.routes,
    audit_routes.routes,
)


def add_api(pages: Flask, engine: Engine, *, per_minute: int, behind_tls: bool) -> None:
    """Let the process of these pages answer programs too: all addresses below /api."""
    api = create_api(
        engine,
        translations=pages.config["BABEL_TRANSLATION_DIRECTORIES"],
        max_body=pages.config["MAX_CONTENT_LENGTH"],
        per_minute=per_minute,
        behind_tls=behind_tls,
    )
    for shared in ("webhook_seal", "parents_web"):
        api.extensions[shared] = pages.extensions[shared]
    for shared in ("WEBHOOK_ALLOW_PRIVATE", "SMS_PROVIDERS"):
        api.config[shared] = pages.config[shared]
    pages.extensions["api"] = api
    answer_pages = pages.wsgi_app

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        is_for_api = path == "/api" or path.startswith("/api/")
        return api(environ, start) if is_for_api else answer_pages(environ, start)

    pages.wsgi_app = answer  # type: ignore[assignment, method-assign]


def create_api(
    engine: Engine, *, translations: str, max_body: int, per_minute: int, behind_tls: bool
) -> APIFlask:
    """The application that answers below /api."""
    api = APIFlask(
        __name__,
        title="Campus Card",
        version="1.0.0",
        spec_path=None,
        docs_path=None,
        static_folder=None,  # type: ignore[arg-type]
    )
    api.config.update(MAX_CONTENT_LENGTH=max_body, BABEL_TRANSLATION_DIRECTORIES=translations)
    Babel(api, locale_selector=language_in_use, default_locale=Language.CHINESE)
    answer_problems(api)
    finish_answers(api, behind_tls)
    limit_rates(api, per_minute)
    guard(api, engine)
    check_requests(api)
    for routes in _ROUTES:
        api.register_blueprint(routes, url_prefix=ROOT + (routes.url_prefix or ""))
    shown = api.doc(hide=True)(_show_document)
    api.add_url_rule(f"{ROOT}/openapi.json", "document", shown)
    describe(api)
    return api


@public
def _show_document() -> ResponseReturnValue:
    """The document of this API."""
    return Response(FILE.read_bytes(), content_type="application/json")

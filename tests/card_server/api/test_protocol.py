"""How the API speaks: tokens only, problems in both languages, tags, limits, nothing unasked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from card_server.api.problems import PREFIX
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.web.app import close_app, create_app
from schema.tables.staff import Staff, StaffGrant
from schema.tables.tokens import ApiToken
from tests.card_server.api.programs import Program, make_program
from tests.card_server.web.conftest import make_settings
from tests.card_server.web.small_school import SmallSchool


def test_without_a_token_nothing_is_answered_but_what_is_needed(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/school", headers={"Accept-Language": "en"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="campus-card"'
    assert answer.content_type == "application/problem+json"
    assert PREFIX + "no_token" in answer.text


@pytest.mark.parametrize(
    "sent", ["Bearer cc_wrong", "Bearer ", "Basic YTpi", "Bearer x y", "Bearer cc_é", "cc_"]
)
def test_what_is_no_token_is_not_let_in(program: Program, sent: str) -> None:
    answer = program.get("/school", Authorization=sent)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_browser_that_is_logged_in_opens_nothing_here(app: Flask, school: SmallSchool) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = app.test_client()
    browser.post("/log-in", data={"login": school.login, "password": school.password})
    password = {"password": "correct horse battery", "again": "correct horse battery"}
    browser.post("/password", data=password)
    assert browser.get("/board").status_code == 200
    assert browser.get("/api/v1/school").status_code == 401


def test_a_token_opens_no_page(program: Program) -> None:
    headers = {"Authorization": f"Bearer {program.token}"}
    assert program.client.get("/board", headers=headers).status_code == 302


@pytest.mark.parametrize(
    "end",
    [
        {ApiToken.revoked_at: datetime(2026, 1, 1, tzinfo=UTC)},
        {ApiToken.expires_at: datetime(2026, 1, 1, tzinfo=UTC)},
        {Staff.disabled_at: datetime(2026, 1, 1, tzinfo=UTC)},
        {StaffGrant.role: "librarian"},
    ],
    ids=["revoked", "over", "maker disabled", "maker demoted"],
)
def test_a_token_ends(
    program: Program, sessions: sessionmaker[Session], end: dict[Any, object]
) -> None:
    assert program.get("/school").status_code == 200
    with sessions.begin() as session:
        [column] = end
        session.query(column.class_).update(end)
    assert program.get("/school").status_code == 401


def test_the_use_of_a_token_is_written_down(
    program: Program, sessions: sessionmaker[Session]
) -> None:
    before = datetime.now(UTC)
    program.get("/school")
    with sessions() as session:
        used_at = session.get_one(ApiToken, program.id).used_at
    assert used_at is not None
    assert before <= used_at <= before + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "kind"),
    [
        ("GET", "/nothing", {}, 404, "not_found"),
        ("GET", "/students/999999", {}, 404, "not_found"),
        ("DELETE", "/students", {}, 405, "wrong_method"),
        ("GET", "/students?color=red", {}, 422, "invalid"),
        ("GET", "/school?limit=1", {}, 422, "invalid"),
        ("GET", "/students?limit=1&limit=2", {}, 422, "invalid"),
        ("GET", "/students?limit=0", {}, 422, "invalid"),
        ("GET", "/students?limit=1.0", {}, 422, "invalid"),
        ("GET", "/students?cursor=zz", {}, 422, "invalid"),
        ("GET", "/students/9999999999999999999999", {}, 422, "invalid"),
        ("GET", "/students/1/days/0", {}, 422, "invalid"),
        ("GET", "/students/1/days/2026-02-30", {}, 422, "invalid"),
        ("GET", "/taps?since=0", {}, 422, "invalid"),
        ("GET", "/taps?since=2026-09-01T00:00:00", {}, 422, "invalid"),
        ("POST", "/students/search", {"data": "{"}, 415, "wrong_media_type"),
        (
            "POST",
            "/students/search",
            {"data": "{", "content_type": "application/json"},
            400,
            "malformed",
        ),
        ("POST", "/students/search", {"json": {"words": "\0"}}, 422, "invalid"),
        ("POST", "/students/search", {"json": {"words": "\ud800"}}, 422, "invalid"),
        ("POST", "/students/search", {"json": {"words": "z", "more": 1}}, 422, "invalid"),
        ("POST", "/students/search", {"json": []}, 422, "invalid"),
        ("POST", "/students/search", {"json": {"words": "z" * 70_000}}, 413, "too_large"),
    ],
    ids=str,
)
def test_what_is_wrong_is_a_problem_of_a_stable_type(
    program: Program, method: str, path: str, more: dict[str, object], status: int, kind: str
) -> None:
    answer = program.ask(method, path, **more)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"] == PREFIX + kind
    assert answer.json["status"] == status


def test_a_method_that_cannot_be_names_those_that_can(program: Program) -> None:
    assert "GET" in program.ask("DELETE", "/students").headers["Allow"]


@pytest.mark.parametrize(
    ("language", "said"), [("en", "There is nothing here"), ("zh", "这里没有内容")]
)
def test_problems_are_told_in_the_callers_language(
    program: Program, language: str, said: str
) -> None:
    answer = program.speaking(language).get("/nothing")
    assert answer.headers["Content-Language"] == language
    assert answer.json["title"] == said
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_value_that_cannot_be_is_named_but_not_repeated(program: Program) -> None:
    answer = program.ask("POST", "/students/search", json={"word": "张三"})
    assert [(one["where"], one["name"]) for one in answer.json["errors"]] == [
        ("json", "words"),
        ("json", "word"),
    ]
    assert "张三" not in answer.text


def test_what_somebody_has_already_is_not_sent_again(program: Program) -> None:
    first = program.get("/students")
    again = program.get("/students", If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    other = program.get("/students?limit=2", If_None_Match=first.headers["ETag"])
    assert other.status_code == 200


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
def test_moments_at_the_ends_of_time_are_moments(program: Program, moment: str) -> None:
    assert program.get(f"/taps?since={moment}").status_code == 200


@pytest.mark.parametrize("cursor", ["0" * 48, "7" + "f" * 47])
def test_any_cursor_of_the_form_names_a_place(program: Program, cursor: str) -> None:
    assert program.get(f"/taps?cursor={cursor}").status_code == 200
    assert program.get(f"/students?cursor={cursor[:8]}").status_code == 200


def test_each_token_has_a_limit_of_its_own_and_all_of_its_routes_share_it(
    engine: Engine, database_url: str, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    settings = make_settings(database_url).model_copy(update={"api_per_minute": 3})
    app = create_app(settings, engine)
    one = make_program(app, sessions, school, WHOLE_SCHOOL)
    other = make_program(app, sessions, school, WHOLE_SCHOOL)
    left = [one.get(path).headers["RateLimit"] for path in ("/me", "/school", "/students")]
    assert [text.split(";")[1] for text in left] == ["r=2", "r=1", "r=0"]
    refused = one.get("/me")
    assert refused.status_code == 429
    assert refused.json["type"] == PREFIX + "too_many"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert other.get("/me").status_code == 200
    guesses = [one.get("/me", Authorization="Bearer cc_guess").status_code for _ in range(4)]
    assert guesses == [401, 401, 401, 429]
    close_app(app)


def test_answers_are_kept_from_being_taken_for_pages(program: Program) -> None:
    headers = program.get("/students").headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Set-Cookie" not in headers


def test_the_document_is_for_everybody(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.get_json(force=True).items() >= {"openapi": "3.1.0"}.items()

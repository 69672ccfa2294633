"""Who may call what: every route decides, sessions hold, one school never sees another."""

import re
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.routing import Rule

from card_server.access import allow, decision_of, public
from card_server.staff.scope import WHOLE_SCHOOL, narrow
from card_server.web.app import create_app
from schema.tables.people import Student
from schema.tables.staff import Role, StaffSession
from schema.tables.taps import Tap
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap, make_school

_PUBLIC = {
    "account.log_in",
    "account.send_log_in",
    "callbacks.take",
    "files.static",
    "first_page",
    "health.health",
    "languages.switch",
    "parent_door.ask",
    "parent_door.send",
    "parent_door.send_code",
    "parent_door.show",
    "set_up.send",
    "set_up.show",
    "style.show",
    "themes.switch",
    "totp.ask",
    "totp.send_code",
    "tray.show",
    "tray.search_cards",
    "tray.tap",
    "tray.phone",
    "tray.counts",
    "tray.events",
    "tray.morning",
    "tray.play_morning",
    "tray.stop_morning",
}


@pytest.fixture(params=["school", "demo"])
def any_app(
    request: pytest.FixtureRequest,
    engine: Engine,
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Flask:
    tray = tmp_path_factory.mktemp("tray") if request.param == "demo" else None
    return create_app(make_settings(database_url, tray), engine)


def test_every_route_has_one_access_decision(any_app: Flask) -> None:
    for rule in any_app.url_map.iter_rules():
        decision = decision_of(any_app.view_functions[rule.endpoint])
        assert decision is not None, rule
        assert decision.is_public == (rule.endpoint in _PUBLIC), rule


def test_a_route_cannot_decide_twice() -> None:
    with pytest.raises(RuntimeError, match="two access decisions"):
        public(allow(Role.SCHOOL_ADMIN)(lambda: ""))


def test_a_route_without_a_decision_is_closed(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/forgotten", view_func=lambda: "open", endpoint="forgotten")
    assert client.get("/forgotten").status_code == 403


def test_tray_routes_exist_in_a_demo_only(app: Flask) -> None:
    assert not [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("tray.")]


def test_a_one_time_password_opens_nothing_but_the_choice_of_another(
    client: FlaskClient, school: SmallSchool
) -> None:
    answer = client.post("/log-in", data={"login": school.login, "password": school.password})
    assert answer.location == "/password"
    for path in ("/board", "/taps", "/students", "/readers", "/messages", "/live/events"):
        assert client.get(path).location == f"/password?next={path}"
    form = {"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD}
    assert client.post("/password", data=form).location == "/board"
    assert client.get("/board").status_code == 200


def test_logging_in_renews_the_session_and_logging_out_ends_it(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    before = staff.get_cookie("campus")
    form = {"login": school.login, "password": CHOSEN_PASSWORD}
    staff.post("/log-in", data=form)
    assert before != staff.get_cookie("campus")
    staff.post("/log-out")
    assert staff.get("/board").status_code == 302
    with sessions() as session:
        assert len(session.scalars(select(StaffSession)).all()) == 1


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example", "/\\evil.example"]
)
def test_logging_in_leads_to_no_foreign_address(
    client: FlaskClient, school: SmallSchool, staff: FlaskClient, next_page: str
) -> None:
    form = {"login": school.login, "password": CHOSEN_PASSWORD, "next": next_page}
    assert client.post("/log-in", data=form).location == "/home"


def test_logging_in_leads_back_to_the_wanted_page(
    client: FlaskClient, school: SmallSchool, staff: FlaskClient
) -> None:
    form = {"login": school.login, "password": CHOSEN_PASSWORD, "next": "/messages?state=failed"}
    assert client.post("/log-in", data=form).location == "/messages?state=failed"


def test_a_school_sees_nothing_of_another(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
        row = session.get_one(Student, other.students[0])
        row.name, row.pinyin = "外校生", "wai xiao sheng"
        add_tap(session, other, 0, late_minutes=9)
        add_message(session, other, 0, body="外校生")
    pages = ["/board", f"/board?homeroom={other.homerooms[0]}", "/taps", "/readers", "/messages"]
    for path in pages:
        answer = staff.get(path)
        assert answer.status_code == 200
        assert "外校生" not in answer.text, path
    assert "外校生" not in staff.post("/students", data={"words": "wai"}).text
    assert staff.get(f"/students/{other.students[0]}").status_code == 404


def test_a_limited_session_adds_the_school_to_a_query_that_forgot_it(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
        add_tap(session, other, 0)
    with sessions() as session:
        narrow(session, school.id, [WHOLE_SCHOOL])
        assert session.scalars(select(Student.school_id).distinct()).all() == [school.id]
        joined = select(Tap.id, Student.name).join(Student, Student.id == Tap.student_id)
        assert session.execute(joined).all() == []


def test_csrf_protects_every_unsafe_route(any_app: Flask) -> None:
    client = any_app.test_client()
    client.set_cookie("language", "en")
    for rule in any_app.url_map.iter_rules():
        # Programs have no cookie that a foreign page could use.
        if "POST" in (rule.methods or ()) and not rule.rule.startswith(("/api/", "/callbacks/")):
            answer = client.post(_any_address(rule))
            assert answer.status_code == 400, rule
            assert "open for too long" in answer.text


def _any_address(rule: Rule) -> str:
    """An address that the rule fits, whatever it names."""
    path = re.sub(r"<uuid:\w+>", str(UUID(int=1)), rule.rule)
    return re.sub(r"<int:\w+>", "1", path).replace("<chosen>", "zh").replace("<token>", "x")


def test_headers_keep_a_page_to_itself(engine: Engine, database_url: str) -> None:
    settings = make_settings(database_url).model_copy(update={"web_behind_tls": True})
    answer = create_app(settings, engine).test_client().get("/log-in")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = answer.headers["Set-Cookie"]
    for flag in ("__Host-campus=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie

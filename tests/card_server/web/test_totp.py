"""Codes of a phone by the pages: switched on, asked for, made compulsory, switched off."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.web.app import close_app, create_app
from schema.tables.audit import AuditEntry
from schema.tables.log_in import LogInLock
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings
from tests.card_server.web.small_school import SmallSchool

_STEP = timedelta(seconds=30)
_NOW = datetime.now(UTC)
"""Time stands still here: a code must not run out between being shown and typed."""


@pytest.fixture(autouse=True)
def still_time(app: Flask) -> None:
    app.extensions["now"] = lambda: _NOW


def _phone(client: FlaskClient) -> pyotp.TOTP:
    """The secret as a person would type it from the page."""
    found = re.search(r'id="secret">([^<]+)<', client.get("/account/codes").text)
    assert found
    return pyotp.TOTP(found[1].replace(" ", ""))


def _begin(client: FlaskClient) -> pyotp.TOTP:
    begun = client.post("/account/codes/begin", data={"present": CHOSEN_PASSWORD})
    assert begun.location == "/account/codes"
    return _phone(client)


def _switch_on(client: FlaskClient) -> tuple[pyotp.TOTP, list[str]]:
    phone = _begin(client)
    # The code of the step before: the tests then still have this one and the next.
    code = phone.at(_NOW - _STEP)
    page = client.post("/account/codes/confirm", data={"code": code})
    assert page.status_code == 200
    return phone, re.findall(r"<li><code>([^<]+)</code>", page.text)


def _start(app: Flask, school: SmallSchool) -> FlaskClient:
    """A browser in which the password was right."""
    client = app.test_client()
    client.set_cookie("language", "en")
    form = {"login": school.login, "password": CHOSEN_PASSWORD, "next": "/taps"}
    assert client.post("/log-in", data=form).location == "/log-in/code?next=/taps"
    return client


def test_a_phone_is_taken_in_and_the_recovery_codes_are_shown_once(
    staff: FlaskClient, school: SmallSchool
) -> None:
    assert staff.get("/account/codes/picture.svg").status_code == 404
    _, codes = _switch_on(staff)
    assert len(set(codes)) == 10
    assert staff.get("/account/codes/picture.svg").status_code == 404
    for path in ("/account", "/account/codes"):
        page = staff.get(path).text
        assert "10 recovery codes left" in page
        assert codes[0] not in page
        assert 'id="secret"' not in page


def test_the_picture_is_an_image_of_its_own_and_differs_by_secret(
    staff: FlaskClient, school: SmallSchool
) -> None:
    _begin(staff)
    first = staff.get("/account/codes/picture.svg")
    assert first.mimetype == "image/svg+xml"
    assert first.headers["Cache-Control"] == "no-store"
    assert b"<script" not in first.data
    _begin(staff)
    assert staff.get("/account/codes/picture.svg").data != first.data


def test_a_phone_is_taken_in_only_for_who_knows_the_password(
    staff: FlaskClient, school: SmallSchool
) -> None:
    answer = staff.post("/account/codes/begin", data={"present": "wrong password"})
    assert answer.status_code == 403
    assert 'id="secret"' not in staff.get("/account/codes").text


def test_log_in_asks_for_the_code_and_leads_on_to_the_wanted_page(
    app: Flask, staff: FlaskClient, school: SmallSchool
) -> None:
    phone, _ = _switch_on(staff)
    client = _start(app, school)
    for path in ("/board", "/account", "/account/codes"):
        assert client.get(path).location.startswith("/log-in")
    assert "phone" in client.get("/log-in/code").text
    cookie = client.get_cookie("campus")
    code = {"code": phone.at(_NOW), "next": "/taps"}
    assert client.post("/log-in/code", data=code).location == "/taps"
    assert client.get_cookie("campus") != cookie
    assert client.get("/taps").status_code == 200


def test_a_used_code_does_not_open_a_second_browser(
    app: Flask, staff: FlaskClient, school: SmallSchool
) -> None:
    phone, _ = _switch_on(staff)
    code = {"code": phone.at(_NOW)}
    assert _start(app, school).post("/log-in/code", data=code).status_code == 302
    answer = _start(app, school).post("/log-in/code", data=code)
    assert answer.status_code == 403
    assert "wrong or has been used" in answer.text


def test_a_recovery_code_opens_once(app: Flask, staff: FlaskClient, school: SmallSchool) -> None:
    _, codes = _switch_on(staff)
    code = {"code": codes[4].upper()}
    assert _start(app, school).post("/log-in/code", data=code).status_code == 302
    assert _start(app, school).post("/log-in/code", data=code).status_code == 403
    assert "9 recovery codes left" in staff.get("/account").text


def test_without_a_password_first_there_is_no_question_for_a_code(client: FlaskClient) -> None:
    assert client.get("/log-in/code").location == "/log-in"
    answer = client.post("/log-in/code", data={"code": "123456"})
    assert answer.location == "/log-in"
    assert "You waited too long" in client.get("/log-in").text


def test_switching_on_ends_the_sessions_that_had_no_code(
    app: Flask, staff: FlaskClient, school: SmallSchool
) -> None:
    other = app.test_client()
    other.post("/log-in", data={"login": school.login, "password": CHOSEN_PASSWORD})
    assert other.get("/account").status_code == 200
    _switch_on(staff)
    assert other.get("/account").status_code == 302
    assert staff.get("/account").status_code == 200


def test_switching_off_and_new_recovery_codes_need_password_and_code(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    phone, old = _switch_on(staff)
    code = phone.at(_NOW)
    for form in ({"present": CHOSEN_PASSWORD}, {"code": code}, {"present": "x", "code": code}):
        for path in ("/account/codes/off", "/account/codes/renew"):
            with sessions.begin() as session:
                session.execute(delete(LogInLock))
            assert staff.post(path, data=form).status_code == 403
    page = staff.post("/account/codes/renew", data={"present": CHOSEN_PASSWORD, "code": code})
    new = re.findall(r"<li><code>([^<]+)</code>", page.text)
    assert len(new) == 10
    assert set(new).isdisjoint(old)
    form = {"present": CHOSEN_PASSWORD, "code": new[0]}
    assert staff.post("/account/codes/off", data=form).location == "/account"
    staff.post("/log-out")
    log_in = {"login": school.login, "password": CHOSEN_PASSWORD}
    assert staff.post("/log-in", data=log_in).location == "/home"
    with sessions() as session:
        noted = set(session.scalars(select(AuditEntry.action)))
    assert noted >= {"staff.totp_on", "staff.recovery_codes_renewed", "staff.totp_off"}


@pytest.fixture
def strict_client(engine: Engine, database_url: str, school: SmallSchool) -> Iterator[FlaskClient]:
    """A browser at a server of the level-3 profile, logged in with a chosen password."""
    settings = make_settings(database_url).model_copy(update={"totp_required": True})
    app = create_app(settings, engine)
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["now"] = lambda: _NOW
    client = app.test_client()
    client.set_cookie("language", "en")
    client.post("/log-in", data={"login": school.login, "password": school.password})
    assert client.get("/account").location == "/password?next=/account"
    client.post("/password", data={"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD})
    yield client
    close_app(app)


def test_where_codes_are_required_nothing_opens_without_them(strict_client: FlaskClient) -> None:
    for path in ("/board", "/taps", "/students", "/account", "/live/events"):
        assert strict_client.get(path).location == "/account/codes"
    assert "Here each account is protected" in strict_client.get("/account/codes").text
    _switch_on(strict_client)
    assert strict_client.get("/board").status_code == 200


def test_where_codes_are_required_one_can_still_leave(strict_client: FlaskClient) -> None:
    assert strict_client.post("/log-out").location == "/log-in"

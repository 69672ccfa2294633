"""Logging in by a provider, a real one in its own process, and what nobody gets away with."""

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.config import LinkBy, Settings
from card_server.staff.accounts import create_staff_with_password
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.staff.totp import begin, confirm, unconfirmed_secret
from card_server.storage.sealing import Seal
from card_server.web.app import close_app, create_app
from schema.tables.log_in import OidcIdentity
from schema.tables.staff import Staff, StaffSession
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings
from tests.card_server.web.small_school import SmallSchool
from tests.card_server.web.test_log_in import Clock
from tests.harness.oidc_provider import provider

_WANG: dict[str, object] = {
    "sub": "0001",
    "email": "wang@school.example",
    "email_verified": True,
    "preferred_username": "wang",
}
_UNVERIFIED = _WANG | {"sub": "0002", "email_verified": False}
_STRANGER = _WANG | {"sub": "0003", "email": "li@school.example"}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("provider") / "log"
    with provider(log, _WANG, _UNVERIFIED, _STRANGER) as address:
        yield address


@pytest.fixture
def oidc_app(engine: Engine, database_url: str, issuer: str) -> Iterator[Flask]:
    app = _make_app(engine, database_url, issuer)
    yield app
    close_app(app)


def _make_app(engine: Engine, database_url: str, issuer: str, **more: object) -> Flask:
    update = {
        "oidc_issuer": issuer,
        "oidc_client_id": "campus",
        "oidc_client_secret": "canary-secret",
        "oidc_name": "School ID",
        "oidc_link_by": LinkBy.EMAIL,
    }
    settings = make_settings(database_url).model_copy(update=update | more)
    app = create_app(settings, engine)
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["now"] = Clock()
    return app


@pytest.fixture
def browser_client(oidc_app: Flask) -> FlaskClient:
    return _browser(oidc_app)


def _browser(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.set_cookie("language", "en")
    return client


@pytest.fixture
def wang_id(sessions: sessionmaker[Session], school: SmallSchool) -> int:
    with sessions.begin() as session:
        login = "wang@school.example"
        return create_staff_with_password(
            session, school.id, login, "王老师", CHOSEN_PASSWORD, WHOLE_SCHOOL
        ).id


def _come_back(client: FlaskClient, sub: object, wanted: str = "") -> str:
    """What the provider's answer makes the browser ask us for."""
    address = client.get("/log-in/provider", query_string={"next": wanted}).location
    answer = requests.post(address, data={"sub": str(sub)}, allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def test_the_provider_is_asked_with_state_nonce_and_pkce(
    browser_client: FlaskClient, issuer: str
) -> None:
    assert "Log in with School ID" in browser_client.get("/log-in").text
    address = browser_client.get("/log-in/provider").location
    asked = parse_qs(urlsplit(address).query)
    assert address.startswith(issuer)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://localhost/log-in/provider/back"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) >= 20
    with browser_client.session_transaction() as cookie:
        [kept] = [value for key, value in cookie.items() if key.startswith("_state_")]
    digest = hashlib.sha256(kept["data"]["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
    assert "canary-secret" not in address
    again = parse_qs(urlsplit(browser_client.get("/log-in/provider").location).query)
    assert asked["state"] != again["state"]
    assert asked["nonce"] != again["nonce"]


def test_a_known_person_is_linked_and_led_to_the_wanted_page(
    browser_client: FlaskClient, wang_id: int, sessions: sessionmaker[Session]
) -> None:
    answer = browser_client.get(_come_back(browser_client, "0001", "/taps"))
    assert answer.location == "/taps"
    assert browser_client.get("/taps").status_code == 200
    with sessions() as session:
        assert session.scalars(select(OidcIdentity.staff_id)).all() == [wang_id]


@pytest.mark.parametrize("sub", ["0002", "0003"])
def test_who_has_no_account_gets_none(
    browser_client: FlaskClient, wang_id: int, sub: str, sessions: sessionmaker[Session]
) -> None:
    answer = browser_client.get(_come_back(browser_client, sub))
    assert answer.status_code == 403
    assert "There is no account here" in answer.text
    with sessions() as session:
        assert not session.scalars(select(StaffSession)).all()
        assert len(session.scalars(select(Staff)).all()) == 2


def test_a_disabled_account_is_refused(
    browser_client: FlaskClient, wang_id: int, sessions: sessionmaker[Session]
) -> None:
    browser_client.get(_come_back(browser_client, "0001"))
    with sessions.begin() as session:
        session.get_one(Staff, wang_id).disabled_at = Clock().now
    browser_client.post("/log-out")
    assert browser_client.get(_come_back(browser_client, "0001")).status_code == 403


def test_the_phones_code_is_asked_for_all_the_same(
    oidc_app: Flask, browser_client: FlaskClient, wang_id: int, sessions: sessionmaker[Session]
) -> None:
    seal, clock = Seal(bytes(32)), oidc_app.extensions["now"]
    with sessions.begin() as session:
        begin(session, seal, wang_id)
        secret = unconfirmed_secret(session, seal, wang_id)
        assert secret
        phone = pyotp.TOTP(secret)
        early = clock.now.replace(year=2025)
        confirm(session, seal, wang_id, phone.at(early), early)
    answer = browser_client.get(_come_back(browser_client, "0001", "/taps"))
    assert answer.location == "/log-in/code?next=/taps"
    assert browser_client.get("/taps").status_code == 302
    code = {"code": phone.at(clock.now), "next": "/taps"}
    assert browser_client.post("/log-in/code", data=code).location == "/taps"
    assert browser_client.get("/taps").status_code == 200


def test_an_answer_in_another_browser_or_a_second_time_opens_nothing(
    oidc_app: Flask, browser_client: FlaskClient, wang_id: int
) -> None:
    back = _come_back(browser_client, "0001")
    assert _browser(oidc_app).get(back).status_code == 403
    assert browser_client.get(back).status_code == 302
    browser_client.post("/log-out")
    assert browser_client.get(back).status_code == 403


def test_a_changed_state_or_nonce_opens_nothing(browser_client: FlaskClient, wang_id: int) -> None:
    for name in ("nonce", "state"):
        back = _come_back(browser_client, "0001")
        with browser_client.session_transaction() as cookie:
            [entry] = [key for key in cookie if key.startswith("_state_")]
            if name == "state":
                cookie[f"{entry}x"] = cookie.pop(entry)
            else:
                kept = cookie[entry]
                kept["data"]["nonce"] = "x" * 48
                cookie[entry] = kept
        assert browser_client.get(back).status_code == 403, name
        assert browser_client.get("/taps").status_code == 302


def test_who_says_no_at_the_provider_is_told_so(browser_client: FlaskClient, wang_id: int) -> None:
    answer = browser_client.get("/log-in/provider/back?error=access_denied&state=x")
    assert answer.status_code == 403
    assert "was not finished" in answer.text


def test_a_foreign_address_is_not_led_to(browser_client: FlaskClient, wang_id: int) -> None:
    back = _come_back(browser_client, "0001", "https://evil.example/")
    assert browser_client.get(back).location == "/home"


def test_a_provider_that_is_away_leaves_the_password(
    engine: Engine, database_url: str, wang_id: int
) -> None:
    app = _make_app(engine, database_url, "http://127.0.0.1:9")
    client = _browser(app)
    answer = client.get("/log-in/provider")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    form = {"login": "wang@school.example", "password": CHOSEN_PASSWORD}
    assert client.post("/log-in", data=form).status_code == 302
    close_app(app)


def test_a_provider_that_calls_itself_otherwise_is_not_believed(
    engine: Engine, database_url: str, issuer: str, wang_id: int
) -> None:
    app = _make_app(engine, database_url, issuer.replace("127.0.0.1", "localhost"))
    app.extensions["oidc"].issuer = issuer.replace("127.0.0.1", "other.example")
    client = _browser(app)
    assert client.get(_come_back(client, "0001")).status_code == 403
    close_app(app)


def test_without_a_provider_there_is_neither_button_nor_route(client: FlaskClient) -> None:
    assert "/log-in/provider" not in client.get("/log-in").text
    assert client.get("/log-in/provider").status_code == 404


def test_a_provider_without_client_and_secret_stops_the_start(database_url: str) -> None:
    known = make_settings(database_url).model_dump()
    known["data_key"] = base64.b64encode(bytes(32))
    with pytest.raises(ValidationError, match="oidc_client_id"):
        Settings(**known | {"oidc_issuer": "https://id.example"})

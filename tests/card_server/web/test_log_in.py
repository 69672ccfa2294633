"""Logging in by the pages: lock-out, sessions, passwords, language, and who is believed to call."""

import http.client
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.sessions import IDLE_END
from card_server.web.browsers import browser_of, system_of
from schema.tables.audit import AuditEntry
from schema.tables.staff import Staff, StaffGrant, StaffSession
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import SmallSchool

_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Clock:
    """The application's time, moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(app: Flask) -> Clock:
    clock = Clock()
    app.extensions["now"] = clock
    return clock


def _log_in(client: FlaskClient, login: str, password: str, address: str = "192.0.2.1") -> int:
    answer = client.post(
        "/log-in",
        data={"login": login, "password": password},
        environ_base={"REMOTE_ADDR": address},
        headers={"User-Agent": _FIREFOX},
    )
    return answer.status_code


def _other_browser(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.set_cookie("language", "en")
    return client


def test_six_wrong_passwords_lock_and_time_opens_again(
    app: Flask, staff: FlaskClient, school: SmallSchool, clock: Clock
) -> None:
    other = _other_browser(app)
    pages = []
    for _ in range(6):
        form = {"login": school.login, "password": "wrong password"}
        answer = other.post("/log-in", data=form)
        assert answer.status_code == 403
        pages.append(re.sub(r'value="[^"]*"|content="[^"]*"|X-CSRFToken[^}]*', "", answer.text))
    right = {"login": school.login, "password": CHOSEN_PASSWORD}
    answer = other.post("/log-in", data=right)
    assert answer.status_code == 403
    pages.append(re.sub(r'value="[^"]*"|content="[^"]*"|X-CSRFToken[^}]*', "", answer.text))
    assert len(set(pages)) == 1
    assert "Five failures" in pages[0]
    clock.now += timedelta(minutes=15, seconds=1)
    assert other.post("/log-in", data=right).status_code == 302


def test_an_address_that_failed_enough_is_refused_with_any_account(
    app: Flask, staff: FlaskClient, school: SmallSchool
) -> None:
    other = _other_browser(app)
    for number in range(5):
        assert _log_in(other, f"guess-{number}", "wrong password") == 403
    assert _log_in(other, school.login, CHOSEN_PASSWORD) == 403
    assert _log_in(other, school.login, CHOSEN_PASSWORD, "192.0.2.2") == 302


def test_what_was_typed_is_kept_but_for_the_password(
    client: FlaskClient, school: SmallSchool
) -> None:
    form = {"login": "wang", "password": "canary password", "next": "/taps"}
    page = client.post("/log-in", data=form).text
    assert 'value="wang"' in page
    assert 'value="/taps"' in page
    assert "canary" not in page


def test_a_session_ends_when_nobody_uses_it(
    staff: FlaskClient, school: SmallSchool, clock: Clock
) -> None:
    assert staff.get("/account").status_code == 200
    clock.now += IDLE_END - timedelta(minutes=1)
    assert staff.get("/account").status_code == 200
    clock.now += IDLE_END + timedelta(minutes=2)
    assert "/log-in" in staff.get("/account").location


def test_the_account_page_says_where_one_is_logged_in_and_ends_the_others(
    app: Flask, staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    other = _other_browser(app)
    assert _log_in(other, school.login, CHOSEN_PASSWORD, "192.0.2.9") == 302
    page = staff.get("/account").text
    assert "192.0.2.9" in page
    assert "Firefox on Linux" in page
    assert page.count("this browser") == 1
    assert staff.post("/account/end-others").location == "/account"
    assert "1 other session has ended." in staff.get("/account").text
    assert "/log-in" in other.get("/account").location
    assert staff.get("/account").status_code == 200


def test_a_first_password_leads_on_to_the_page_that_was_wanted(
    client: FlaskClient, school: SmallSchool
) -> None:
    wanted = "/attendance/findings?kind=missed_exit"
    log_in = client.get(wanted).location
    assert log_in.startswith("/log-in?next=")
    form = {"login": school.login, "password": school.password, "next": wanted}
    choice = client.post("/log-in", data=form).location
    page = client.get(choice).text
    assert "<title>Choose a password · " in page
    assert f'name="next" value="{wanted}"' in page
    chosen = {"password": "short", "again": "short", "next": wanted}
    assert f'name="next" value="{wanted}"' in client.post("/password", data=chosen).text
    chosen |= {"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD}
    assert client.post("/password", data=chosen).location == wanted


def test_a_first_password_leads_nowhere_else(client: FlaskClient, school: SmallSchool) -> None:
    client.post("/log-in", data={"login": school.login, "password": school.password})
    chosen = {"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD, "next": "//evil.example"}
    assert client.post("/password", data=chosen).location == "/board"


def test_a_part_of_a_page_leads_back_to_the_page(client: FlaskClient, school: SmallSchool) -> None:
    part = {"HX-Request": "true", "HX-Current-URL": "https://school.example/board?homeroom=1#top"}
    answer = client.get("/jobs/news", headers=part)
    assert answer.headers["HX-Redirect"] == "/log-in?next=/board?homeroom%3D1"
    for odd in ("", "https://[", "https://school.example"):
        answer = client.get("/jobs/news", headers=part | {"HX-Current-URL": odd})
        assert answer.headers["HX-Redirect"] == "/log-in", odd


def test_the_password_page_says_whether_it_is_the_first(staff: FlaskClient) -> None:
    assert "<title>Change the password · 第一中学" in staff.get("/password").text


def test_a_new_password_needs_the_present_one_and_ends_the_other_sessions(
    app: Flask, staff: FlaskClient, school: SmallSchool
) -> None:
    other = _other_browser(app)
    _log_in(other, school.login, CHOSEN_PASSWORD)
    form = {"password": "quite another one", "again": "quite another one"}
    assert staff.post("/password", data=form).status_code == 403
    wrong = form | {"present": "not the present one"}
    assert staff.post("/password", data=wrong).status_code == 403
    assert other.get("/account").status_code == 200
    right = form | {"present": CHOSEN_PASSWORD}
    assert staff.post("/password", data=right).location == "/account"
    assert "/log-in" in other.get("/account").location
    assert staff.get("/account").status_code == 200
    assert _log_in(other, school.login, CHOSEN_PASSWORD) == 403
    assert _log_in(other, school.login, "quite another one") == 302


def test_disabling_an_account_ends_its_sessions(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.scalars(select(Staff)).one().disabled_at = datetime.now(UTC)
    assert "/log-in" in staff.get("/account").location


def test_the_language_of_choice_comes_along_to_another_browser(
    app: Flask, staff: FlaskClient, school: SmallSchool
) -> None:
    staff.post("/language/zh")
    other = _other_browser(app)
    assert 'lang="en"' in other.get("/log-in").text
    _log_in(other, school.login, CHOSEN_PASSWORD)
    assert 'lang="zh-CN"' in other.get("/account").text
    other.post("/log-out")
    assert 'lang="en"' in other.get("/log-in").text


def test_log_in_and_log_out_and_a_new_password_are_noted(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    staff.post("/log-out")
    with sessions() as session:
        noted = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))
    assert noted == ["staff.log_in", "staff.password_changed", "staff.log_out"]


@pytest.mark.parametrize(
    ("user_agent", "browser", "system"),
    [
        (_FIREFOX, "Firefox", "Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge",
            "Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; M2102) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/140.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.60",
            "WeChat",
            "Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
            " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari",
            "iPhone",
        ),
        ("curl/8.0", "", ""),
        ("", "", ""),
    ],
)
def test_a_browser_is_called_by_its_name(user_agent: str, browser: str, system: str) -> None:
    assert (browser_of(user_agent), system_of(user_agent)) == (browser, system)


@pytest.fixture(params=["127.0.0.1", "192.0.2.200"])
def served(request: pytest.FixtureRequest, database_url: str) -> Iterator[tuple[str, str]]:
    """A served application, and the address that it takes the web server with TLS to have."""
    update = {"web_behind_tls": True, "web_proxy": request.param}
    with serving(make_settings(database_url).model_copy(update=update)) as address:
        yield address, request.param


def test_only_the_web_server_before_us_is_believed_who_calls(
    served: tuple[str, str], school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    address, proxy = served
    link = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    headers = {"X-Forwarded-For": "203.0.113.9, 192.0.2.7", "X-Forwarded-Proto": "https"}
    link.request("GET", "/log-in", headers=headers)
    answer = link.getresponse()
    token = re.search(rb'name="csrf_token" value="([^"]+)"', answer.read())
    cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]
    assert token
    form = {"csrf_token": token[1].decode(), "login": school.login, "password": school.password}
    referrer = {"Referer": f"https://{urlsplit(address).netloc}/log-in"}
    more = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    link.request("POST", "/log-in", urlencode(form), headers | more | referrer)
    answer = link.getresponse()
    assert answer.status == 302
    link.close()
    with sessions() as session:
        seen = session.scalars(select(StaffSession.address)).one()
    assert seen == ("192.0.2.7" if proxy == "127.0.0.1" else "127.0.0.1")


def test_an_account_without_a_role_is_told_so_and_can_log_out(
    app: Flask, staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.execute(delete(StaffGrant))
    answer = staff.get("/home")
    assert answer.status_code == 403
    assert "Your account has no role yet. Ask the school&#39;s administrator." in answer.text
    assert 'action="/log-out"' in answer.text
    assert "data-live" not in answer.text
    assert staff.get("/account").status_code == 200
    for path in ("/board", "/students", "/settings", "/audit", "/live/events"):
        assert staff.get(path).status_code == 403, path
    assert staff.post("/log-out").location == "/log-in"

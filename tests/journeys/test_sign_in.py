"""Stories of signing in, in Chromium: first set-up, a phone's codes, a lock, a provider, an end."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.serving import make_server

from card_server.config import LinkBy, Settings
from card_server.staff.accounts import create_staff_with_password
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.storage.database import open_engine
from card_server.web.app import close_app, create_app
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.harness.browser import watch_for_errors
from tests.harness.oidc_provider import provider

PASSWORD = "a few words in a row"
ADMIN, OTHER = "wang@school.example", "li"


class Clock:
    """The server's time, moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def campus(sessions: sessionmaker[Session]) -> SmallSchool:
    """A school with two accounts whose owners have chosen their passwords."""
    with sessions.begin() as session:
        school = make_school(session)
        for login, name in ((ADMIN, "王老师"), (OTHER, "李老师")):
            create_staff_with_password(session, school.id, login, name, PASSWORD, WHOLE_SCHOOL)
        return school


@pytest.fixture
def desk(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en")
    yield context
    context.close()


@pytest.fixture
def elsewhere(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en")
    yield context
    context.close()


@contextmanager
def at_work(settings: Settings, clock: Clock) -> Iterator[str]:
    """The address of a server whose time is the clock's."""
    engine = open_engine(settings.database_url)
    app = create_app(settings, engine)
    app.extensions["now"] = clock
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        close_app(app)
        server.shutdown()
        thread.join(20)
        server.server_close()
        engine.dispose()


def _log_in(page: Page, address: str, login: str, password: str) -> None:
    page.goto(f"{address}/log-in")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()


def _log_out(page: Page, name: str) -> None:
    page.locator("summary", has_text=name).click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Login")).to_be_visible()


def _is_at_work(page: Page) -> None:
    expect(page.locator("#count-students")).to_be_visible()


def test_a_new_server_is_set_up_by_the_link_that_it_prints(
    desk: BrowserContext, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    page = desk.new_page()
    wrong = watch_for_errors(page)
    with serving(make_settings(database_url).model_copy(update={"web_address": ""})):
        link = re.search(r"http\S+/set-up/\S+", capfd.readouterr().err)
        assert link
        page.goto(link[0])
        page.get_by_label("Name of the school").fill("第一中学")
        page.get_by_label("Short code").fill("no1")
        page.get_by_label("Signature").fill("一中")
        page.get_by_label("Your name").fill("王老师")
        page.get_by_label("Login").fill("wang")
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button", name="Make school and account").click()
        expect(page.locator("header")).to_contain_text("第一中学")
        _is_at_work(page)
        assert wrong == []
        answer = page.goto(link[0])
        assert answer
        assert answer.status == 404


def test_a_phone_is_taken_in_and_asked_for_at_the_next_log_in(
    desk: BrowserContext, database_url: str, campus: SmallSchool, clock: Clock
) -> None:
    page = desk.new_page()
    wrong = watch_for_errors(page)
    with at_work(make_settings(database_url), clock) as address:
        _log_in(page, address, ADMIN, PASSWORD)
        _is_at_work(page)
        page.goto(f"{address}/account")
        page.get_by_role("button", name="Switch codes on").click()
        page.get_by_label("Current password").fill(PASSWORD)
        page.get_by_role("button", name="Begin").click()
        picture = page.get_by_role("img", name="QR code")
        expect(picture).to_be_visible()
        assert picture.evaluate("async image => (await image.decode(), image.naturalWidth)") > 100
        phone = pyotp.TOTP(page.locator("#secret").inner_text().replace(" ", ""))
        page.get_by_label("Code").fill(phone.at(clock.now))
        page.get_by_role("button", name="Switch codes on").click()
        expect(page.locator("#recovery-codes li")).to_have_count(10)
        recovery = page.locator("#recovery-codes li").first.inner_text()
        page.get_by_role("button", name="I have kept them").click()
        _log_out(page, "王老师")
        clock.now += timedelta(seconds=30)
        _log_in(page, address, ADMIN, PASSWORD)
        page.get_by_label("Code").fill(phone.at(clock.now))
        page.get_by_role("button", name="Go on").click()
        _is_at_work(page)
        _log_out(page, "王老师")
        _log_in(page, address, ADMIN, PASSWORD)
        page.get_by_label("Code").fill(recovery)
        page.get_by_role("button", name="Go on").click()
        _is_at_work(page)
        page.goto(f"{address}/account")
        expect(page.get_by_text("9 recovery codes left")).to_be_visible()
        page.goto("about:blank")
    assert wrong == []


def test_six_wrong_passwords_lock_account_and_address_until_time_has_passed(
    desk: BrowserContext, database_url: str, campus: SmallSchool, clock: Clock
) -> None:
    page = desk.new_page()
    with at_work(make_settings(database_url), clock) as address:
        said = set()
        for password in [*[f"wrong password {n}" for n in range(6)], PASSWORD]:
            _log_in(page, address, ADMIN, password)
            said.add(page.get_by_role("alert").inner_text())
        assert len(said) == 1
        _log_in(page, address, OTHER, PASSWORD)
        expect(page.get_by_role("alert")).to_have_text(said.pop())
        clock.now += timedelta(minutes=15, seconds=1)
        _log_in(page, address, ADMIN, PASSWORD)
        _is_at_work(page)
        page.goto("about:blank")


def test_a_provider_vouches_and_the_account_opens(
    desk: BrowserContext, database_url: str, campus: SmallSchool, clock: Clock, tmp_path: Path
) -> None:
    page = desk.new_page()
    claims: dict[str, object] = {"sub": "0001", "email": ADMIN, "email_verified": True}
    with provider(tmp_path / "provider.log", claims) as issuer:
        update = {
            "oidc_issuer": issuer,
            "oidc_client_id": "campus",
            "oidc_client_secret": "secret",
            "oidc_name": "School ID",
            "oidc_link_by": LinkBy.EMAIL,
        }
        settings = make_settings(database_url).model_copy(update=update)
        with at_work(settings, clock) as address:
            page.goto(f"{address}/taps")
            page.get_by_role("button", name="Log in with School ID").click()
            page.wait_for_url(f"{issuer}/**")
            page.get_by_role("button", name="0001").click()
            page.wait_for_url(f"{address}/taps")
            expect(page.locator("summary", has_text="王老师")).to_be_visible()
            page.goto("about:blank")


def test_a_password_changed_in_one_browser_ends_the_session_in_another(
    desk: BrowserContext,
    elsewhere: BrowserContext,
    database_url: str,
    campus: SmallSchool,
    clock: Clock,
) -> None:
    here, there = desk.new_page(), elsewhere.new_page()
    with at_work(make_settings(database_url), clock) as address:
        for page in (here, there):
            _log_in(page, address, ADMIN, PASSWORD)
            _is_at_work(page)
        here.goto(f"{address}/account")
        expect(here.locator("tbody tr")).to_have_count(2)
        here.get_by_role("button", name="Change the password").click()
        here.get_by_label("Current password").fill(PASSWORD)
        here.get_by_label("New password").fill("quite another few words")
        here.get_by_label("The same again").fill("quite another few words")
        here.get_by_role("button", name="Keep this password").click()
        expect(here.get_by_role("status").filter(has_text="have ended")).to_be_visible()
        expect(here.locator("tbody tr")).to_have_count(1)
        # The live page over there finds out by itself: at the next change, or a heartbeat later.
        expect(there.get_by_label("Login")).to_be_visible(timeout=25_000)
        _log_in(there, address, ADMIN, "quite another few words")
        _is_at_work(there)
        for page in (here, there):
            page.goto("about:blank")

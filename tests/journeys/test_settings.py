"""An administrator makes a homeroom teacher, who logs in and sees one homeroom and nothing else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from card_server.storage.database import open_engine
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.harness.browser import watch_for_errors


@pytest.fixture
def campus(database_url: str) -> Iterator[SmallSchool]:
    engine = open_engine(database_url)
    with Session(engine) as session:
        made = make_school(session)
        session.commit()
    yield made
    engine.dispose()


def _log_in(page: Page, address: str, login: str, password: str) -> None:
    """By a one-time password, and on with a chosen one."""
    page.goto(f"{address}/log-in")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_label("New password").fill(CHOSEN_PASSWORD)
    page.get_by_label("The same again").fill(CHOSEN_PASSWORD)
    page.get_by_role("button", name="Keep this password").click()
    expect(page.locator("#count-students")).to_be_visible()


def _make_teacher(page: Page) -> str:
    """The one-time password of a new homeroom teacher of the first homeroom."""
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Staff and roles").click()
    page.get_by_role("button", name="Add somebody").click()
    page.get_by_label("Name").fill("李老师")
    page.get_by_label("Login").fill("li")
    page.get_by_role("button", name="Add and show the one-time password").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one role.")
    expect(page.get_by_label("Name")).to_have_value("李老师")
    page.locator("summary", has_text="homeroom teacher").click()
    page.get_by_role("group", name="homeroom teacher").get_by_label("高一(1)班").check()
    page.get_by_role("button", name="Add and show the one-time password").click()
    expect(page.locator("#made-login")).to_have_text("li")
    return page.locator("#one-time-password").inner_text()


def test_a_homeroom_teacher_is_made_logs_in_and_sees_one_homeroom(
    browser: Browser, database_url: str, campus: SmallSchool
) -> None:
    with serving(make_settings(database_url)) as address:
        context = browser.new_context(locale="en")
        page = context.new_page()
        wrong = watch_for_errors(page)
        _log_in(page, address, campus.login, campus.password)
        expect(page.locator("#count-students")).to_have_text("8")
        # The form that comes back with a sentence has the status of one: Chromium logs that.
        password = _make_teacher(page)
        page.get_by_role("button", name="I have handed it over").click()
        expect(page.locator("#history")).to_contain_text("made an account")
        context.close()
        assert [one for one in wrong if "422" not in one] == []

        context = browser.new_context(locale="en")
        page = context.new_page()
        wrong = watch_for_errors(page)
        _log_in(page, address, "li", password)
        expect(page.locator("#count-students")).to_have_text("4")
        expect(page.locator("main")).to_contain_text("高一(1)班")
        expect(page.locator("main")).not_to_contain_text("高一(2)班")
        expect(page.get_by_role("link", name="Settings")).to_have_count(0)
        expect(page.get_by_role("link", name="District")).to_have_count(0)
        assert wrong == []
        for path, status in (
            (f"/students/{campus.students[0]}", 200),
            (f"/students/{campus.students[1]}", 404),
            ("/settings/staff", 403),
            ("/audit", 403),
            ("/district", 403),
        ):
            answer = page.goto(address + path)
            assert answer is not None
            assert answer.status == status, path
        page.goto("about:blank")
        context.close()

"""Long lists on a phone: a search goes on to its next page, and paper stays within the screen."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM, note
from card_server.school_time import DISTRICT_ZONE, bounds_of, day_of
from schema.messages import utc_now
from schema.tables.staff import Staff
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool
from tests.harness.browser import log_in


@pytest.fixture
def phone(
    browser: Browser, database_url: str, school: SmallSchool, sessions: sessionmaker[Session]
) -> Iterator[Page]:
    """The office's; the first student has sixty leave slips today, the second has one."""
    begin: datetime = bounds_of(day_of(utc_now(), DISTRICT_ZONE), DISTRICT_ZONE)[0]
    with sessions.begin() as session:
        session.execute(update(Staff).values(password_is_one_time=False))
        session.add_all(make_slip(school, 0, begin) for _ in range(60))
        session.add(make_slip(school, 1, begin))
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 740})
    page = context.new_page()
    with serving(make_settings(database_url)) as address:
        log_in(page, address, school.login, school.password)
        yield page
        page.goto("about:blank")
    context.close()


def test_the_next_page_of_a_search_is_of_the_same_search(phone: Page) -> None:
    _leave_alone(phone)
    phone.goto(phone.url.replace("/board", "/leave/register"))
    expect(phone.locator(".below")).to_contain_text("共 61 行")
    phone.locator("#words").fill("zs")
    expect(phone.locator(".below")).to_contain_text("共 60 行")
    phone.get_by_role("link", name="下一页").click()
    expect(phone.locator(".below")).to_contain_text("第 51–60 行，共 60 行")
    expect(phone.locator("#words")).to_have_value("zs")
    assert "page" not in phone.url


def test_a_search_that_is_under_way_does_not_undo_the_next_page(phone: Page) -> None:
    _leave_alone(phone)
    phone.goto(phone.url.replace("/board", "/leave/register"))
    phone.locator("#words").fill("zs")
    expect(phone.locator(".below")).to_contain_text("共 60 行")
    held: list[Route] = []
    phone.route(
        lambda url: "/leave/register" in url and "page=" not in url, lambda r: _keep(held, r)
    )
    with phone.expect_request(lambda one: "/leave/register" in one.url):
        phone.locator("#words").dispatch_event("search")
    with phone.expect_event("requestfailed", lambda one: "page=" not in one.url, timeout=10_000):
        phone.get_by_role("link", name="下一页").click()
    expect(phone.locator(".below")).to_contain_text("第 51–60 行，共 60 行")
    assert len(held) == 1


def _leave_alone(phone: Page) -> None:
    """Without live changes: what comes is what was asked for."""
    phone.route("**/live.js*", lambda route: route.abort())


def _keep(held: list[Route], route: Route) -> None:
    held.append(route)


def test_what_a_colleague_writes_shows_at_once(
    phone: Page, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    phone.goto(phone.url.replace("/board", "/leave/register"))
    expect(phone.locator(".below")).to_contain_text("共 61 行")
    with phone.expect_response(lambda one: "/live/events" in one.url, timeout=10_000):
        phone.reload()
    with sessions.begin() as session:
        session.add(make_slip(school, 2, utc_now()))
        note(session, school.id, SYSTEM, "leave.asked", "student:3")
    expect(phone.locator(".below")).to_contain_text("共 62 行", timeout=10_000)


def test_paper_is_looked_at_on_a_phone_without_moving_the_page(phone: Page) -> None:
    phone.goto(phone.url.replace("/board", "/leave/register?print=all"))
    expect(phone.locator(".paper tbody tr")).to_have_count(61)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_keyboard_stays_on_a_name_when_the_list_comes_anew(
    phone: Page, school: SmallSchool
) -> None:
    phone.goto(phone.url.replace("/board", "/leave/register?sort=name"))
    name = phone.locator("td.lead a").nth(3)
    href = name.get_attribute("href")
    name.focus()
    with phone.expect_response(lambda one: one.request.method == "POST"):
        phone.evaluate("document.body.dispatchEvent(new Event('live:staff'))")
    expect(phone.locator(f'td.lead a[href="{href}"]')).to_be_focused()
    expect(phone.locator("#found .htmx-request")).to_have_count(0)
    expect(phone.locator(f'td.lead a[href="{href}"]')).to_be_focused()

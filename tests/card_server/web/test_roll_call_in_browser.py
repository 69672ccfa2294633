"""The dormitory's roll call on a phone: from room to room, undone, and the rest at the end."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.people import Boarding
from schema.tables.staff import Staff
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.small_school import SmallSchool
from tests.harness.browser import log_in


@pytest.fixture
def phone(
    browser: Browser, database_url: str, school: SmallSchool, sessions: sessionmaker[Session]
) -> Iterator[Page]:
    """The office's; six students of the school board, three of each homeroom."""
    with sessions.begin() as session:
        session.execute(update(Staff).values(password_is_one_time=False))
        for student in school.students[:6]:
            begins = date(2020, 9, 1)
            session.add(Boarding(school_id=school.id, student_id=student, from_on=begins))
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 740})
    page = context.new_page()
    with serving(make_settings(database_url)) as address:
        log_in(page, address, school.login, school.password)
        yield page
        page.goto("about:blank")
    context.close()


def test_a_homeroom_is_called_with_a_thumb(phone: Page, school: SmallSchool) -> None:
    phone.goto(phone.url.replace("/board", "/attendance/roll-call"))
    expect(phone.locator("#count-open")).to_have_text("6")
    phone.locator(".room-counts a").first.click()
    expect(phone.locator("#count-open")).to_have_text("3")
    missing = phone.locator(f"#boarder-{school.students[0]}")
    missing.get_by_role("button", name=re.compile("未到")).click()
    expect(phone.locator("#count-missing")).to_have_text("1")
    expect(phone.locator("#count-open")).to_have_text("2")
    expect(missing).to_contain_text("王老师")
    phone.get_by_role("button", name="其余 2 人都在").click()
    expect(phone.locator("#count-here")).to_have_text("2")
    missing.get_by_role("button", name=re.compile("撤销")).click()
    expect(phone.locator("#count-open")).to_have_text("1")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.locator("#homeroom").select_option("")
    expect(phone.locator("#count-here")).to_have_text("2")
    expect(phone.locator("#count-open")).to_have_text("4")


def test_the_keyboard_stays_where_it_is_when_the_roll_comes_anew(
    phone: Page, school: SmallSchool
) -> None:
    phone.goto(phone.url.replace("/board", f"/attendance/roll-call?homeroom={school.homerooms[0]}"))
    button = phone.locator(f"#missing-{school.students[2]}")
    button.focus()
    with phone.expect_response(lambda one: "/attendance/roll-call" in one.url):
        phone.evaluate("htmx.trigger('#roll', 'every')")
    expect(button).to_be_focused()

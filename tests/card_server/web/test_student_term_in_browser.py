"""A student's term on a narrow phone: no figure stands outside the screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from sqlalchemy import update

from card_server.storage.database import open_engine, open_sessions
from schema.tables.staff import Staff
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.sheet_month import add_month
from tests.card_server.web.small_school import SmallSchool, make_school

_WIDTH = 360
_OUTSIDE = """(width) => [...document.querySelectorAll("#figures :is(th, td)")]
  .filter((one) => one.offsetParent && one.getBoundingClientRect().right > width)
  .map((one) => one.textContent)"""


@pytest.fixture
def term(sqlite_url: str) -> Iterator[tuple[SmallSchool, int]]:
    """A school with a judged month, and its term's id."""
    engine = open_engine(sqlite_url)
    with open_sessions(engine).begin() as session:
        school = make_school(session)
        term_id = add_month(session, school)
        session.execute(update(Staff).values(password_is_one_time=False))
    yield school, term_id
    engine.dispose()


def test_all_figures_of_a_term_stand_on_the_screen_of_a_phone(
    browser: Browser, sqlite_url: str, term: tuple[SmallSchool, int]
) -> None:
    school, term_id = term
    context = browser.new_context(locale="zh-CN", viewport={"width": _WIDTH, "height": 740})
    page = context.new_page()
    with serving(make_settings(sqlite_url)) as address:
        page.goto(f"{address}/log-in")
        page.fill("[name=login]", school.login)
        page.fill("[name=password]", school.password)
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/board")
        page.goto(f"{address}/students/{school.students[2]}/attendance?term={term_id}")
        assert page.locator("#figures td").count() >= 9
        assert page.evaluate(_OUTSIDE, _WIDTH) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= _WIDTH
        assert "学期" in page.locator("#figures tfoot").inner_text()
        page.goto("about:blank")
    context.close()

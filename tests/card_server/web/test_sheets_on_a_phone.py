"""Sheets on a narrow phone: figures stay on the screen, days unfold, a month begins at today."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.staff import Staff
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.leave_things import make_passage
from tests.card_server.web.sheet_month import MONDAY, add_month
from tests.card_server.web.small_school import SmallSchool
from tests.harness.browser import log_in

_WIDTH = 360
_OUTSIDE = """(width) => [...document.querySelectorAll("#figures :is(th, td)")]
  .filter((one) => one.offsetParent && one.getBoundingClientRect().right > width)
  .map((one) => one.textContent)"""
_HIDDEN = """() => [...document.querySelectorAll("#board .table-box")]
  .map((one) => one.scrollWidth - one.clientWidth)"""
_TODAY = """() => {
  const [name, today] = [".month-grid th.who", ".month-grid [aria-current]"]
    .map((one) => document.querySelector(one).getBoundingClientRect());
  return [name.right, today.left, today.right];
}"""


@pytest.fixture
def term_id(sessions: sessionmaker[Session], school: SmallSchool) -> int:
    """Of a judged month."""
    with sessions.begin() as session:
        session.execute(update(Staff).values(password_is_one_time=False))
        return add_month(session, school)


@pytest.fixture
def phone(browser: Browser, database_url: str, school: SmallSchool, term_id: int) -> Iterator[Page]:
    """The office's, with the board on it."""
    context = browser.new_context(locale="zh-CN", viewport={"width": _WIDTH, "height": 740})
    page = context.new_page()
    with serving(make_settings(database_url)) as address:
        log_in(page, address, school.login, school.password)
        yield page
        page.goto("about:blank")
    context.close()


def _open(phone: Page, path: str) -> None:
    phone.goto(phone.url.replace("/board", path))


def test_all_figures_of_a_term_stand_on_the_screen(
    phone: Page, school: SmallSchool, term_id: int
) -> None:
    _open(phone, f"/students/{school.students[2]}/attendance?term={term_id}")
    assert phone.locator("#figures td").count() >= 9
    assert phone.evaluate(_OUTSIDE, _WIDTH) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= _WIDTH
    assert "学期" in phone.locator("#figures tfoot").inner_text()


def test_a_day_unfolds_with_its_taps_also_after_it_could_not_be_fetched(
    phone: Page, school: SmallSchool, term_id: int
) -> None:
    _open(phone, f"/students/{school.students[2]}/attendance?term={term_id}")
    day = phone.locator(f"#day-{MONDAY}")
    phone.context.set_offline(True)
    with phone.expect_event("requestfailed"):
        day.locator("summary").click()
    expect(day.locator(".tap-list")).to_have_count(0)
    phone.context.set_offline(False)
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    for _ in range(2):
        day.locator("summary").click()
        day.locator("summary").click()
        expect(day.locator(".tap-list li")).to_have_count(4)
    expect(day).to_contain_text("08:06:00")
    expect(phone.locator(".tap-list")).to_have_count(1)
    assert [url.partition("/taps?")[2] for url in asked] == [f"day={MONDAY}"]


def test_a_month_unfolds_with_its_days_and_its_signs_lead_to_them(
    phone: Page, school: SmallSchool, term_id: int, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.add(make_passage(school, 2, datetime(2024, 10, 8, 1, tzinfo=UTC)))
    _open(phone, f"/students/{school.students[2]}/attendance?term={term_id}")
    expect(phone.locator("#day-2024-10-08")).to_be_visible()
    september = phone.locator(".term-month", has_text="2024年9月")
    expect(september.locator(".term-days")).to_have_count(0)
    september.locator("summary").click()
    expect(september.locator(".term-days > li")).to_have_count(20)
    taps = september.locator(f"#day-{MONDAY}")
    taps.locator("summary").click()
    taps.scroll_into_view_if_needed()
    expect(taps.locator(".tap-list li")).to_have_count(4)
    phone.reload()
    phone.locator(f".heat-day[href$='#day-{MONDAY}']").click()
    expect(phone.locator(f"#day-{MONDAY}:target")).to_be_in_viewport()
    expect(september.locator(".term-days > li")).to_have_count(20)


def test_all_months_are_unfolded_for_printing(
    phone: Page, school: SmallSchool, term_id: int, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.add(make_passage(school, 2, datetime(2024, 10, 8, 1, tzinfo=UTC)))
    _open(phone, f"/students/{school.students[2]}/attendance?term={term_id}")
    phone.locator("#days > h2 a").first.click()
    expect(phone.locator(".term-days > li")).to_have_count(21)
    expect(phone.locator(".tap-list")).to_have_count(2)
    paper = "".join(page.extract_text() for page in PdfReader(BytesIO(phone.pdf())).pages)
    assert "08:06:00" in paper
    assert "09:00:00" in paper


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_numbers_of_today_stand_side_by_side_on_the_screen(phone: Page, language: str) -> None:
    place = {"name": "language", "value": language, "url": phone.url}
    phone.context.add_cookies([place])  # type: ignore[list-item]
    phone.reload()
    expect(phone.locator("#board .table-box thead th:visible")).not_to_have_count(0)
    assert phone.evaluate(_HIDDEN) == [0] * phone.locator("#board .table-box").count()


def test_a_month_begins_at_today(phone: Page, school: SmallSchool) -> None:
    _open(phone, f"/attendance/homeroom/{school.homerooms[0]}/month")
    names_end, begin, end = phone.evaluate(_TODAY)
    assert names_end <= begin < end <= _WIDTH

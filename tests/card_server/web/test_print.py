"""What the printer gives: the page without its controls, light, whole, heads on each sheet."""

import io
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from pypdf import PdfReader
from sqlalchemy.orm import Session, sessionmaker

from card_server.school_time import day_of
from card_server.storage.database import open_engine, open_sessions
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.growing_school import add_first, grow
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.odd_things import add_day
from tests.card_server.web.small_school import SmallSchool, add_students, make_school
from tests.harness.browser import log_in
from tests.harness.clock import ZONE

_A4_WITHOUT_MARGINS = {"width": 718, "height": 1047}
"""In CSS pixels: 190 mm × 277 mm."""
_MARGIN = {"top": "10mm", "bottom": "10mm", "left": "10mm", "right": "10mm"}
_CONTROLS = ".top, .tabs, .filter, button, [role=button], .exports, .pages, .plot, #live-note"
_ASKS = ".search, summary, #by-hand, #notes > form, #who > p > a, #today > h2 > small"
"""What a page asks for or leads to, beside what it says."""
_SEEN = """(selector) => [...document.querySelectorAll(selector)]
  .filter((one) => one.getClientRects().length > 0).map((one) => one.outerHTML.slice(0, 80))"""
_CUT = """() => [...document.querySelectorAll("#main *")]
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 80))"""
_COLOURS = """() => {
  const of = (one) => getComputedStyle(one);
  return [of(document.documentElement).backgroundColor, of(document.querySelector("h1")).color,
    of(document.querySelector("table")).backgroundColor, of(document.querySelector("td")).color];
}"""
_WHITE, _BLACK = "rgb(255, 255, 255)", "rgb(0, 0, 0)"
_HEADS = {"/board": "到校比例", "/students/{student}/day": "判定依据", "/audit": "操作人"}
"""Each page that is printed, and a head of its table."""


_ROWS = 120
"""Of each list that is printed whole: more than two pages of it have on the screen."""
_PAPERS = {
    "/leave/register": "审批人",
    "/attendance/students?{a_month}": "早退",
    "/attendance/findings?{a_month}&kind=missed_exit": "详情",
    "/board/students?status=late": "学号",
}


@pytest.fixture(scope="module")
def url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("print") / "campus.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def moment() -> datetime:
    """When the school was filled, which is now for its server until the last page is printed."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def today(moment: datetime) -> date:
    return day_of(moment, ZONE)


@pytest.fixture(scope="module")
def a_month(today: date) -> str:
    return f"from={today - timedelta(days=30)}&to={today}"


@pytest.fixture(scope="module")
def campus(url: str, today: date) -> Iterator[SmallSchool]:
    """A school of which each page prints on more than one sheet; printing changes nothing."""
    engine = open_engine(url)
    sessions: sessionmaker[Session] = open_sessions(engine)
    with sessions.begin() as session:
        school = make_school(session)
        add_first(session, school)
        grow(session, school)
        _add_long_lists(session, school, today)
    yield school
    engine.dispose()


def _add_long_lists(session: Session, school: SmallSchool, today: date) -> None:
    """Students who were late and whose exits were missed, each with a leave slip of today."""
    before = len(school.students)
    add_students(session, school, range(before, before + _ROWS))
    for number in range(before, before + _ROWS):
        add_day(session, school, number, today, late=1, findings="missed_exit")
        slip = make_slip(school, number, datetime.now(UTC))
        slip.decision_reason = "家长来电说明情况有变，学生已按时返校上课"
        session.add(slip)


@pytest.fixture(scope="module")
def served(
    browser: Browser, url: str, moment: datetime, campus: SmallSchool
) -> Iterator[tuple[str, Any]]:
    """The server's address, and the cookies of somebody who has logged in."""
    with serving(make_settings(url), moment) as address:
        page = browser.new_page()
        log_in(page, address, campus.login, campus.password, "**/password")
        page.fill("[name=password]", CHOSEN_PASSWORD)
        page.fill("[name=again]", CHOSEN_PASSWORD)
        page.press("[name=again]", "Enter")
        page.wait_for_url("**/board")
        cookies = page.context.storage_state()
        page.close()
        yield address, cookies


@pytest.fixture
def page(browser: Browser, served: tuple[str, Any]) -> Iterator[tuple[Page, str]]:
    """A page in dark mode of somebody who has logged in, and the server's address."""
    address, cookies = served
    context = browser.new_context(
        locale="zh-CN", color_scheme="dark", reduced_motion="reduce", storage_state=cookies
    )
    page = context.new_page()
    yield page, address
    page.goto("about:blank")
    context.close()


@pytest.mark.parametrize("path", list(_HEADS))
@pytest.mark.parametrize("theme", ["system", "dark"])
def test_a_page_prints_light_and_without_its_controls(
    page: tuple[Page, str], campus: SmallSchool, path: str, theme: str
) -> None:
    opened, address = page
    opened.set_viewport_size(_A4_WITHOUT_MARGINS)  # type: ignore[arg-type]
    opened.context.add_cookies([{"name": "theme", "value": theme, "url": address}])
    opened.goto(address + path.format(student=campus.students[0]))
    assert opened.evaluate(_COLOURS)[0] != _WHITE, "it is dark on the screen"
    assert opened.evaluate(_SEEN, _CONTROLS) != []
    opened.emulate_media(media="print", color_scheme="dark", reduced_motion="reduce")
    assert opened.evaluate(_SEEN, _CONTROLS) == []
    assert opened.evaluate(_COLOURS) == [_WHITE, _BLACK, _WHITE, _BLACK]
    assert opened.evaluate(_CUT) == []
    assert opened.evaluate("document.documentElement.scrollWidth") <= _A4_WITHOUT_MARGINS["width"]


@pytest.mark.parametrize("path", ["/students/{student}", "/students", "/enrolment", "/cards"])
def test_a_record_and_a_list_print_what_they_say_and_nothing_to_fill_in(
    page: tuple[Page, str], campus: SmallSchool, path: str
) -> None:
    opened, address = page
    opened.goto(address + path.format(student=campus.students[0]))
    assert opened.evaluate(_SEEN, _ASKS) != []
    opened.emulate_media(media="print")
    assert opened.evaluate(_SEEN, _ASKS) == []


@pytest.mark.parametrize(("path", "heads"), list(_HEADS.items()))
def test_a_tables_heads_stand_on_each_of_its_sheets(
    page: tuple[Page, str], campus: SmallSchool, path: str, heads: str
) -> None:
    opened, address = page
    opened.goto(address + path.format(student=campus.students[0]))
    printed = opened.pdf(format="A4", margin=_MARGIN, print_background=True)  # type: ignore[arg-type]
    sheets = ["".join(one.extract_text().split()) for one in PdfReader(io.BytesIO(printed)).pages]
    assert len(sheets) > 1
    rows = re.compile(r"\d\d:\d\d:\d\d|高二\(\d+\)班")
    of_table = [sheet for sheet in sheets[:2] if rows.search(sheet)]
    assert len(of_table) == 2, sheets
    assert [heads in sheet for sheet in of_table] == [True, True], sheets


@pytest.mark.parametrize(("path", "head"), list(_PAPERS.items()))
def test_a_list_is_printed_whole_from_its_page(
    page: tuple[Page, str], a_month: str, path: str, head: str
) -> None:
    opened, address = page
    opened.set_viewport_size(_A4_WITHOUT_MARGINS)  # type: ignore[arg-type]
    opened.goto(address + path.format(a_month=a_month))
    assert opened.locator("tbody tr").count() == 50
    opened.click("text=打印全部")
    opened.wait_for_selector("table.paper")
    rows = opened.locator("tbody tr").count()
    assert rows >= _ROWS
    opened.evaluate("() => { window.printed = 0; window.print = () => window.printed++; }")
    opened.click("[data-prints]")
    assert opened.evaluate("window.printed") == 1
    opened.emulate_media(media="print", color_scheme="dark", reduced_motion="reduce")
    assert opened.evaluate(_SEEN, _CONTROLS) == []
    assert opened.evaluate(_COLOURS) == [_WHITE, _BLACK, _WHITE, _BLACK]
    assert opened.evaluate(_CUT) == []
    printed = opened.pdf(format="A4", margin=_MARGIN)  # type: ignore[arg-type]
    sheets = ["".join(one.extract_text().split()) for one in PdfReader(io.BytesIO(printed)).pages]
    assert 1 < len(sheets) < rows / 10
    assert [head in sheet for sheet in sheets] == [True] * len(sheets), sheets
    assert f"{rows}行" in sheets[0]


def test_the_weeks_of_the_rankings_are_a_table_on_paper(
    page: tuple[Page, str], today: date, a_month: str
) -> None:
    opened, address = page
    opened.set_viewport_size(_A4_WITHOUT_MARGINS)  # type: ignore[arg-type]
    opened.goto(f"{address}/attendance/homerooms?{a_month}")
    assert opened.evaluate(_SEEN, ".paper-only") == []
    assert opened.evaluate(_SEEN, ".plot") != []
    opened.emulate_media(media="print")
    assert opened.evaluate(_SEEN, ".plot, .chart") == []
    assert len(opened.evaluate(_SEEN, ".paper-only tbody tr")) > 0
    assert opened.evaluate(_CUT) == []
    week = today - timedelta(days=today.weekday())
    assert f"{week}" in opened.inner_text(".paper-only")

"""A homeroom's sheets on paper: one A4 sheet a day and one a month, whole and named."""

import io
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from pypdf import PdfReader
from sqlalchemy import update

from card_server.storage.database import open_engine, open_sessions
from schema.tables.staff import Staff
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.sheet_month import MONDAY, add_month
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.harness.browser import log_in

_LARGE_HOMEROOM = 60


@pytest.fixture
def school(sqlite_url: str) -> Iterator[SmallSchool]:
    """Two homerooms as large as any, and a judged month."""
    engine = open_engine(sqlite_url)
    with open_sessions(engine).begin() as session:
        made = make_school(session, students=2 * _LARGE_HOMEROOM)
        add_month(session, made)
        session.execute(update(Staff).values(password_is_one_time=False))
    yield made
    engine.dispose()


@pytest.fixture
def page(browser: Browser, sqlite_url: str, school: SmallSchool) -> Iterator[tuple[Page, str]]:
    """A page of somebody who has logged in, and the server's address."""
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    with serving(make_settings(sqlite_url)) as address:
        log_in(page, address, school.login, school.password)
        yield page, address
        page.goto("about:blank")
    context.close()


@pytest.mark.parametrize(
    ("path", "title"),
    [
        (f"/attendance/homeroom/{{room}}?day={MONDAY}", "2024年9月2日"),
        ("/attendance/homeroom/{room}/month?month=2024-09", "2024年9月"),
    ],
)
def test_a_large_homeroom_stands_whole_on_one_sheet(
    page: tuple[Page, str], school: SmallSchool, path: str, title: str
) -> None:
    opened, address = page
    opened.goto(address + path.format(room=school.homerooms[0]))
    printed = PdfReader(io.BytesIO(opened.pdf(prefer_css_page_size=True))).pages
    sheets = ["".join(one.extract_text().split()) for one in printed]
    assert len(sheets) == 1, [sheet[:200] for sheet in sheets]
    numbers = [f"2026{number:04}" for number in range(0, 2 * _LARGE_HOMEROOM, 2)]
    assert [one for one in numbers if one not in sheets[0]] == []
    for part in ("第一中学", "高一(1)班", title, "张三", "陈晨"):
        assert part in sheets[0], part

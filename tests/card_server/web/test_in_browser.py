"""The pages as a person meets them, in Chromium."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session, sessionmaker

from card_server.storage.database import open_engine, open_sessions
from schema.messages import CardState
from schema.tables.cards import Card
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap, make_school
from tests.card_server.web.tray_reader import TrayReader
from tests.harness.browser import watch_for_errors
from tests.harness.ports import free_port
from tests.harness.waiting import wait_for

_WIDTHS = (360, 1280)
_TOO_WIDE = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture
def browser_sessions(sqlite_url: str) -> Iterator[sessionmaker[Session]]:
    engine = open_engine(sqlite_url)
    yield open_sessions(engine)
    engine.dispose()


@pytest.fixture
def campus(browser_sessions: sessionmaker[Session]) -> SmallSchool:
    with browser_sessions.begin() as session:
        return make_school(session)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A Chinese browser's page; scripts that fail or break the content policy fail the test."""
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    wrong = watch_for_errors(page)
    yield page
    context.close()
    assert wrong == []


def _log_in(page: Page, address: str, school: SmallSchool) -> None:
    page.goto(f"{address}/board")
    page.get_by_label("登录名").fill(school.login)
    page.get_by_label("密码").fill(school.password)
    page.get_by_role("button", name="登录").click()
    page.get_by_label("新密码").fill(CHOSEN_PASSWORD)
    page.get_by_label("再输入一次").fill(CHOSEN_PASSWORD)
    page.get_by_role("button", name="保存密码").click()
    expect(page.locator("#count-students")).to_have_text("8")


def test_staff_log_in_once_choose_a_password_and_see_the_school_live(
    page: Page, sqlite_url: str, campus: SmallSchool, browser_sessions: sessionmaker[Session]
) -> None:
    with serving(make_settings(sqlite_url)) as address:
        with page.expect_response("**/board"):
            _log_in(page, address, campus)
        with page.expect_response(lambda answer: "/board" in answer.url):
            expect(page.locator("#count-arrived")).to_have_text("0")
        with browser_sessions.begin() as session:
            add_tap(session, campus, 0)
        inserted = time.monotonic()
        expect(page.locator("#count-arrived")).to_have_text("1")
        assert time.monotonic() - inserted < 1
        page.get_by_role("link", name="刷卡", exact=True).click()
        expect(page.locator("tbody tr").first).to_contain_text("张三")
        page.goto("about:blank")


def test_the_switch_changes_the_language_and_stays(
    page: Page, sqlite_url: str, campus: SmallSchool
) -> None:
    with serving(make_settings(sqlite_url)) as address:
        page.goto(f"{address}/log-in")
        page.get_by_role("button", name="English").click()
        expect(page.get_by_label("Password")).to_be_visible()
        page.goto(f"{address}/log-in")
        expect(page.locator("html")).to_have_attribute("lang", "en")


def test_a_students_day_is_found_by_pinyin(
    page: Page, sqlite_url: str, campus: SmallSchool, browser_sessions: sessionmaker[Session]
) -> None:
    with browser_sessions.begin() as session:
        add_tap(session, campus, 0, late_minutes=5)
        add_message(session, campus, 0)
    with serving(make_settings(sqlite_url)) as address:
        _log_in(page, address, campus)
        page.get_by_role("link", name="学生", exact=True).click()
        page.get_by_label("姓名、拼音或学号").press_sequentially("zs")
        page.get_by_role("link", name="张三").click()
        expect(page.locator("#student-day")).to_contain_text("5 分钟")
        expect(page.locator("#student-day")).to_contain_text("家长您好，张三已于07:32进入学校")
        assert "zs" not in page.url
        page.goto("about:blank")


def test_a_card_held_to_a_gate_shows_its_light_and_the_phone_its_message(
    page: Page,
    sqlite_url: str,
    campus: SmallSchool,
    browser_sessions: sessionmaker[Session],
    tmp_path: Path,
) -> None:
    with browser_sessions.begin() as session:
        lost = session.query(Card).filter_by(uid=campus.uids[2]).one()
        lost.state = CardState.LOST
    tray = tmp_path / "tray"
    tray.mkdir()
    with (
        TrayReader(tray, "gate-in", refused={campus.uids[2]: "lost"}) as gate,
        serving(make_settings(sqlite_url, tray)) as address,
    ):
        page.goto(address)
        entrance = page.locator("[data-reader=gate-in]")
        page.get_by_role("button", name="张三").click()
        expect(entrance).to_have_attribute("data-signal", "admitted")
        expect(entrance).to_contain_text("ms")
        page.locator(".card.lost").press("Enter")
        expect(entrance).to_have_attribute("data-signal", "refused")
        expect(entrance).to_contain_text("挂失卡")
        assert gate.uids == [campus.uids[0], campus.uids[2]]
        with browser_sessions.begin() as session:
            add_tap(session, campus, 0)
            add_message(session, campus, 0)
        expect(page.locator("#phone")).to_contain_text("【第一中学】家长您好")
        expect(page.locator("#tray-arrived")).to_have_text("1")
        page.get_by_label("姓名、拼音或学号").press_sequentially("ls")
        expect(page.locator(".card.student")).to_have_count(1)
        page.get_by_role("button", name="李四").drag_to(entrance)
        expect(entrance).to_have_attribute("data-signal", "admitted")
        assert gate.uids[-1] == campus.uids[1]
        page.goto("about:blank")


def test_a_morning_is_played_and_stopped(
    page: Page, sqlite_url: str, campus: SmallSchool, tmp_path: Path
) -> None:
    with (
        TrayReader(tmp_path, "gate-in") as gate,
        serving(make_settings(sqlite_url, tmp_path)) as address,
    ):
        page.goto(address)
        page.get_by_role("button", name="播放早晨").click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        page.get_by_role("button", name="停止").click()
        expect(page.get_by_role("button", name="播放早晨")).to_be_visible()
        assert len(gate.uids) < len(campus.uids)
        page.goto("about:blank")


def test_a_page_says_that_the_connection_is_lost_and_recovers(
    browser: Browser, sqlite_url: str, campus: SmallSchool
) -> None:
    settings = make_settings(sqlite_url).model_copy(update={"web_port": free_port()})
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    with serving(settings) as address:
        _log_in(page, address, campus)
    expect(page.locator("#live-note")).to_contain_text("连接中断", timeout=20_000)
    with serving(settings):
        expect(page.locator("#live-note")).to_be_hidden(timeout=20_000)
        context.close()


def test_no_page_is_wider_than_the_screen(
    page: Page,
    sqlite_url: str,
    campus: SmallSchool,
    browser_sessions: sessionmaker[Session],
    tmp_path: Path,
) -> None:
    with browser_sessions.begin() as session:
        add_tap(session, campus, 0, late_minutes=70)
        add_message(session, campus, 0)
    student = f"/students/{campus.students[0]}"
    with serving(make_settings(sqlite_url, tmp_path)) as address:
        _log_in(page, address, campus)
        for path in ("/", "/board", "/taps", "/students", student, "/readers", "/messages"):
            page.goto(address + path)
            for width in _WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                # A chart follows the width of its page a moment later.
                wait_for(lambda: page.evaluate(_TOO_WIDE) <= 0, 5, f"{path} to fit {width}")
        page.goto("about:blank")

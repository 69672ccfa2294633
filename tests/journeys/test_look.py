"""Staff at work with the frame: found by keyboard, coloured by choice, downloaded, on a wall."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy.orm import Session, sessionmaker

from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import (
    SmallSchool,
    add_message,
    add_student,
    add_tap,
    make_school,
)
from tests.card_server.web.test_export import read_csv, read_xlsx
from tests.harness.browser import log_in, watch_for_errors

_PRESS_DOWN_WITH_THE_LIST = """() => {
    const down = () => new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true });
    const pressed = new MutationObserver(() => {
        pressed.disconnect();
        document.getElementById("finder").dispatchEvent(down());
    });
    pressed.observe(document.getElementById("finder-found"), { childList: true });
}"""
"""In the moment in which the list comes, as somebody who types ahead does."""


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    with sessions.begin() as session:
        school = make_school(session)
        for number in range(len(school.students)):
            add_tap(session, school, number, late_minutes=number)
            add_message(session, school, number)
        return school


@pytest.fixture
def address(database_url: str, school: SmallSchool, tmp_path: Path) -> Iterator[str]:
    with serving(make_settings(database_url, tmp_path)) as address:
        yield address


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser that speaks English; scripts that fail or break the policy fail the test."""
    context = browser.new_context(locale="en-GB", accept_downloads=True)
    wrong: list[list[str]] = []
    context.on("page", lambda page: wrong.append(watch_for_errors(page)))
    yield context
    for page in context.pages:
        page.goto("about:blank")
    context.close()
    assert [one for page in wrong for one in page] == []


@pytest.fixture
def page(context: BrowserContext, address: str, school: SmallSchool) -> Page:
    """The board, where somebody has logged in."""
    page = context.new_page()
    log_in(page, address, school.login, school.password, "**/password")
    for field in page.locator("main input[type=password]").all():
        if field.get_attribute("name") in ("password", "again"):
            field.fill(CHOSEN_PASSWORD)
    page.press("[name=again]", "Enter")
    page.wait_for_url("**/board")
    return page


def test_a_student_is_found_and_opened_by_keyboard_alone(page: Page, school: SmallSchool) -> None:
    page.keyboard.press("/")
    expect(page.locator("#finder")).to_be_focused()
    began = time.monotonic()
    page.keyboard.type("wxm")
    options = page.locator("#finder-found [role=option]")
    expect(options.first).to_contain_text("王小明")
    assert time.monotonic() - began < 2
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/students/{school.students[2]}")
    expect(page.locator("h1")).to_contain_text("王小明")
    assert "wxm" not in page.url


def test_arrows_choose_and_escape_leaves(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.evaluate(_PRESS_DOWN_WITH_THE_LIST)
    page.keyboard.insert_text("2026")
    options = page.locator("#finder-found [role=option]")
    expect(options).to_have_count(8)
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    active = page.locator("#finder").get_attribute("aria-activedescendant")
    assert active == options.last.get_attribute("id")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(page.locator("#finder")).to_have_attribute("aria-expanded", "false")


def test_a_search_works_without_scripts(
    browser: Browser, page: Page, address: str, school: SmallSchool
) -> None:
    plain = browser.new_context(java_script_enabled=False, locale="en-GB")
    plain.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    sheet = plain.new_page()
    sheet.goto(f"{address}/board")
    sheet.fill("#finder", "东门")
    sheet.press("#finder", "Enter")
    expect(sheet.get_by_role("link", name="东门进")).to_be_visible()
    assert sheet.url == f"{address}/search"
    plain.close()


@pytest.mark.parametrize("kind", ["Excel", "CSV"])
def test_a_download_holds_what_the_page_shows(page: Page, address: str, kind: str) -> None:
    page.goto(f"{address}/taps")
    shown = [
        [cell.inner_text().strip() for cell in row.locator("td").all()]
        for row in page.locator("#taps tbody tr").all()
    ]
    with page.expect_download() as coming:
        page.get_by_role("link", name=kind, exact=True).click()
    body = Path(coming.value.path()).read_bytes()
    rows = (read_xlsx(body) if kind == "Excel" else read_csv(body))[1:]
    assert len(rows) == len(shown) == 8
    for (time_shown, name, room, *_), (when, student, homeroom, *_) in zip(
        shown, rows, strict=True
    ):
        assert (name, room) == (student, homeroom)
        assert str(when).endswith(time_shown)


def test_the_switch_colours_the_page_and_the_choice_stays(page: Page, address: str) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    page.locator(".menu > summary").click()
    page.get_by_role("button", name="dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate(ground)
    assert dark != light
    page.goto(f"{address}/taps")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator(".menu > summary").click()
    page.get_by_role("button", name="as the system").click()
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
    assert page.evaluate(ground) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == dark


def test_the_wall_is_read_from_five_metres_and_stays_live(
    page: Page, address: str, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{address}/board?wall")
    expect(page.locator("nav, .top")).to_have_count(0)
    size = "parseFloat(getComputedStyle(document.querySelector('#count-arrived')).fontSize)"
    # 1/200 of the distance is comfortable: 25 mm at five metres, 4 % of a 55-inch screen's height.
    assert page.evaluate(size) > 0.04 * 1080
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080
    assert page.evaluate("document.documentElement.scrollWidth") <= 1920
    with sessions.begin() as session:
        add_student(session, school, 8)
        add_tap(session, school, 8)
    expect(page.locator("#count-arrived")).to_have_text("9")


def test_a_dialog_asks_takes_focus_and_gives_it_back(page: Page, address: str) -> None:
    page.goto(f"{address}/styleguide")
    opener = page.get_by_role("button", name="Revoke", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_form_that_comes_back_begins_at_what_is_wrong(page: Page, address: str) -> None:
    page.goto(f"{address}/styleguide")
    expect(page.locator(".wrong.summary")).to_be_focused()
    page.get_by_role("link", name="A name has 20 characters at most.").click()
    field = page.locator("#name")
    expect(field).to_have_value("第一中学")
    expect(field).to_have_attribute("aria-invalid", "true")
    said = [
        page.locator(f"#{one}").inner_text()
        for one in (field.get_attribute("aria-describedby") or "").split()
    ]
    assert said == ["A name has 20 characters at most.", "As it will stand in a message."]


def test_what_is_unfolded_stays_so_when_a_tap_comes(
    page: Page, address: str, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    page.goto(f"{address}/board")
    page.get_by_text("The figures as a table").click()
    with sessions.begin() as session:
        add_student(session, school, 8)
        add_tap(session, school, 8)
    expect(page.locator("#count-arrived")).to_have_text("9")
    expect(page.locator("#arrivals-figures")).to_have_attribute("open", "")


def test_a_chart_is_drawn_from_the_table_beside_it(page: Page, address: str) -> None:
    page.goto(f"{address}/board")
    expect(page.locator("#arrivals canvas")).to_be_visible()
    page.get_by_text("The figures as a table").click()
    cells = page.locator("#arrivals-figures tbody td")
    expect(cells.last).to_be_visible()
    assert sum(map(int, cells.all_inner_texts())) == 8
    page.goto(f"{address}/taps")
    assert page.evaluate("typeof window.echarts") == "undefined"

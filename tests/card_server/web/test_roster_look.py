"""The roster's steps in Chromium: readable by everybody, by keyboard, and as wide as a phone."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from sqlalchemy import Engine

from card_server.storage.database import open_engine, open_sessions
from card_server.web.app import close_app, create_app
from tests.card_server.jobs.desk import do_next
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.card_server.web.test_look import AXE, LOOKS, judge
from tests.card_server.web.test_roster import all_known, send, sheet, take_columns
from tests.harness.browser import log_in

WRONG = ("20270001,,女,高一(1)班,孙二,13800138001", "20270002,李三,男,高一(9)班,孙二,1380013")


@pytest.fixture
def one_engine(sqlite_url: str) -> Iterator[Engine]:
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def one_school(one_engine: Engine) -> SmallSchool:
    with open_sessions(one_engine).begin() as session:
        return make_school(session)


@pytest.fixture
def clerk(one_engine: Engine, sqlite_url: str, one_school: SmallSchool) -> Iterator[FlaskClient]:
    app = create_app(make_settings(sqlite_url), one_engine)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post("/log-in", data={"login": one_school.login, "password": one_school.password})
    client.post("/password", data={"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD})
    yield client
    close_app(app)


def steps(clerk: FlaskClient, engine: Engine) -> list[str]:
    """Addresses of every step: unknown columns, errors, the brake's question, under way."""
    unknown = send(clerk, sheet(*all_known(), header="代号,姓名,性别,班级,母亲姓名,母亲电话"))
    wrong = send(clerk, sheet(*all_known(), *WRONG))
    take_columns(clerk, wrong)
    braked = send(clerk, sheet(*all_known()[:3], "20270003,周五,男,高一(2)班,吴六,13900139000"))
    take_columns(clerk, braked)
    while do_next(engine):
        pass
    waiting = send(clerk, sheet(*all_known()))
    take_columns(clerk, waiting)
    lists = [f"/roster/{braked}?list={name}" for name in ("new", "changed", "gone", "homerooms")]
    return [f"/roster/{unknown}/columns", f"/roster/{wrong}", *lists, f"/roster/{waiting}"]


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_every_step_fits_and_axe_finds_nothing_serious(
    browser: Browser,
    sqlite_url: str,
    one_engine: Engine,
    one_school: SmallSchool,
    clerk: FlaskClient,
    language: str,
    width: int,
) -> None:
    paths = steps(clerk, one_engine)
    context = browser.new_context(reduced_motion="reduce")
    context.add_init_script(path=AXE)
    wrong: list[str] = []
    with serving(make_settings(sqlite_url)) as address:
        context.add_cookies([{"name": "language", "value": language, "url": address}])
        page = context.new_page()
        log_in(page, address, one_school.login, CHOSEN_PASSWORD)
        for path in paths:
            page.goto(address + path)
            wrong += judge(page, path, width)
        page.goto("about:blank")
        context.close()
    assert wrong == []


def test_columns_are_corrected_by_keyboard_alone(
    browser: Browser,
    sqlite_url: str,
    one_engine: Engine,
    one_school: SmallSchool,
    clerk: FlaskClient,
) -> None:
    import_id = send(clerk, sheet(*all_known()))
    context = browser.new_context(locale="en")
    with serving(make_settings(sqlite_url)) as address:
        page = context.new_page()
        log_in(page, address, one_school.login, CHOSEN_PASSWORD)
        page.goto(f"{address}/roster/{import_id}/columns")
        page.get_by_role("button", name="Change what 性别 is").focus()
        page.keyboard.press("Enter")
        choice = page.get_by_role("combobox", name="What 性别 is")
        choice.wait_for()
        choice.focus()
        page.keyboard.press("Home")
        page.get_by_role("button", name="Compare with the school").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/roster/{import_id}")
        page.goto("about:blank")
    context.close()
    page_again = clerk.get(f"/roster/{import_id}/columns", headers={"Accept-Language": "en"})
    assert "you said so" in page_again.text

"""Writes each page in both languages, both modes and both widths to var/screenshots/."""

import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, expect
from rich.progress import track

from card_server.config import Settings
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.migrate import migrate
from card_server.web.app import close_app, create_app
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.growing_school import add_things
from tests.harness.browser import open_browser, send_log_in
from tests.screenshots.lively import DISTRICT_LOGIN, make_district, make_lively_school
from tests.screenshots.pages import find_pages, pages_of_district

FOLDER = Path("var/screenshots")
_LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
_MODES = ("light", "dark")
_WIDTHS = {"desktop": (1280, 800), "phone": (390, 844)}


def main() -> None:
    """Make a school, find its pages, and take a picture of each in each way."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/campus.db"
        tray = Path(folder, "tray")
        tray.mkdir()
        settings = make_settings(database, tray)
        visits = _prepare(settings)
        with open_browser() as browser, serving(settings) as address:
            for language in _LANGUAGES:
                for visit in visits:
                    _take_all(browser, address, language, visit)


class Visit(NamedTuple):
    """Somebody who looks at pages, and all that they can see."""

    login: str
    password: str
    paths: list[str]


def _prepare(settings: Settings) -> list[Visit]:
    engine = open_engine(settings.database_url)
    migrate(engine)
    sessions = open_sessions(engine)
    school = make_lively_school(sessions)
    with sessions.begin() as session:
        add_things(session, school, range(1))
        of_district = make_district(session)
    app = create_app(settings, engine)
    app.config["WTF_CSRF_ENABLED"] = False
    staff, district = app.test_client(), app.test_client()
    staff.post("/log-in", data={"login": school.login, "password": school.password})
    district.post("/log-in", data={"login": DISTRICT_LOGIN, "password": of_district})
    visits = [
        Visit(school.login, school.password, list(find_pages(app, staff, engine, school.id))),
        Visit(DISTRICT_LOGIN, of_district, list(pages_of_district(app, district, engine))),
    ]
    close_app(app)
    engine.dispose()
    return visits


def _take_all(browser: Browser, address: str, language: str, visit: Visit) -> None:
    context = browser.new_context(locale=_LANGUAGES[language], reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{address}/log-in")
    _take_each(page, "/log-in", language)
    send_log_in(page, visit.login, visit.password, "**/{board,district}")
    for path in track(visit.paths, language):
        page.goto(address + path, wait_until="load")
        expect(page.locator(".htmx-request")).to_have_count(0)
        _take_each(page, path, language)
    page.goto("about:blank")
    context.close()


def _take_each(page: Page, path: str, language: str) -> None:
    for mode in _MODES:
        page.emulate_media(color_scheme=mode)  # type: ignore[arg-type]
        for width in _WIDTHS:
            _take(page, path, language, mode, width)


def _take(page: Page, path: str, language: str, mode: str, width: str) -> None:
    size = _WIDTHS[width]
    page.set_viewport_size({"width": size[0], "height": size[1]})
    name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "first"
    page.screenshot(path=FOLDER / f"{name}.{language}.{mode}.{width}.png", full_page=True)


if __name__ == "__main__":
    main()

"""Chromium, driven by Playwright: the one that the machine has, nothing downloaded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


_PATIENCE_MS = 20_000
"""Two workers, their browsers and servers share two cores: 5 s, Playwright's own, is short then."""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless Chromium, closed on exit."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    assert binary, "Chromium is not installed: apt-get install chromium"
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def watch_for_errors(page: Page) -> list[str]:
    """What the page's console and scripts complain of from now on; a good page leaves it empty."""
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    return wrong


def log_in(page: Page, address: str, login: str, password: str, leads_to: str = "**/board") -> None:
    """As a person does; by then the page stands where the log-in led it."""
    page.goto(f"{address}/log-in")
    send_log_in(page, login, password, leads_to)


def send_log_in(page: Page, login: str, password: str, leads_to: str = "**/board") -> None:
    """Fill in the form of the log-in's page, and wait for the page that comes after it."""
    page.fill("[name=login]", login)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(leads_to)

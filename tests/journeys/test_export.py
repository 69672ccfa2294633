"""A list is filtered, taken away as a file and opened: cell by cell it is what the API tells."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.clock import run as run_clock
from card_server.exports.files import make_harmless
from card_server.exports.speaking import speaking
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from card_server.staff.tokens import make_token
from card_server.web.downloads import AT_ONCE
from card_server.words.choices import word
from schema.messages import Refusal
from schema.tables.messages import Message, MessageKind, MessageState
from schema.tables.people import Language, Student
from schema.tables.readers import Direction
from schema.tables.school import Homeroom
from schema.tables.staff import Role, Scope
from schema.tables.taps import Effect
from tests.card_server.api.programs import make_maker
from tests.card_server.exports.test_job import add_many_taps
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap, make_school
from tests.card_server.web.test_export import read_csv, read_xlsx
from tests.harness.browser import watch_for_errors

_ZONE = ZoneInfo("Asia/Shanghai")
_HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+86 1",
    "-1",
    "@SUM(A1)",
    "＝1+1",
    '<b>"x"</b>',
    "a,b\nc",
    "𠮷野",
)
_MANY = AT_ONCE + 200


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    """A school whose students and homerooms have names that a spreadsheet would run."""
    with sessions.begin() as session:
        made = make_school(session)
        for student_id, name in zip(made.students, _HOSTILE, strict=True):
            session.get_one(Student, student_id).name = name
        session.get_one(Homeroom, made.homerooms[0]).name = "=1+1班"
        return made


@pytest.fixture
def token(sessions: sessionmaker[Session], school: SmallSchool) -> str:
    with sessions.begin() as session:
        district = Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)
        maker, now = make_maker(session, school, district), datetime.now(UTC)
        return make_token(session, maker, SYSTEM, school.id, "看板", WHOLE_SCHOOL, 1, now)[1]


@pytest.fixture
def address(database_url: str, school: SmallSchool) -> Iterator[str]:
    """The web process, and the clock process, which writes long lists."""
    settings = make_settings(database_url)
    stop = threading.Event()
    clock = threading.Thread(
        target=run_clock, args=(settings.model_copy(update={"clock_health_port": 0}), stop)
    )
    clock.start()
    try:
        with serving(settings) as served:
            yield served
    finally:
        stop.set()
        clock.join(20)
        assert not clock.is_alive()


@pytest.fixture
def page(browser: Browser, address: str, school: SmallSchool) -> Iterator[Page]:
    """The board, where the administrator has logged in."""
    context = browser.new_context(locale="en", accept_downloads=True)
    page = context.new_page()
    wrong = watch_for_errors(page)
    page.goto(f"{address}/log-in")
    page.get_by_label("Login").fill(school.login)
    page.get_by_label("Password").fill(school.password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_label("New password").fill(CHOSEN_PASSWORD)
    page.get_by_label("The same again").fill(CHOSEN_PASSWORD)
    page.get_by_role("button", name="Keep this password").click()
    page.wait_for_url("**/board")
    yield page
    page.goto("about:blank")
    context.close()
    assert wrong == []


def test_a_filtered_list_is_the_same_in_both_files_and_in_the_api(
    page: Page, address: str, token: str, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for number in range(24):
            state = (MessageState.FAILED, MessageState.ACCEPTED)[number % 3 == 2]
            add_message(session, school, number % 8, state)
        session.execute(
            update(Message).where(Message.state == MessageState.FAILED).values(error="=1/0")
        )
    page.goto(f"{address}/messages")
    page.locator("#state-failed").click()
    expect(page.locator("#state-failed")).to_have_attribute("aria-current", "true")
    told = _ask_all(f"{address}/api/v1/messages?state=failed&limit=7", token)
    assert len(told) == 16
    with speaking(Language.ENGLISH):
        expected = [_message_cells(one) for one in told]
    name, body = _download(page, "Excel")
    assert name.startswith("messages-since_")
    assert "-state_failed-" in name
    assert [_written(row) for row in read_xlsx(body)[1:]] == expected
    name, body = _download(page, "CSV")
    assert "-state_failed-" in name
    assert read_csv(body)[1:] == [list(map(make_harmless, row)) for row in expected]


@pytest.mark.parametrize("kind", ["Excel", "CSV"])
def test_a_long_list_is_written_in_the_background_and_nothing_of_it_is_missing(
    page: Page,
    address: str,
    token: str,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    kind: str,
) -> None:
    with sessions.begin() as session:
        add_many_taps(session, school, _MANY)
        add_tap(session, school, None, uid="04BBBBBBBBBBBB", reason=Refusal.UNKNOWN)
    page.goto(f"{address}/taps")
    page.get_by_role("link", name=kind, exact=True).click()
    page.wait_for_url("**/jobs/*")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Taps")
    expect(page.locator("#job-state")).to_have_text("done", timeout=60_000)
    expect(page.locator("#job-message")).to_contain_text(f"all {_MANY + 1} rows")
    name, body = _download(page, "Download the file", role="button")
    assert name.startswith("taps-20")
    told = _ask_all(f"{address}/api/v1/taps?limit=200", token)
    assert len(told) == _MANY + 1
    with speaking(Language.ENGLISH):
        expected = [_tap_cells(one) for one in told]
    if kind == "Excel":
        assert [_written(row) for row in read_xlsx(body)[1:]] == expected
    else:
        assert read_csv(body)[1:] == [list(map(make_harmless, row)) for row in expected]


def _download(page: Page, label: str, role: Any = "link") -> tuple[str, bytes]:
    with page.expect_download() as coming:
        page.get_by_role(role, name=label, exact=True).click()
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def _ask_all(address: str, token: str) -> list[dict[str, Any]]:
    """All rows of a list, part by part."""
    origin, path = address.split("/api/", 1)
    found: list[dict[str, Any]] = []
    following: str | None = f"/api/{path}"
    while following:
        headers = {"Authorization": f"Bearer {token}"}
        with urllib.request.urlopen(
            urllib.request.Request(origin + following, headers=headers)
        ) as answer:
            part = json.load(answer)
        found += part["items"]
        following = part["next"]
    return found


def _message_cells(one: dict[str, Any]) -> list[str]:
    return [
        _local(one["changed_at"]),
        one["student"],
        one["homeroom"],
        word(MessageKind(one["kind"])),
        f"••••{one['phone_tail']}",
        word(MessageState(one["state"])),
        one["error"] or "",
        one["provider"] or "",
    ]


def _tap_cells(one: dict[str, Any]) -> list[str]:
    reason = one["reason"]
    return [
        _local(one["occurred_at"]),
        one["student"] or "",
        one["homeroom"] or "",
        one["uid"],
        one["reader"],
        word(Direction(one["direction"])),
        word(Refusal(reason)) if reason else word(Effect(one["effect"])),
    ]


def _local(text: str) -> str:
    moment = datetime.fromisoformat(text).astimezone(_ZONE)
    return moment.replace(tzinfo=None, microsecond=0).isoformat(" ", "seconds")


def _written(row: tuple[Any, ...]) -> list[str]:
    """A sheet's row as text."""
    return [
        cell.isoformat(" ", "seconds") if isinstance(cell, datetime) else str(cell or "")
        for cell in row
    ]

"""The guard's page: who is held is there with whom to call, and is let out with a reason."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.school_time import day_of
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.messages import Refusal
from schema.tables.attendance import HandPassage
from schema.tables.audit import AuditEntry
from schema.tables.readers import Direction
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import SmallSchool, add_tap
from tests.harness.browser import log_in, watch_for_errors
from tests.harness.lessons import add_lessons

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def lessons(school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        add_lessons(session, school.id, day_of(datetime.now(UTC), ZONE))
        grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
        create_staff(session, school.id, "teacher", "陈老师", grant)


@pytest.fixture
def guard(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> FlaskClient:
    """A browser of the guard at the school's gate."""
    client = app.test_client()
    client.set_cookie("language", "en")
    password = hire_guard(school, sessions)
    client.post("/log-in", data={"login": "guard", "password": password})
    client.post("/password", data={"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD})
    return client


def hire_guard(school: SmallSchool, sessions: sessionmaker[Session]) -> str:
    with sessions.begin() as session:
        grant = Grant(Role.GATE_GUARD, Scope.GATE, place="校门")
        return create_staff(session, school.id, "guard", "赵师傅", grant)


def hold(school: SmallSchool, sessions: sessionmaker[Session], student: int = 0) -> None:
    with sessions.begin() as session:
        add_tap(session, school, student, reason=Refusal.HELD)


def test_the_guard_sees_who_is_held_and_whom_to_call(
    guard: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert "Nobody is held at a gate now" in guard.get("/gate/held").text
    hold(school, sessions)
    page = guard.get("/gate/held", headers={"HX-Request": "true"}).text
    assert "<html" not in page
    for shown in ("张三", "高一(1)班", "Homeroom teacher: 陈老师", "held until 00:00"):
        assert shown in page


def test_letting_out_writes_down_who_did_it_and_why(
    guard: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    hold(school, sessions)
    path = f"/gate/held/{school.students[0]}"
    assert "张三" in guard.get(path).text
    answer = guard.post(f"{path}/let-out", data={"reason": "母亲来接,陈老师同意"})
    assert answer.status_code == 302
    with sessions() as session:
        row = session.scalars(select(HandPassage)).one()
        assert (row.direction, row.reason, row.made_by) == (
            Direction.OUT,
            "母亲来接,陈老师同意",
            session.scalars(select(Staff.name).where(Staff.login == "guard")).one(),
        )
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "passage.recorded")
        ).one()
        assert entry.subject == f"student:{school.students[0]}"
    page = guard.get("/gate/held").text
    assert "Nobody is held at a gate now" in page
    assert "let out by the guard" in page


def test_letting_out_needs_a_reason(
    guard: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    hold(school, sessions)
    answer = guard.post(f"/gate/held/{school.students[0]}/let-out", data={"reason": " "})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    with sessions() as session:
        assert session.scalars(select(HandPassage)).all() == []


def test_nobody_is_let_out_here_who_was_not_held_today(
    guard: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    hold(school, sessions, student=1)
    path = f"/gate/held/{school.students[0]}"
    assert guard.get(path).status_code == 404
    assert guard.post(f"{path}/let-out", data={"reason": "x"}).status_code == 404


def test_a_held_tap_has_its_own_word_in_the_stream(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    hold(school, sessions)
    assert "held at the gate" in staff.get("/taps").text


def test_who_is_held_appears_by_itself_and_is_let_out_with_two_presses(
    browser: Browser,
    engine: Engine,
    database_url: str,
    school: SmallSchool,
    sessions: sessionmaker[Session],
) -> None:
    assert engine
    password = hire_guard(school, sessions)
    with serving(make_settings(database_url)) as address:
        page = browser.new_page(locale="zh-CN")
        page.context.add_cookies([{"name": "language", "value": "en", "url": address}])
        wrong = watch_for_errors(page)
        log_in(page, address, "guard", password, "**/password")
        page.fill("[name=password]", CHOSEN_PASSWORD)
        page.fill("[name=again]", CHOSEN_PASSWORD)
        page.press("[name=again]", "Enter")
        page.goto(f"{address}/gate/held")
        expect(page.locator("#held")).to_contain_text("Nobody is held")
        hold(school, sessions)
        expect(page.locator(f"#held-{school.students[0]}")).to_contain_text("张三")
        page.get_by_role("button", name="Let out…").click()
        page.get_by_label("Reason").fill("母亲来接")
        page.get_by_role("button", name="Let out", exact=True).click()
        expect(page.locator("#held")).to_contain_text("let out by the guard")
        page.goto("about:blank")
        page.close()
    assert wrong == []

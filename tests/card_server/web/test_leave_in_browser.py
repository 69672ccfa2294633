"""Leave and passages by hand in Chromium: asked at a desk, decided on a phone, done at the gate."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.leave.leave_school import add_hours
from tests.card_server.people.people_school import ZONE
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.harness.browser import log_in, watch_for_errors

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def passwords(sessions: sessionmaker[Session]) -> dict[str, str]:
    """Of the office, the first homeroom's teacher and the guard, by login."""
    with sessions.begin() as session:
        school = make_school(session)
        add_hours(session, school.id)
        found = {
            "office": _hire(session, school, "office", WHOLE_SCHOOL),
            "teacher": _hire(
                session,
                school,
                "teacher",
                Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0]),
            ),
            "guard": _hire(
                session, school, "guard", Grant(Role.GATE_GUARD, Scope.GATE, place="校门")
            ),
        }
        session.execute(update(Staff).values(password_is_one_time=False))
        return found


def _hire(session: Session, school: SmallSchool, login: str, grant: Grant) -> str:
    return create_staff(session, school.id, login, login.title(), grant)


def _log_in(browser: Browser, address: str, login: str, password: str, phone: bool) -> Page:
    context = browser.new_context(viewport=PHONE if phone else None)  # type: ignore[arg-type]
    context.add_cookies([{"name": "language", "value": "en", "url": address}])
    page = context.new_page()
    log_in(page, address, login, password, "**/taps" if login == "guard" else "**/board")
    return page


def _ask(page: Page, address: str, last_in_days: int) -> str:
    """Ask for leave of the first student from today on; the slip's address."""
    page.goto(f"{address}/leave/new")
    page.fill("#words", "zs")
    page.click("#found a:has-text('张三')")
    today = datetime.now(ZONE).date()
    page.select_option("#kind", "personal")
    page.fill("#from_on", today.isoformat())
    page.fill("#until_on", (today + timedelta(days=last_in_days)).isoformat())
    page.fill("#reason", "家中有事")
    page.click("#ask button:has-text('Write the slip')")
    expect(page.locator("#state")).to_have_text("waits for the homeroom teacher")
    return page.url


def test_leave_goes_from_the_desk_to_a_teachers_phone_and_long_leave_to_the_school(
    browser: Browser, database_url: str, tmp_path: Path, passwords: dict[str, str]
) -> None:
    with serving(make_settings(database_url)) as address:
        office = _log_in(browser, address, "office", passwords["office"], phone=False)
        wrong = watch_for_errors(office)
        slip = _ask(office, address, last_in_days=0)
        teacher = _log_in(browser, address, "teacher", passwords["teacher"], phone=True)
        wrong_too = watch_for_errors(teacher)
        teacher.goto(f"{address}/leave")
        teacher.click("td.lead a:has-text('张三')")
        teacher.set_checked("#lets_out", not teacher.is_checked("#lets_out"))
        lets_out = teacher.is_checked("#lets_out")
        teacher.click("#approve")
        expect(teacher.locator("#state")).to_have_text("approved")
        at_gate = "may go out, and in again" if lets_out else "as on any day"
        expect(teacher.locator("#slip")).to_contain_text(at_gate)
        office.goto(slip)
        expect(office.locator("#state")).to_have_text("approved")
        office.click("summary:has-text('Withdraw')")
        office.fill("#why-withdraw", "写错了日期")
        office.click("button:has-text('Withdraw it')")
        expect(office.locator("#state")).to_have_text("withdrawn")

        slip = _ask(office, address, last_in_days=7)
        teacher.goto(slip)
        teacher.click("#approve")
        expect(teacher.locator("#state")).to_have_text("waits for the school")
        expect(teacher.locator("#approve")).to_have_count(0)
        office.goto(slip)
        office.click("#approve")
        expect(office.locator("#state")).to_have_text("approved")
        assert wrong + wrong_too == []
        office.context.close()
        teacher.context.close()


def test_a_guard_lets_somebody_in_without_a_card_and_undoes_it(
    browser: Browser, database_url: str, passwords: dict[str, str]
) -> None:
    with serving(make_settings(database_url)) as address:
        guard = _log_in(browser, address, "guard", passwords["guard"], phone=True)
        wrong = watch_for_errors(guard)
        guard.goto(f"{address}/by-hand")
        guard.fill("#words", "lisi")
        guard.click("#found a:has-text('李四')")
        expect(guard.locator("h1")).to_have_text("李四")
        guard.click("button:has-text('Let in')")
        expect(guard.locator("#recent li")).to_contain_text("forgot the card")
        guard.click("#recent button:has-text('Undo')")
        expect(guard.locator("#recent li")).to_contain_text("taken back by Guard")
        assert wrong == []
        guard.context.close()


def test_a_teacher_says_how_late_and_notes_a_call_on_a_phone(
    browser: Browser, database_url: str, tmp_path: Path, passwords: dict[str, str]
) -> None:
    with serving(make_settings(database_url)) as address:
        teacher = _log_in(browser, address, "teacher", passwords["teacher"], phone=True)
        wrong = watch_for_errors(teacher)
        day = _newest_school_day().isoformat()
        teacher.goto(f"{address}/students/1/corrections?day={day}")
        minutes = teacher.locator("#minutes")
        expect(minutes).to_be_hidden()
        teacher.select_option("#status", "left_early")
        expect(minutes).to_be_visible()
        teacher.select_option("#status", "absent")
        expect(minutes).to_be_hidden()
        teacher.select_option("#status", "late")
        teacher.select_option("#position", "1")
        minutes.fill("12")
        teacher.fill("#reason", "第一节才来")
        teacher.click("button:has-text('Correct it')")
        expect(teacher.locator("#sessions")).to_contain_text("12 min late")
        teacher.fill("#body", "已联系家长，十点到校")
        teacher.click("button:has-text('Add the note')")
        expect(teacher.locator("#day-notes .told")).to_contain_text("已联系家长，十点到校")
        teacher.click("#day-notes button:has-text('Take it back')")
        expect(teacher.locator("#day-notes .told")).to_contain_text("taken back by Teacher")
        assert wrong == []


def _newest_school_day() -> date:
    """Today, or on a weekend the Friday before."""
    today = datetime.now(ZONE).date()
    return today - timedelta(days=max(0, today.isoweekday() - 5))

"""An evacuation in Chromium: one at a desk, one on a phone that loses the network for a while."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pypdf import PdfReader
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from schema.tables.evacuation import EvacuationStudent
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.web.campus_things import add_evacuation, add_mark, add_presence
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.small_school import SmallSchool, add_health, add_students, make_school
from tests.harness.browser import log_in, watch_for_errors

_PHONE = {"width": 390, "height": 844}
_SOON_MS = 2_500
_SIZE = """() => {
    const { offsetWidth, offsetHeight } = document.querySelector("button[data-student]");
    return [offsetWidth, offsetHeight];
}"""
"""Found and measured in one step: the list comes anew whenever somebody does something."""


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    with sessions.begin() as session:
        return make_school(session)


@pytest.fixture
def passwords(school: SmallSchool, sessions: sessionmaker[Session]) -> dict[str, str]:
    """Of the office and of the first homeroom's teacher; all eight students are inside."""
    with sessions.begin() as session:
        now = datetime.now(UTC)
        for student in range(8):
            add_presence(session, school, student, now - timedelta(hours=1))
        add_health(session, school, 0, now - timedelta(minutes=1))
        add_health(session, school, 1, now - timedelta(minutes=9))
        teacher = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
        found = {
            "office": create_staff(session, school.id, "office", "Office", WHOLE_SCHOOL),
            "teacher": create_staff(session, school.id, "teacher", "Teacher", teacher),
        }
        session.execute(update(Staff).values(password_is_one_time=False))
        return found


def _log_in(context: BrowserContext, address: str, login: str, password: str) -> Page:
    context.add_cookies([{"name": "language", "value": "en", "url": address}])
    page = context.new_page()
    log_in(page, address, login, password)
    return page


def test_several_tick_off_at_once_and_a_phone_without_network_keeps_its_ticks(
    browser: Browser, database_url: str, passwords: dict[str, str]
) -> None:
    desk = browser.new_context()
    phone = browser.new_context(viewport=_PHONE, has_touch=True)  # type: ignore[arg-type]
    with serving(make_settings(database_url)) as address:
        office = _log_in(desk, address, "office", passwords["office"])
        wrong = watch_for_errors(office)
        office.goto(f"{address}/campus")
        expect(office.locator("#count-inside")).to_have_text("8")
        office.click("a:has-text('Evacuation'):visible >> nth=-1")
        office.fill("#reason", "消防演练")
        office.click("button:has-text('Begin now')")
        expect(office.locator("#count-missing")).to_have_text("8")

        teacher = _log_in(phone, address, "teacher", passwords["teacher"])
        teacher.goto(office.url)
        expect(teacher.locator("#count-missing")).to_have_text("4")
        width, height = teacher.evaluate(_SIZE)
        assert height >= 48
        assert width > 300
        teacher.tap("button:has-text('张三')")
        expect(office.locator("#count-missing")).to_have_text("7", timeout=_SOON_MS)
        expect(teacher.locator("#count-found")).to_have_text("1", timeout=_SOON_MS)

        phone.set_offline(True)
        teacher.tap("button:has-text('王小明')")
        teacher.tap("button:has-text('陈晨')")
        expect(teacher.locator("#unsent")).to_contain_text("2 ticks wait for the network")
        kept = teacher.evaluate("JSON.stringify(localStorage)")
        assert "王小明" not in kept
        assert "陈晨" not in kept
        expect(teacher.locator("button.unsent[aria-pressed=true]")).to_have_count(2)
        office.click("button:has-text('李四')")
        expect(office.locator("#count-missing")).to_have_text("6", timeout=_SOON_MS)

        phone.set_offline(False)
        expect(office.locator("#count-missing")).to_have_text("4", timeout=15_000)
        expect(teacher.locator("#unsent")).to_be_hidden()
        assert teacher.evaluate("localStorage.length") == 0

        office.click("button:has-text('End the evacuation')")
        office.click("button:has-text('End it')")
        office.wait_for_url("**/record")
        expect(office.locator("tr.alarm")).to_have_count(4)
        expect(office.locator("tr:has-text('王小明')")).to_contain_text("Teacher")
        assert wrong == []
        printed = office.pdf(format="A4")
        sheet = PdfReader(io.BytesIO(printed)).pages[0].extract_text()
        assert "消防演练" in "".join(sheet.split())
        office.goto("about:blank")
        teacher.goto("about:blank")
    desk.close()
    phone.close()


def test_without_a_network_a_phone_ticks_who_has_no_tap_and_who_is_on_no_list(
    browser: Browser,
    database_url: str,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    passwords: dict[str, str],
) -> None:
    with sessions.begin() as session:
        add_students(session, school, [8, 10])
        add_mark(session, school, 8)
        evacuation_id = add_evacuation(session, school, range(8)).id
        session.add(
            EvacuationStudent(
                evacuation_id=evacuation_id,
                student_id=school.students[8],
                school_id=school.id,
                homeroom_id=school.homerooms[0],
                reader_id=0,
                since_at=datetime.now(UTC),
                is_marked=True,
            )
        )
    phone = browser.new_context(viewport=_PHONE, has_touch=True)  # type: ignore[arg-type]
    with serving(make_settings(database_url)) as address:
        teacher = _log_in(phone, address, "teacher", passwords["teacher"])
        teacher.goto(f"{address}/campus/evacuation/{evacuation_id}")
        expect(teacher.locator("#count-marked")).to_have_text("1")
        phone.set_offline(True)
        teacher.tap("#marked-title + ul button")
        teacher.tap("#others summary")
        teacher.tap("#others button")
        expect(teacher.locator("#unsent")).to_contain_text("2 ticks wait for the network")
        expect(teacher.locator("button.unsent[aria-pressed=true]")).to_have_count(2)
        phone.set_offline(False)
        expect(teacher.locator("#count-found")).to_have_text("2", timeout=15_000)
        expect(teacher.locator("#count-marked")).to_have_text("0")
        expect(teacher.locator("#count-missing")).to_have_text("4")
        expect(teacher.locator("button:has-text('was on no list')")).to_have_count(1)
        expect(teacher.locator("#unsent")).to_be_hidden()
        teacher.goto("about:blank")
    phone.close()


def test_the_list_on_paper_has_a_sheet_for_each_homeroom(
    browser: Browser, database_url: str, passwords: dict[str, str]
) -> None:
    desk = browser.new_context()
    with serving(make_settings(database_url)) as address:
        office = _log_in(desk, address, "office", passwords["office"])
        office.goto(f"{address}/campus/print")
        printed = PdfReader(io.BytesIO(office.pdf(format="A4", prefer_css_page_size=True)))
        sheets = ["".join(one.extract_text().split()) for one in printed.pages]
        assert len(sheets) == 2
        for sheet, room, name in zip(
            sheets, ("高一(1)班", "高一(2)班"), ("张三", "李四"), strict=True
        ):
            assert room in sheet
            assert name in sheet
            assert "第一中学no1" in sheet
            assert "⚠东门出" in sheet.replace("\ufe0f", "")
        office.goto("about:blank")
    desk.close()


def test_the_keyboard_stays_on_a_student_while_others_tick(
    browser: Browser,
    database_url: str,
    passwords: dict[str, str],
    school: SmallSchool,
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        evacuation = add_evacuation(session, school, range(8)).id
    with serving(make_settings(database_url)) as address:
        page = _log_in(browser.new_context(), address, "office", passwords["office"])
        page.goto(f"{address}/campus/evacuation/{evacuation}")
        student = page.locator(f"#student-{school.students[5]} button")
        student.focus()
        with page.expect_response(lambda one: one.url.endswith(f"/evacuation/{evacuation}")):
            page.evaluate(
                "document.getElementById('evacuation').dispatchEvent(new Event('ticked'))"
            )
        expect(page.locator("#evacuation.htmx-request")).to_have_count(0)
        expect(student).to_be_focused()
        page.goto("about:blank")

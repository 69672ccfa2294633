"""A school year's work with people, in Chromium: adding, showing a number, promoting, and a teacher
who sees one homeroom and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.tables.school import Homeroom, Term
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.harness.browser import watch_for_errors


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> SmallSchool:
    """A school whose year is long over, so that the next one can begin whenever this runs."""
    year = datetime.now(UTC).year - 2
    with sessions.begin() as session:
        school = make_school(session)
        session.execute(update(Homeroom).values(school_year=year, grade=10))
        session.execute(update(Term).values(school_year=year))
        session.execute(update(Staff).values(password_is_one_time=False))
    return school


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="zh-CN")
    context.add_cookies([{"name": "language", "value": "en", "url": "http://127.0.0.1"}])
    page = context.new_page()
    wrong = watch_for_errors(page)
    yield page
    context.close()
    assert wrong == []


def _log_in(page: Page, address: str, login: str, password: str) -> None:
    page.goto(f"{address}/log-in")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/board")


def test_an_administrator_adds_a_student_shows_a_number_and_begins_the_next_year(
    page: Page, database_url: str, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with serving(make_settings(database_url)) as address:
        _log_in(page, address, school.login, school.password)
        page.get_by_role("link", name="Students", exact=True).click()
        page.get_by_role("button", name="Add a student").click()
        page.get_by_label("Homeroom", exact=True).select_option(label="高一(1)班")
        page.get_by_label("Full name").fill("单小雨")
        page.get_by_label("Student number").fill("20269999")
        page.get_by_role("button", name="Add the student").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("单小雨")
        for name, relation, phone in (
            ("单伟", "父亲", "139 0013 9000"),
            ("李芳", "母亲", "+86 138 0013 8000"),
        ):
            _add_guardian(page, name, relation, phone)
        _show_number(page, "138 0013 8000")
        page.reload()
        page.get_by_label("What staff should know").fill("对花生过敏")
        page.get_by_role("button", name="Keep the note").click()
        expect(page.locator("#notes")).to_contain_text("对花生过敏")
        expect(page.locator("#student-day")).to_contain_text("No tap on this day")
        _begin_next_year(page, address)
        page.goto("about:blank")


def _add_guardian(page: Page, name: str, relation: str, phone: str) -> None:
    page.get_by_role("button", name="Add a guardian").click()
    page.get_by_label("Full name").fill(name)
    page.get_by_label("Relation").fill(relation)
    page.get_by_label("Mobile number").fill(phone)
    page.get_by_role("button", name="Add the guardian").click()
    expect(page.locator("#guardians")).to_contain_text(f"••••{phone[-4:]}")


def _show_number(page: Page, number: str) -> None:
    """The number is not in the page until somebody has said why."""
    mother = page.locator("#guardians li", has_text="李芳")
    assert number not in page.content()
    mother.get_by_text("Show the numbers", exact=True).first.click()
    mother.get_by_label("Why do you need it?").fill("孩子发烧")
    mother.get_by_role("button", name="Show the numbers").click()
    expect(mother).to_contain_text(number)


def _begin_next_year(page: Page, address: str) -> None:
    page.goto(f"{address}/settings/promotion")
    first = page.locator("tbody tr", has_text="高一(1)班")
    first.get_by_role("combobox").select_option("up")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#moving")).to_have_text("5")
    expect(page.locator("#graduating")).to_contain_text("4")
    page.get_by_label("I have read this").check()
    page.get_by_role("button", name="Begin the school year").click()
    expect(page.locator("#toasts")).to_contain_text("5 students moved up, 4 graduated")
    expect(page.locator("tbody")).to_contain_text("高二(1)班")
    page.goto(f"{address}/students")
    expect(page.locator("#found")).to_contain_text("高二(1)班")
    expect(page.locator("#found")).not_to_contain_text("高一")


def test_a_homeroom_teacher_sees_one_homeroom_and_nothing_else(
    page: Page, database_url: str, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
    with sessions.begin() as session:
        password = create_staff(session, school.id, "ban", "班老师", grant)
        session.execute(update(Staff).values(password_is_one_time=False))
    with serving(make_settings(database_url)) as address:
        _log_in(page, address, "ban", password)
        page.get_by_role("link", name="Students", exact=True).click()
        found = page.locator("#found")
        expect(found).to_contain_text("张三")
        expect(found).not_to_contain_text("李四")
        page.get_by_label("Name, pinyin or student number").press_sequentially("lisi")
        expect(found).to_contain_text("Nobody found")
        assert "lisi" not in page.url
        for path in (f"/students/{school.students[1]}", "/settings/promotion", "/students/new"):
            answer = page.request.get(address + path)
            assert answer.status in (403, 404), path
        page.goto(f"{address}/students/{school.students[0]}")
        expect(page.get_by_role("button", name="Change", exact=True)).to_have_count(0)
        page.locator("#guardians").get_by_role("link", name="家长").click()
        page.get_by_label("Is told of this student").uncheck()
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#guardians")).to_contain_text("is not told")
        page.goto("about:blank")

"""A computer teacher brings a 学籍 sheet in, mends its three faults on the page, and again."""

import io
from pathlib import Path

import pytest
from openpyxl import Workbook
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from schema.tables.people import Student
from tests.card_server.jobs.desk import at_work
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.harness.browser import watch_for_errors

_HEADER = (
    "学校标识码", "姓名", "性别", "出生日期", "身份证件类型", "身份证件号", "班号", "入学年月",
    "就读方式", "学籍辅号", "成员1姓名", "成员1关系", "成员1联系电话",
)  # fmt: skip
_CARD = "居民身份证"
_GOOD = (
    ("钱一", "女", "20100101", _CARD, "110101201001010023", "走读", "20270001", "孙二", "母亲"),
    ("李三", "男", "20100201", _CARD, "", "住校", "20270002", "孙二", "母亲"),
    ("周五", "男", "20100301", _CARD, "", "走读", "20270003", "吴六", "父亲"),
)  # fmt: skip


def _row(one: tuple[str, ...], phone: str) -> tuple[str, ...]:
    name, sex, born, paper, identity, lodging, number, guardian, relation = one
    return (
        "2132000001", name, sex, born, paper, identity, "高一(1)班", "202609", lodging,
        number, guardian, relation, phone,
    )  # fmt: skip


@pytest.fixture
def sheet() -> bytes:
    """A name is missing, an identity number has a wrong digit, a student number is there twice."""
    book, body = Workbook(), io.BytesIO()
    page = book.active
    assert page is not None
    page.append(_HEADER)
    rows = [list(_row(one, "13800138001")) for one in _GOOD]
    rows[0][5] = "110101201001010021"
    rows[1][1] = ""
    rows[2][9] = "20270002"
    for row in rows:
        page.append(row)
    book.save(body)
    return body.getvalue()


@pytest.fixture
def campus(engine: Engine) -> SmallSchool:
    """A school that has nobody yet but its administrator."""
    with Session(engine) as session:
        made = make_school(session, students=0)
        session.commit()
        return made


def _log_in(page: Page, address: str, campus: SmallSchool) -> None:
    page.goto(f"{address}/log-in")
    page.get_by_label("Login").fill(campus.login)
    page.get_by_label("Password").fill(campus.password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_label("New password").fill(CHOSEN_PASSWORD)
    page.get_by_label("The same again").fill(CHOSEN_PASSWORD)
    page.get_by_role("button", name="Keep this password").click()
    expect(page.locator("#count-students")).to_be_visible()


def _hand_in(page: Page, path: Path) -> None:
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Roster").click()
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", name="Columns")).to_be_visible()
    page.get_by_role("button", name="Compare with the school").click()


def test_a_sheet_with_three_faults_is_mended_and_imported_and_again_changes_nothing(
    browser: Browser,
    database_url: str,
    engine: Engine,
    campus: SmallSchool,
    sheet: bytes,
    tmp_path: Path,
) -> None:
    path = tmp_path / "学籍.xlsx"
    path.write_bytes(sheet)
    context = browser.new_context(locale="en")
    page = context.new_page()
    wrong = watch_for_errors(page)
    with serving(make_settings(database_url)) as address, at_work(engine):
        _log_in(page, address, campus)
        _hand_in(page, path)
        expect(page.get_by_text("errors must be mended")).to_be_visible(timeout=20_000)
        assert page.get_by_role("button", name="Import").count() == 0
        _mend(page)
        expect(page.locator("#count-new")).to_have_text("3", timeout=20_000)
        with Session(engine) as session:
            assert session.scalars(select(Student)).all() == []
        page.get_by_role("button", name="Import").click()
        expect(page.locator("#roster-result")).to_have_text("The roster is in.", timeout=20_000)
        with Session(engine) as session:
            names = session.execute(select(Student.number, Student.name).order_by(Student.number))
            assert [tuple(row) for row in names] == [
                ("20270001", "钱一"), ("20270002", "李三"), ("20270003", "周五"),
            ]  # fmt: skip
        _mended(path)
        _hand_in(page, path)
        expect(page.get_by_text("Nothing would change")).to_be_visible(timeout=20_000)
        page.goto("about:blank")
    context.close()
    assert wrong == []


def _mend(page: Page) -> None:
    """The digit, the name and the number, each in its own cell."""
    _fill(page, "its last character does not fit", "110101201001010023")
    _fill(page, "The name is missing.", "李三")
    _fill(page, "has this student number already", "20270003")
    page.get_by_role("button", name="Judge it again").click()


def _fill(page: Page, sentence: str, value: str) -> None:
    row = page.locator("tr", has_text=sentence).first
    row.locator("input:not([type=checkbox])").first.fill(value)


def _mended(path: Path) -> None:
    """What the register itself would give the next time."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(_HEADER)
    for one in _GOOD:
        page.append(_row(one, "13800138001"))
    book.save(path)

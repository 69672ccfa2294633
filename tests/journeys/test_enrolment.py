"""A student registers by card, a homeroom's cards are printed, and who leaves is erased."""

import io
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.register.version import touch_register
from schema.tables.people import Student, StudentStatus
from schema.tables.readers import Purpose, Reader
from schema.tables.registration import Registration
from schema.tables.school import Term
from tests.harness.browser import watch_for_errors
from tests.harness.pcscd import Pcscd
from tests.harness.virtual_card import VirtualCard
from tests.harness.waiting import wait_for
from tests.journeys.first_light import Running, gate, running_school

_PASSWORD = "一卡通是给孩子们用的"
_STUDENTS = 10


def test_the_list_shrinks_cards_are_printed_and_who_left_is_erased(
    tmp_path: Path, database_url: str, browser: Browser
) -> None:
    with (
        running_school(tmp_path, database_url, students=_STUDENTS, desks=["hall"]) as school,
        Pcscd("Hall") as pcscd,
    ):
        with school.session() as session:
            _prepare(session, school)
        pcsc = {"source": "pcsc", "pcsc_lights": "acr122", "env": pcscd.env}
        with gate(tmp_path / "hall", school, "hall", pcsc_reader="Hall 00 00", **pcsc):
            page = browser.new_page(locale="zh-CN")
            wrong = watch_for_errors(page)
            _log_in(page, school)
            _register(page, school, pcscd.ports["Hall"])
            _print_homeroom(page, school)
            _export_and_erase(page, school)
            page.goto("about:blank")
            page.close()
        assert wrong == []


def _prepare(session: Session, school: Running) -> None:
    """The reader in the hall registers, and a term is running."""
    school_id, year = school.campus.school_id, datetime.now(UTC).year
    hall = update(Reader).where(Reader.code == "hall")
    session.execute(hall.values(purpose=Purpose.ENROLMENT))
    begin, end = datetime(year, 1, 1, tzinfo=UTC).date(), datetime(year, 12, 31, tzinfo=UTC).date()
    session.add(
        Term(school_id=school_id, school_year=year, name="第一学期", starts_on=begin, ends_on=end)
    )
    touch_register(session, {school_id})
    session.commit()


def _log_in(page: Page, school: Running) -> None:
    page.goto(f"{school.address}/enrolment")
    page.get_by_label("登录名").fill("admin")
    page.get_by_label("密码").fill(school.password)
    page.get_by_role("button", name="登录").click()
    page.get_by_label("新密码").fill(_PASSWORD)
    page.get_by_label("再输入一次").fill(_PASSWORD)
    page.get_by_role("button", name="保存密码").click()
    page.wait_for_url("**/enrolment")


def _register(page: Page, school: Running, port: int) -> None:
    """Two come; each time the list is one shorter within a second."""
    with page.expect_response(lambda answer: "/live/events" in answer.url):
        page.goto(f"{school.address}/enrolment")
    expect(page.locator("#count-missing")).to_have_text(str(_STUDENTS))
    for come, uid in enumerate(school.campus.uids[:2], 1):
        number = f"S{come:06d}"
        expect(page.locator("#missing")).to_contain_text(number)
        card = VirtualCard(port, uid)
        card.present()
        wait_for(lambda card=card: card.lights, 5, "the reader's light")  # type: ignore[misc]
        beeped = time.monotonic()
        expect(page.locator("#count-missing")).to_have_text(str(_STUDENTS - come))
        assert time.monotonic() - beeped < 2
        expect(page.locator("#missing")).not_to_contain_text(number)
        card.remove()
        assert (card.greens, card.reds) == (1, 0)
    with school.session() as session:
        assert len(session.scalars(select(Registration)).all()) == 2


def _print_homeroom(page: Page, school: Running) -> None:
    page.goto(f"{school.address}/cards/faces")
    page.locator("#homeroom").select_option(index=1)
    with page.expect_download() as downloading:
        page.locator("#print button").click()
    pdf = PdfReader(downloading.value.path())
    assert len(pdf.pages) == 2
    text = pdf.pages[0].extract_text()
    assert all(f"S{number:06d}" in text for number in range(1, _STUDENTS + 1))


def _export_and_erase(page: Page, school: Running) -> None:
    student_id = school.campus.student_ids[0]
    with school.session() as session:
        leaving = session.get_one(Student, student_id)
        name, leaving.status = leaving.name, StudentStatus.TRANSFERRED
        session.commit()
    page.goto(f"{school.address}/students/{student_id}/data")
    page.locator("#give-reason").fill("家长查阅")
    with page.expect_download() as downloading:
        page.locator("#give button").click()
    with zipfile.ZipFile(io.BytesIO(downloading.value.path().read_bytes())) as archive:
        assert name in archive.read("data.json").decode()
    page.locator("#number").fill("S000001")
    page.locator("#reason").fill("书面申请")
    page.locator("#erase button").click()
    page.wait_for_url("**/students")
    page.goto(f"{school.address}/students/{student_id}")
    expect(page.locator("h1")).not_to_contain_text(name)
    with school.session() as session:
        assert session.get_one(Student, student_id).name == ""

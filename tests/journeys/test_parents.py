"""A parent's story on a phone: the invitation, the code, today, a request for leave, the answer."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.config import Settings
from card_server.notifier import run as run_notifier
from card_server.school_time import day_of
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from card_server.storage.database import open_engine
from schema.messages import utc_now
from schema.tables.messages import MessageRules
from schema.tables.people import ConsentWording, Guardian, Guardianship, Language
from schema.tables.school import Homeroom, School
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.leave.leave_school import add_hours
from tests.card_server.web.conftest import make_settings, serving
from tests.harness.browser import log_in, watch_for_errors
from tests.harness.campus import DATA_KEY, Campus, make_campus, phone_of
from tests.harness.ingest import IngestProcess, Readers
from tests.harness.mosquitto import Mosquitto
from tests.harness.ports import free_port

_PHONE = ViewportSize(width=390, height=844)
_WORDING = "学校把孩子进出校园的时间告诉您。"


@dataclass(frozen=True)
class Story:
    """A school with web, ingest and notifier; its messages show on the demo's phone page."""

    campus: Campus
    address: str
    passwords: dict[str, str]
    readers: Readers


@pytest.fixture
def story(database_url: str, tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Story]:
    """A guardian whose number is not verified yet, and a homeroom teacher."""
    engine = open_engine(database_url)
    with Session(engine) as session, session.begin():
        campus = make_campus(session, students=2)
        passwords = _prepare(session, campus)
    engine.dispose()
    with (
        IngestProcess(database_url, mosquitto, tmp_path),
        Readers(mosquitto) as readers,
        _at_work(_settings(database_url, tmp_path)) as address,
    ):
        yield Story(campus, address, passwords, readers)


def _prepare(session: Session, campus: Campus) -> dict[str, str]:
    school = session.get_one(School, campus.school_id)
    add_hours(
        session,
        school.id,
        day_of(utc_now(), ZoneInfo(school.zone)) - timedelta(days=40),
        range(1, 8),
    )
    # Whatever the hour at which the story is told.
    session.add(MessageRules(school_id=school.id, quiet_from=0, quiet_until=0))
    session.add(
        ConsentWording(
            school_id=school.id,
            language=Language.CHINESE,
            body=_WORDING,
            made_by="教务处",
            made_at=utc_now(),
        )
    )
    mother = Guardian.id == campus.student_ids[0]
    session.execute(update(Guardian).where(mother).values(verified_at=None))
    session.execute(
        update(Guardianship)
        .where(Guardianship.guardian_id == campus.student_ids[0])
        .values(consented_at=None)
    )
    room = session.scalars(select(Homeroom.id)).one()
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)
    passwords = {
        "office": create_staff(session, school.id, "office", "教务处", WHOLE_SCHOOL),
        "teacher": create_staff(session, school.id, "teacher", "王老师", grant),
    }
    session.execute(update(Staff).values(password_is_one_time=False))
    return passwords


def _settings(database_url: str, folder: Path) -> Settings:
    port = free_port()
    return make_settings(database_url, folder).model_copy(
        update={
            "data_key": DATA_KEY,
            "web_port": port,
            "web_address": f"http://127.0.0.1:{port}",
            "notify_health_port": 0,
        }
    )


@contextmanager
def _at_work(settings: Settings) -> Iterator[str]:
    """The web's address, with the notifier beside it."""
    stop = threading.Event()
    notifier = threading.Thread(target=run_notifier, args=(settings, stop))
    with serving(settings) as address:
        notifier.start()
        try:
            yield address
        finally:
            stop.set()
            notifier.join(20)
            assert not notifier.is_alive()


def test_a_parent_is_invited_sees_today_asks_for_leave_and_is_told_of_the_answer(
    browser: Browser, story: Story
) -> None:
    office, teacher = _log_in(browser, story, "office"), _log_in(browser, story, "teacher")
    messages = browser.new_context(locale="zh-CN").new_page()
    parent = browser.new_context(locale="zh-CN", viewport=_PHONE).new_page()
    wrong = [watch_for_errors(page) for page in (office, teacher, messages, parent)]
    _invite(office, story)
    _open_the_link(parent, messages, story)
    _enter_the_code(parent, messages, story)
    _consent(parent)
    _see_today(parent, messages, story)
    _ask_for_leave(parent)
    _approve(teacher, story)
    _read_the_answer(parent, messages, story)
    assert [one for each in wrong for one in each] == []
    for page in (office, teacher, messages, parent):
        page.context.close()


def _log_in(browser: Browser, story: Story, login: str) -> Page:
    page = browser.new_context(locale="en").new_page()
    log_in(page, story.address, login, story.passwords[login])
    return page


def _invite(office: Page, story: Story) -> None:
    """By the button beside the guardian, on the student's page."""
    office.goto(f"{story.address}/students/{story.campus.student_ids[0]}")
    office.get_by_role("button", name="Send the link").click()
    expect(office.locator(".toast")).to_be_visible()


def _newest(messages: Page, story: Story, part: str) -> Locator:
    """The newest message with these words on the demo's phone."""
    messages.goto(f"{story.address}/")
    found = messages.locator(f"#phone .bubbles li:has-text('{part}')").first
    expect(found).to_be_visible(timeout=20_000)
    return found


def _open_the_link(parent: Page, messages: Page, story: Story) -> None:
    link = _newest(messages, story, "/p/").locator("a").get_attribute("href")
    assert link
    assert link.startswith(f"{story.address}/p/")
    parent.goto(link)
    expect(parent.locator("main")).to_contain_text(phone_of(story.campus.student_ids[0])[-4:])


def _enter_the_code(parent: Page, messages: Page, story: Story) -> None:
    parent.click("main form button")
    text = _newest(messages, story, "验证码").locator("p").inner_text()
    code = re.findall(r"[0-9]{6}", text)[0]
    parent.fill("[name=code]", code)
    parent.press("[name=code]", "Enter")


def _consent(parent: Page) -> None:
    """Before anything is shown or sent."""
    expect(parent.locator(".wording")).to_have_text(_WORDING)
    parent.click("main form button")


def _see_today(parent: Page, messages: Page, story: Story) -> None:
    """The child enters; the parent is told, and sees it."""
    tap = story.readers.tap(story.campus.uids[0])
    story.readers.send(tap)
    story.readers.wait_kept(tap)
    _newest(messages, story, "学一")
    parent.goto(f"{story.address}/parent")
    expect(parent.locator("h1")).to_contain_text("学一")
    expect(parent.locator(".tiles .good dd")).to_have_text(re.compile("[0-2][0-9]:[0-5][0-9]"))
    expect(parent.locator("body")).not_to_contain_text("学二")


def _ask_for_leave(parent: Page) -> None:
    parent.click("main a[href$='/leave']")
    parent.select_option("#kind", "sick")
    tomorrow = utc_now() + timedelta(days=1)
    parent.fill("#from_on", tomorrow.date().isoformat())
    parent.fill("#reason", "发烧")
    parent.click("main form button:not(.small)")
    expect(parent.locator(".told li")).to_have_count(1)


def _approve(teacher: Page, story: Story) -> None:
    teacher.goto(f"{story.address}/leave")
    teacher.click("td.lead a:has-text('学一')")
    expect(teacher.locator("#slip")).to_contain_text("发烧")
    teacher.click("#approve")
    expect(teacher.locator("#state")).to_have_text("approved")


def _read_the_answer(parent: Page, messages: Page, story: Story) -> None:
    """As a message, on the parents' own list of messages, and beside the slip."""
    answer = _newest(messages, story, "的请假").locator("p").inner_text()
    assert "学一" in answer
    assert "已获批准" in answer
    parent.reload()
    expect(parent.locator(".told .badge")).to_contain_text("已批准")

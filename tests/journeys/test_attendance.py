"""A day at school, from taps to the month's file: judged, corrected, excused, printed, exported."""

import io
import json
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.clock import run as run_clock
from card_server.school_time import day_of
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from card_server.staff.sessions import Caller, describe_school
from card_server.staff.tokens import make_token
from card_server.storage.database import open_engine
from schema.messages import ReaderState, Status, utc_now
from schema.tables.attendance import Deadline
from schema.tables.calendar import CalendarEntry, DayKind, EntrySource
from schema.tables.school import Homeroom, School, Term
from schema.tables.staff import Role, Scope, Staff
from schema.topics import Kind
from tests.card_server.leave.leave_school import add_hours
from tests.card_server.web.conftest import make_settings, serving
from tests.harness.browser import log_in, watch_for_errors
from tests.harness.campus import DATA_KEY, Campus, make_campus
from tests.harness.ingest import IngestProcess, Readers
from tests.harness.mosquitto import Mosquitto
from tests.harness.waiting import wait_for
from tests.harness.zones import zone_where_it_is

_EVENING = 19
"""The hour at the school when the story is told: its zone is chosen so, for taps are real."""
_PHONE = {"width": 390, "height": 844}
Passages = tuple[tuple[int, int, str], ...]
"""Hour, minute and way of a student's taps on a day."""
_GOOD_DAY = ((7, 50, "in"), (11, 10, "out"), (13, 40, "in"), (17, 10, "out"))
_LATE = ((8, 10, "in"), (11, 10, "out"), (13, 40, "in"), (17, 10, "out"))
_LATE_AND_EARLY = ((8, 20, "in"), (10, 30, "out"), (14, 5, "in"), (17, 10, "out"))
_TODAY = {0: _GOOD_DAY, 1: _LATE, 4: _LATE_AND_EARLY}
"""By student; the third forgot the card, and the fourth is ill."""
_YESTERDAY = {0: _GOOD_DAY, 1: _GOOD_DAY, 2: _LATE, 3: _GOOD_DAY}
_NAMES = ("学一", "学二", "学三", "学四", "学五")
_SIGNS = {
    "present": "✓",
    "late": "L",
    "left_early": "E",
    "absent": "A",
    "on_leave": "V",
    "not_judged": "·",
    "not_expected": "–",
}
_TOTALS = ("late", "left_early", "absent", "sick", "personal", "official")
_A4_MARGIN = {"top": "10mm", "bottom": "10mm", "left": "10mm", "right": "10mm"}


@dataclass(frozen=True)
class Story:
    """A school with everything running, in the evening of its day."""

    campus: Campus
    room: int
    today: date
    address: str
    passwords: dict[str, str]
    token: str


@pytest.fixture
def story(database_url: str, tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Story]:
    """Two days of taps are in, by the gates' own messages; the clock process judges them."""
    engine = open_engine(database_url)
    zone = zone_where_it_is(_EVENING)
    today = day_of(utc_now(), zone)
    with Session(engine) as session, session.begin():
        campus = _make_school(session, zone, today)
        room = session.scalars(select(Homeroom.id)).one()
        passwords, token = _hire(session, campus, room)
    settings = make_settings(database_url).model_copy(update={"data_key": DATA_KEY})
    with IngestProcess(database_url, mosquitto, tmp_path), Readers(mosquitto) as readers:
        _tap_all(readers, campus, today - timedelta(days=1), zone, _YESTERDAY)
        _tap_all(readers, campus, today, zone, _TODAY)
        for gate in campus.readers:
            status = Status(ReaderState.ONLINE, 1, utc_now(), drained_to=utc_now())
            readers.say(msgspec.json.encode(status), gate, Kind.STATUS)
        with _clock(settings), serving(settings) as address:
            wait_for(lambda: _is_judged(engine, today), 20, "both sessions of today to be judged")
            yield Story(campus, room, today, address, passwords, token)
    engine.dispose()


def _is_judged(engine: Engine, today: date) -> bool:
    judged = select(Deadline.position).where(Deadline.day == today, Deadline.judged_at.is_not(None))
    with Session(engine) as session:
        return {1, 2} <= set(session.scalars(judged))


def _make_school(session: Session, zone: ZoneInfo, today: date) -> Campus:
    campus = make_campus(session, students=len(_NAMES))
    session.execute(update(School).values(zone=zone.key))
    session.add(
        Term(
            school_id=campus.school_id,
            school_year=today.year,
            name="学期",
            starts_on=today - timedelta(days=40),
            ends_on=today + timedelta(days=40),
        )
    )
    add_hours(session, campus.school_id, today - timedelta(days=40), range(1, 8))
    for ago in (0, 1):
        session.add(
            CalendarEntry(
                school_id=campus.school_id,
                day=today - timedelta(days=ago),
                kind=DayKind.LESSONS,
                source=EntrySource.STAFF,
                made_by="教务处",
                made_at=utc_now(),
            )
        )
    return campus


def _hire(session: Session, campus: Campus, room: int) -> tuple[dict[str, str], str]:
    """The passwords of the office and of the homeroom teacher by login, and a program's token."""
    teacher = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)
    district = Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)
    passwords = {
        "office": create_staff(session, campus.school_id, "office", "Office", WHOLE_SCHOOL),
        "teacher": create_staff(session, campus.school_id, "teacher", "Teacher", teacher),
    }
    create_staff(session, None, "district", "District", district)
    session.execute(update(Staff).values(password_is_one_time=False))
    by = session.scalars(select(Staff).where(Staff.login == "district")).one()
    at = describe_school(session.get_one(School, campus.school_id))
    maker = Caller(by.id, by.name, by.login, (district,), False, at, b"", utc_now())
    token = make_token(session, maker, SYSTEM, campus.school_id, "报表", WHOLE_SCHOOL, 1, utc_now())
    return passwords, token[1]


def _tap_all(
    readers: Readers,
    campus: Campus,
    day: date,
    zone: ZoneInfo,
    taps: Mapping[int, Passages],
) -> None:
    """Each gate sends its taps of a day, as one that had no network until now."""
    for way in ("in", "out"):
        passed = sorted(
            (hour, minute, campus.uids[student])
            for student, passages in taps.items()
            for hour, minute, direction in passages
            if direction == way
        )
        made = [
            readers.tap(uid, datetime.combine(day, time(hour, minute), zone))
            for hour, minute, uid in passed
        ]
        readers.send(*made, reader=f"gate-{way}")
        readers.wait_kept(*made)


@contextmanager
def _clock(settings: Any) -> Iterator[None]:
    """The clock process's inside, on a thread."""
    stop = threading.Event()
    own = settings.model_copy(update={"clock_health_port": 0})
    thread = threading.Thread(target=run_clock, args=(own, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def test_a_day_is_corrected_and_excused_and_its_month_is_the_same_in_file_and_api(
    browser: Browser, story: Story
) -> None:
    office = _log_in(browser, story, "office", None)
    teacher = _log_in(browser, story, "teacher", _PHONE)
    wrong = [watch_for_errors(page) for page in (office, teacher)]
    sheet = _see_today(office, story)
    _correct_the_one_without_a_card(office, story)
    slip = _ask_for_leave(office, story)
    _approve(teacher, slip)
    _see_the_sheet_changed(sheet)
    rows = _export_the_month(office, story)
    told = _ask_month(story)
    assert rows == _as_file(told, story.today)
    _assert_the_story_is_told(told, story.today)
    _print_both(sheet, office, story)
    assert [*wrong[0], *wrong[1]] == []
    for page in (sheet, office, teacher):
        page.goto("about:blank")
    office.context.close()
    teacher.context.close()


def _log_in(browser: Browser, story: Story, login: str, size: Any) -> Page:
    context = browser.new_context(locale="en", viewport=size, accept_downloads=True)
    page = context.new_page()
    log_in(page, story.address, login, story.passwords[login])
    return page


def _see_today(office: Page, story: Story) -> Page:
    """The board counts the judged day; the homeroom's sheet stays open beside it."""
    office.goto(f"{story.address}/board")
    for name, number in {
        "expected": 5,
        "arrived": 3,
        "late": 2,
        "absent": 2,
        "on-leave": 0,
    }.items():
        expect(office.locator(f"#count-{name}")).to_have_text(str(number))
    sheet = office.context.new_page()
    sheet.goto(f"{story.address}/board")
    sheet.click(f"#homeroom-{story.room}")
    sheet.get_by_role("button", name="The homeroom's sheet").click()
    expect(_line(sheet, "学三")).to_contain_text("absent")
    expect(_line(sheet, "学四")).to_contain_text("absent")
    expect(_line(sheet, "学五")).to_contain_text("left early")
    return sheet


def _line(sheet: Page, name: str) -> Any:
    return sheet.locator(f"#sheet tbody tr:has-text('{name}')")


def _correct_the_one_without_a_card(office: Page, story: Story) -> None:
    office.goto(f"{story.address}/attendance/homeroom/{story.room}")
    office.get_by_role("link", name="Correct: 学三").click()
    office.select_option("#position", "0")
    office.select_option("#status", "on_leave")
    expect(office.locator("#leave_kind")).to_be_visible()
    expect(office.locator("#minutes")).to_be_hidden()
    office.select_option("#status", "present")
    expect(office.locator("#leave_kind")).to_be_hidden()
    office.fill("#reason", "忘带卡，班主任确认在校")
    office.get_by_role("button", name="Correct it").click()
    expect(office.locator("#corrections")).to_contain_text("忘带卡")
    expect(office.locator("#sessions")).not_to_contain_text("absent")


def _ask_for_leave(office: Page, story: Story) -> str:
    """For the fourth student, today; the slip's address."""
    office.goto(f"{story.address}/leave/new")
    office.fill("#words", "S000004")
    office.click("#found a:has-text('学四')")
    office.select_option("#kind", "sick")
    office.fill("#from_on", story.today.isoformat())
    office.fill("#reason", "发烧")
    office.get_by_role("button", name="Write the slip").click()
    expect(office.locator("#state")).to_have_text("waits for the homeroom teacher")
    return office.url


def _approve(teacher: Page, slip: str) -> None:
    """On the teacher's phone, by the list of what waits."""
    teacher.goto(slip.rpartition("/")[0])
    teacher.click("td.lead a:has-text('学四')")
    assert teacher.url == slip
    expect(teacher.locator("#slip")).to_contain_text("发烧")
    teacher.click("#approve")
    expect(teacher.locator("#state")).to_have_text("approved")


def _see_the_sheet_changed(sheet: Page) -> None:
    sheet.reload()
    expect(_line(sheet, "学四")).to_contain_text("on leave")
    expect(_line(sheet, "学四")).to_contain_text("sick leave")
    expect(_line(sheet, "学三")).to_contain_text("present")
    expect(_line(sheet, "学三")).not_to_contain_text("absent")
    expect(sheet.locator("#said")).to_contain_text("忘带卡")


def _export_the_month(office: Page, story: Story) -> list[tuple[Any, ...]]:
    office.goto(f"{story.address}/attendance/homeroom/{story.room}")
    office.get_by_role("button", name="The month", exact=True).click()
    with office.expect_download() as coming:
        office.get_by_role("link", name="Excel", exact=True).click()
    assert coming.value.suggested_filename.endswith(".xlsx")
    book = load_workbook(io.BytesIO(Path(coming.value.path()).read_bytes()))
    return [
        tuple("" if cell is None else cell for cell in row) for row in book.worksheets[0].values
    ]


def _ask_month(story: Story) -> dict[str, Any]:
    path = f"/api/v1/attendance/homerooms/{story.room}/month?month={story.today:%Y-%m}"
    asked = urllib.request.Request(
        story.address + path, headers={"Authorization": f"Bearer {story.token}"}
    )
    with urllib.request.urlopen(asked) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def _as_file(told: dict[str, Any], today: date) -> list[tuple[Any, ...]]:
    """The file that the API's answer describes: the grid, and each day's totals under it."""
    days = told["days"]
    heads = ("late", "left early", "absent", "sick leave", "personal leave", "official leave")
    named = [f"{int(one['day'][-2:])} {one['note'] if one['is_closed'] else ''}" for one in days]
    rows: list[tuple[Any, ...]] = [
        ("Student number", "Full name", *(one.strip() for one in named), *heads)
    ]
    for student in told["students"]:
        known = {one["day"]: one["sessions"] for one in student["days"]}
        signs = [_sign(known.get(one["day"]), one, today) for one in days]
        numbers = [student["totals"][name] for name in _TOTALS]
        rows.append((student["number"], student["name"], *signs, *numbers))
    for at, (head, name) in enumerate(zip(heads, _TOTALS, strict=True)):
        sums = ["" if n != at else told["totals"][name] for n in range(len(heads))]
        rows.append(("", head, *(one["totals"][name] for one in days), *sums))
    return rows


def _sign(sessions: list[dict[str, Any]] | None, day: dict[str, Any], today: date) -> str:
    if not sessions:
        is_due = not day["is_closed"] and date.fromisoformat(day["day"]) <= today
        return _SIGNS["not_judged"] if is_due else ""
    signs = [
        _SIGNS[one["status"]] + ("E" if one["status"] == "late" and one["early_minutes"] else "")
        for one in sessions
    ]
    mark = "*" if any(one["is_corrected"] for one in sessions) else ""
    return (signs[0] if len(set(signs)) == 1 else "".join(signs)) + mark


def _assert_the_story_is_told(told: dict[str, Any], today: date) -> None:
    """What happened today, in the API's words: otherwise file and API could be wrong alike."""
    of_today = {
        student["name"]: [
            (one["status"], one["late_minutes"], one["early_minutes"])
            for day in student["days"]
            if day["day"] == today.isoformat()
            for one in day["sessions"]
        ]
        for student in told["students"]
    }
    assert of_today == {
        "学一": [("present", 0, 0), ("present", 0, 0)],
        "学二": [("late", 10, 0), ("present", 0, 0)],
        "学三": [("present", 0, 0), ("present", 0, 0)],
        "学四": [("on_leave", 0, 0), ("on_leave", 0, 0)],
        "学五": [("late", 20, 30), ("late", 5, 0)],
    }
    [totals] = [one["totals"] for one in told["days"] if one["day"] == today.isoformat()]
    assert totals == {**dict.fromkeys(_TOTALS, 0), "late": 2, "left_early": 1, "sick": 1}


def _print_both(sheet: Page, office: Page, story: Story) -> None:
    """On paper stand the homeroom, which time it is about, and everybody."""
    whole = (f"{story.today:%B}{story.today.day},{story.today.year}", f"{story.today:%B%Y}")
    for page, of_when in zip((sheet, office), whole, strict=True):
        printed = page.pdf(prefer_css_page_size=True, margin=_A4_MARGIN)  # type: ignore[arg-type]
        sheets = PdfReader(io.BytesIO(printed)).pages
        assert len(sheets) == 1
        text = "".join(sheets[0].extract_text().split())
        for part in ("no1中学", "七(1)班", of_when, *_NAMES, "S000001", "S000005"):
            assert part in text, (part, text)

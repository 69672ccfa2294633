"""A student's term on its page: signs, figures, each tap, what staff said, and the file."""

import io
import re
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from schema.messages import Decision, Refusal
from schema.tables.audit import AuditEntry
from schema.tables.school import Term
from schema.tables.taps import DirectionBy, Tap
from tests.card_server.web.leave_things import make_day_note, make_passage
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.sheet_month import MONDAY, TUESDAY, add_month
from tests.card_server.web.small_school import SmallSchool


@pytest.fixture
def term(school: SmallSchool, sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return add_month(session, school)


@pytest.fixture
def teacher(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> FlaskClient:
    return log_in_teacher(app, sessions, school)


def _address(school: SmallSchool, student: int, term: int, more: str = "") -> str:
    return f"/students/{school.students[student]}/attendance?term={term}{more}"


def test_a_term_shows_signs_and_how_the_days_were_judged(
    teacher: FlaskClient, school: SmallSchool, term: int, sessions: sessionmaker[Session]
) -> None:
    page = teacher.get(_address(school, 2, term)).text
    assert f'href="#day-{MONDAY}"' in page
    assert f'id="day-{MONDAY}"' in page
    assert "September 2024" in page
    assert "6 min late" in page
    assert "4 taps" in page
    assert _looks(sessions) == ["student.term_seen"]


def test_a_day_s_taps_and_how_they_were_judged_are_fetched_when_it_is_unfolded(
    teacher: FlaskClient, school: SmallSchool, term: int, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.add(make_passage(school, 2, datetime(2024, 9, 2, 9, tzinfo=UTC)))
    address = f"/students/{school.students[2]}/attendance/taps?day={MONDAY}"
    page = teacher.get(_address(school, 2, term)).text
    assert f'hx-get="{address}"' in page
    assert f"/students/{school.students[2]}/day?day={MONDAY}" in page
    assert "5 taps" in page
    assert "08:06:00" not in page
    taps = teacher.get(address).text
    assert "08:06:00" in taps
    assert "fixed at the reader" in taps
    assert "without a card" in taps
    assert taps.count("<li>") == 5
    assert _looks(sessions) == ["student.term_seen", "student.day_seen"]
    assert "<li>" not in teacher.get(address.replace(f"{MONDAY}", "2024-09-08")).text


def _looks(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        told = select(AuditEntry.action).where(AuditEntry.action.endswith("_seen"))
        return list(session.scalars(told.order_by(AuditEntry.seq)))


def test_what_staff_said_stands_beside_the_day(
    teacher: FlaskClient, school: SmallSchool, term: int
) -> None:
    page = teacher.get(_address(school, 4, term)).text
    assert "忘带卡" in page
    assert "班老师" in page
    assert "sick leave" in teacher.get(_address(school, 6, term)).text


def test_a_note_stands_in_its_day_and_in_the_file(
    teacher: FlaskClient, school: SmallSchool, term: int, sessions: sessionmaker[Session]
) -> None:
    sunday = date(2024, 9, 8)
    with sessions.begin() as session:
        ended = make_day_note(school, 0, MONDAY)
        ended.body, ended.ended_by, ended.ended_at = "写错了", "班老师", datetime.now(UTC)
        session.add_all([ended, make_day_note(school, 0, MONDAY), make_day_note(school, 0, sunday)])
    page = teacher.get(_address(school, 0, term)).text
    day = page[page.index(f'<li id="day-{MONDAY}"') :].split("</li>")[0]
    assert '<p class="said">Note · 已联系家长，十点到校' in day
    assert '<p class="said ended">Note · 写错了' in day
    assert f'<li id="day-{sunday}"' in page
    file = teacher.get(_address(school, 0, term, "&export=xlsx"))
    heads, *rows = load_workbook(io.BytesIO(file.data)).worksheets[0].values
    noted = [row[heads.index("Notes")] for row in rows if row[heads.index("Notes")]]
    assert noted == ["已联系家长，十点到校 (班老师)"] * 2


def test_the_taps_are_unfolded_for_printing(
    teacher: FlaskClient, school: SmallSchool, term: int
) -> None:
    folded = teacher.get(_address(school, 0, term)).text
    unfolded = teacher.get(_address(school, 0, term, "&open=all")).text
    assert unfolded.count("<details open") - folded.count("<details open") == 2
    assert "07:50:00" in unfolded
    assert "07:50:00" not in folded


def test_the_days_of_one_month_are_shown_and_those_of_others_fetched(
    teacher: FlaskClient, school: SmallSchool, term: int, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.add(make_passage(school, 0, datetime(2024, 10, 8, 1, tzinfo=UTC)))
    student = f"/students/{school.students[0]}/attendance"
    october = f"{student}/days?from=2024-10-01&amp;to=2024-10-31"
    september = f"{student}/days?from=2024-09-01&amp;to=2024-09-30"
    newest = teacher.get(_address(school, 0, term)).text
    assert 'id="day-2024-10-08"' in newest
    assert f'hx-get="{september}" hx-trigger="intersect"' in newest
    assert f'id="day-{MONDAY}"' not in newest
    assert f'href="{student}?term={term}&amp;day=2024-09-30#day-{MONDAY}"' in newest
    named = teacher.get(f"{student}?day={MONDAY}").text
    assert f'id="day-{MONDAY}"' in named
    assert f'href="#day-{MONDAY}"' in named
    assert f'hx-get="{october}"' in named
    fetched = teacher.get(september.replace("&amp;", "&")).text
    assert fetched.count('<li id="day-') == 20
    assert fetched.count('<li id="day-') == named.count('<li id="day-')
    assert "<html" not in fetched
    printed = teacher.get(f"{student}?day={MONDAY}&open=all").text
    unfolded = october.replace("?", "?open=all&amp;")
    assert f'hx-get="{unfolded}" hx-trigger="load"' in printed
    assert "09:00:00" in teacher.get(unfolded.replace("&amp;", "&")).text
    assert _looks(sessions) == ["student.term_seen"] * 5


def test_a_day_leads_to_the_term_that_it_is_in(
    teacher: FlaskClient, school: SmallSchool, term: int
) -> None:
    student = f"/students/{school.students[0]}/attendance"
    assert "2024–2025" in teacher.get(f"{student}?day={MONDAY}").text
    sheet = teacher.get(f"/attendance/homeroom/{school.homerooms[0]}?day={MONDAY}").text
    assert f'href="{student}?day={MONDAY}#day-{MONDAY}"' in sheet
    month = teacher.get(f"/attendance/homeroom/{school.homerooms[0]}/month?month=2024-09").text
    assert f'href="{student}?day=2024-09-30"' in month


@pytest.mark.parametrize(
    ("day", "year", "month"),
    [
        ("2024-08-20", "2023–2024", None),
        ("2024-09-02", "2024–2025", "2024-09"),
        ("2024-09-30", "2024–2025", "2024-09"),
        ("2025-01-20", "2024–2025", "2024-10"),
        ("2020-01-01", "2023–2024", None),
    ],
)
def test_a_day_names_its_term_and_its_month(
    teacher: FlaskClient,
    school: SmallSchool,
    term: int,
    sessions: sessionmaker[Session],
    day: str,
    year: str,
    month: str | None,
) -> None:
    with sessions.begin() as session:
        session.add(make_passage(school, 0, datetime(2024, 10, 8, 1, tzinfo=UTC)))
        session.add(_spring(school))
        session.execute(update(Term).where(Term.id == term).values(starts_on=MONDAY))
    page = teacher.get(f"/students/{school.students[0]}/attendance?day={day}").text
    assert year in page.partition("</h1>")[0]
    shown = re.findall(r'<li id="day-(\d{4}-\d\d)', page)
    assert set(shown) == ({month} if month else set())


def test_a_month_that_began_before_its_term_leads_to_the_term(
    teacher: FlaskClient, school: SmallSchool, term: int, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.add(_spring(school))
        session.execute(update(Term).where(Term.id == term).values(starts_on=MONDAY))
    month = teacher.get(f"/attendance/homeroom/{school.homerooms[0]}/month?month=2024-09").text
    leads = re.findall(rf'href="(/students/{school.students[0]}/attendance[^"]*)"', month)
    page = teacher.get(leads[0]).text
    assert "2024–2025" in page.partition("</h1>")[0]
    assert f'<li id="day-{MONDAY}"' in page


def _spring(school: SmallSchool) -> Term:
    """The term before."""
    return Term(
        school_id=school.id,
        school_year=2023,
        name="春季学期",
        starts_on=date(2024, 2, 19),
        ends_on=date(2024, 6, 28),
    )


def test_no_more_than_a_month_is_fetched_at_once(
    teacher: FlaskClient, school: SmallSchool, term: int
) -> None:
    days = f"/students/{school.students[0]}/attendance/days"
    year = teacher.get(f"{days}?from=2024-01-01&to=2024-09-30").text
    assert year.count('<li id="day-') == 20
    assert '<li id="day-' not in teacher.get(f"{days}?from=2024-01-01&to=2024-08-31").text
    assert teacher.get(f"{days}?from=rubbish&to=9999-12-31").status_code == 200


def test_the_file_has_a_row_for_each_school_day(
    teacher: FlaskClient, school: SmallSchool, term: int
) -> None:
    answer = teacher.get(_address(school, 4, term, "&export=xlsx"))
    _heads, *rows = load_workbook(io.BytesIO(answer.data)).worksheets[0].values
    by_day = {f"{row[0]:%Y-%m-%d}": row for row in rows}
    assert len(by_day) == 20
    assert by_day[f"{MONDAY}"][1] == "A"
    assert by_day[f"{TUESDAY}"][1] == "✓*"
    assert "忘带卡" in by_day[f"{TUESDAY}"][8]


def test_the_file_tells_how_each_direction_was_decided_and_what_guards_wrote_down(
    teacher: FlaskClient, school: SmallSchool, term: int, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        passage = make_passage(school, 2, datetime(2024, 9, 2, 0, 5, 30, tzinfo=UTC))
        undone = make_passage(school, 2, datetime(2024, 9, 2, 9, tzinfo=UTC))
        undone.ended_by, undone.ended_at = "门卫", datetime(2024, 9, 2, 9, 1, tzinfo=UTC)
        session.add_all([passage, undone])
        taps = select(Tap).where(Tap.student_id == school.students[2]).order_by(Tap.occurred_at)
        _first, second, third, last = session.scalars(taps)
        second.direction_by = DirectionBy.TIMETABLE
        third.decision, third.reason = Decision.REFUSED, Refusal.LOST
        third.direction = third.direction_by = None
        last.clock_suspect = True
    assert _taps_in_file(teacher, school, term) == [
        "08:05:30 in, written down by 门卫: 忘带卡",
        "08:06:00 东门进 in (fixed at the reader)",
        "11:45:00 东门出 out (by the timetable)",
        "13:50:00 东门进 lost card",
        "15:00:00 东门出 out (fixed at the reader, the reader's clock was wrong)",
        "17:00:00 in, written down by 门卫: 忘带卡 (taken back by 门卫)",
    ]
    teacher.set_cookie("language", "zh")
    assert _taps_in_file(teacher, school, term)[:2] == [
        "08:05:30 进 门卫登记：忘带卡",
        "08:06:00 东门进 进（读卡器固定方向）",
    ]


def _taps_in_file(teacher: FlaskClient, school: SmallSchool, term: int) -> list[str]:
    """The first Monday's, of the one who came late."""
    answer = teacher.get(_address(school, 2, term, "&export=xlsx"))
    _heads, *rows = load_workbook(io.BytesIO(answer.data)).worksheets[0].values
    [taps] = [row[7] for row in rows if f"{row[0]:%Y-%m-%d}" == f"{MONDAY}"]
    return str(taps).split("; ")


def test_another_homeroom_s_student_is_not_there(
    teacher: FlaskClient, school: SmallSchool, term: int
) -> None:
    assert teacher.get(_address(school, 1, term)).status_code == 404
    taps = f"/students/{school.students[1]}/attendance/taps?day={MONDAY}"
    assert teacher.get(taps).status_code == 404
    days = taps.replace(f"taps?day={MONDAY}", f"days?from={MONDAY}&to={TUESDAY}")
    assert teacher.get(days).status_code == 404
    assert teacher.get(_address(school, 0, 99)).status_code == 404


def test_the_term_of_today_is_shown_first_and_the_student_s_page_leads_there(
    staff: FlaskClient, school: SmallSchool
) -> None:
    address = f"/students/{school.students[0]}/attendance"
    assert address in staff.get(f"/students/{school.students[0]}").text
    assert staff.get(address).status_code == 200

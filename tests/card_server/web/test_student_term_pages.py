"""A student's term on its page: signs, figures, each tap, what staff said, and the file."""

import io
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.audit import AuditEntry
from tests.card_server.web.leave_things import make_passage
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


def test_the_taps_are_unfolded_for_printing(
    teacher: FlaskClient, school: SmallSchool, term: int
) -> None:
    folded = teacher.get(_address(school, 0, term)).text
    unfolded = teacher.get(_address(school, 0, term, "&open=all")).text
    assert unfolded.count("<details open") - folded.count("<details open") == 2
    assert "07:50:00" in unfolded
    assert "07:50:00" not in folded


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


def test_another_homeroom_s_student_is_not_there(
    teacher: FlaskClient, school: SmallSchool, term: int
) -> None:
    assert teacher.get(_address(school, 1, term)).status_code == 404
    taps = f"/students/{school.students[1]}/attendance/taps?day={MONDAY}"
    assert teacher.get(taps).status_code == 404
    assert teacher.get(_address(school, 0, 99)).status_code == 404


def test_the_term_of_today_is_shown_first_and_the_student_s_page_leads_there(
    staff: FlaskClient, school: SmallSchool
) -> None:
    address = f"/students/{school.students[0]}/attendance"
    assert address in staff.get(f"/students/{school.students[0]}").text
    assert staff.get(address).status_code == 200

"""The leave register on its page: coming days, filters, search, files, paper, and whose it is."""

import csv
import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.school_time import bounds_of
from schema.tables.audit import AuditEntry
from schema.tables.leave import LeaveState
from tests.card_server.web.leave_things import REASON, make_slip
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.small_school import SmallSchool
from tests.harness.clock import NOW, TODAY, ZONE, stop_clock

COMING = TODAY + timedelta(days=9)
MIDNIGHT = bounds_of(TODAY, ZONE)[0]


@pytest.fixture
def teacher(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> FlaskClient:
    return log_in_teacher(app, sessions, school)


@pytest.fixture(autouse=True)
def slips(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> list[int]:
    """Today's of the first two students, of two homerooms; the third's in nine days."""
    stop_clock(app)
    with sessions.begin() as session:
        made = [make_slip(school, 0, MIDNIGHT), make_slip(school, 1, MIDNIGHT)]
        made += [make_slip(school, 2, MIDNIGHT + timedelta(days=9))]
        made[1].state, made[1].decided_by = LeaveState.APPROVED, "校长"
        made[1].decided_at = NOW
        made[2].lets_out = True
        session.add_all(made)
        session.flush()
        return [one.id for one in made]


def _shown(page: str, slips: list[int]) -> list[bool]:
    return [f'href="/leave/{one}"' in page for one in slips]


def test_this_week_is_shown_and_days_that_come_when_they_are_asked(
    staff: FlaskClient, slips: list[int]
) -> None:
    assert _shown(staff.get("/leave/register").text, slips) == [True, True, False]
    coming = staff.get(f"/leave/register?from={COMING}").text
    assert _shown(coming, slips) == [False, False, True]
    assert f"<small>{COMING}</small>" in coming
    both = staff.get(f"/leave/register?from={TODAY}&to={COMING}").text
    assert _shown(both, slips) == [True, True, True]
    approved = staff.get(f"/leave/register?from={TODAY}&to={COMING}&state=approved").text
    assert _shown(approved, slips) == [False, True, False]
    assert "校长" in approved
    assert 'href="/leave/register"' in staff.get("/leave").text


@pytest.mark.parametrize(
    "asked",
    [
        "from=nonsense",
        "from=2026-09-09&to=2026-09-01",
        "from=0001-01-01",
        "grade=x&homeroom=y&kind=z&state=w",
    ],
)
def test_what_cannot_be_understood_counts_as_not_asked(
    staff: FlaskClient, slips: list[int], asked: str
) -> None:
    assert _shown(staff.get(f"/leave/register?{asked}").text, slips) == [True, True, False]


def test_a_time_reaches_a_year_ahead_and_no_further(staff: FlaskClient, slips: list[int]) -> None:
    page = staff.get("/leave/register?from=2026-01-01&to=9999-12-31").text
    assert f"{TODAY + timedelta(days=366)}</small>" in page
    assert _shown(page, slips) == [True, True, True]


def test_a_page_past_the_end_is_the_last_one(staff: FlaskClient, slips: list[int]) -> None:
    assert _shown(staff.get("/leave/register?page=7").text, slips) == [True, True, False]


def test_students_are_found_by_name_pinyin_and_number(staff: FlaskClient, slips: list[int]) -> None:
    for words, expected in (("张三", 0), ("ls", 1), ("20260001", 1)):
        page = staff.post("/leave/register", data={"words": words}).text
        assert _shown(page, slips) == [one == expected for one in range(3)], words
        assert "export=" not in page
    assert "Nobody found" in staff.post("/leave/register", data={"words": "xyz"}).text


def test_a_homeroom_teacher_has_the_own_homeroom_alone(
    teacher: FlaskClient, school: SmallSchool, slips: list[int]
) -> None:
    path = f"/leave/register?from={TODAY}&to={COMING}"
    assert _shown(teacher.get(path).text, slips) == [True, False, True]
    other = f"{path}&homeroom={school.homerooms[1]}"
    assert _shown(teacher.get(other).text, slips) == [False, False, False]
    assert "李四" not in teacher.get(f"{path}&export=csv").text
    assert "李四" not in teacher.get(f"{path}&print=all").text


def test_it_is_taken_away_without_the_reasons_and_that_is_noted(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    path = f"/leave/register?from={TODAY}&to={COMING}&sort=name&kind=sick&export="
    body = staff.get(path + "csv").data.decode("utf-8-sig")
    heads, *rows = csv.reader(io.StringIO(body, newline=""))
    assert [row[heads.index("Full name")] for row in rows] == ["李四", "王小明", "张三"]
    found = dict(zip(heads, rows[1], strict=True))
    assert found["When"] == str(COMING)
    assert found["May go out"] == "yes"
    assert REASON not in body
    book = load_workbook(io.BytesIO(staff.get(path + "xlsx").data))
    assert [len(list(sheet.values)) for sheet in book.worksheets] == [4, 7]
    with sessions() as session:
        noted = select(AuditEntry.action).where(AuditEntry.action == "export.taken")
        assert len(session.scalars(noted).all()) == 2


def test_all_of_it_is_printed(
    staff: FlaskClient, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        session.add_all(make_slip(school, 4, MIDNIGHT) for _ in range(120))
    path = f"/leave/register?from={TODAY}&to={TODAY}&kind=sick"
    assert f"{path}&print=all".replace("&", "&amp;") in staff.get(path).text
    paper = staff.get(f"{path}&print=all").text
    assert paper.count("<tr>") == 1 + 122
    assert f"When: {TODAY}" in paper
    assert "Leave: sick leave" in paper
    assert "122 rows" in paper


def test_a_page_that_is_open_stays_when_others_decide(
    staff: FlaskClient, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        session.add_all(make_slip(school, 4, MIDNIGHT) for _ in range(60))
    path = f"/leave/register?from={TODAY}&to={TODAY}&page=2"
    page = staff.get(path).text
    own = re.search(r'<div hx-post="([^"]+)" hx-target="#found"', page)
    assert own
    again = staff.post(own[1].replace("&amp;", "&"), headers={"HX-Request": "true"}).text
    assert "51–62 of 62" in again
    assert own[0] in again

"""The dormitory's roll call on its page: homerooms, one homeroom's boarders, undoing, the file."""

import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.people import Boarding
from schema.tables.roll_call import RollCall
from schema.tables.staff import Role, Scope
from tests.card_server.web.conftest import LogIn
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.small_school import SmallSchool, add_students
from tests.card_server.web.test_queries import _count
from tests.harness.clock import stop_clock

AT = "/attendance/roll-call"
EVENING = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)


@pytest.fixture
def school(school: SmallSchool, app: Flask, sessions: sessionmaker[Session]) -> SmallSchool:
    """Its first four students board; it is twenty to ten in the evening."""
    stop_clock(app, NOW)
    with sessions.begin() as session:
        _board(session, school, range(4))
    return school


def _board(session: Session, school: SmallSchool, numbers: range) -> None:
    for number in numbers:
        student = school.students[number]
        begins = date(2026, 9, 1)
        session.add(Boarding(school_id=school.id, student_id=student, from_on=begins))


def _counts(page: str) -> dict[str, int]:
    return {key: int(number) for key, number in re.findall(r'id="count-(\w+)">(\d+)', page)}


def test_a_roll_is_called_by_homeroom(staff: FlaskClient, school: SmallSchool) -> None:
    overview = staff.get(AT).text
    assert _counts(overview) == {"boarders": 4, "here": 0, "missing": 0, "leave": 0, "open": 4}
    assert "2 to call" in overview
    assert "boarder-" not in overview
    room = f"{AT}?homeroom={school.homerooms[0]}"
    first, second = school.students[0], school.students[2]
    page = staff.get(room).text
    assert f'id="boarder-{first}"' in page
    assert "never seen at a gate" in page
    answer = staff.post(room, data={"mark": f"{first}:0"})
    assert answer.status_code == 302
    assert answer.location == room
    page = staff.get(room).text
    assert _counts(page) == {"boarders": 2, "here": 0, "missing": 1, "leave": 0, "open": 1}
    assert "called by 王老师" in page
    assert "1 missing" in staff.get(AT).text
    assert f'id="boarder-{first}"' in staff.get(AT).text
    staff.post(room, data={"mark": [f"{first}:", f"{second}:1"]})
    assert _counts(staff.get(room).text)["here"] == 1
    assert _counts(staff.get(room).text)["open"] == 1


def test_the_rest_of_a_homeroom_is_there_by_one_click(
    staff: FlaskClient, school: SmallSchool
) -> None:
    room = f"{AT}?homeroom={school.homerooms[0]}"
    page = staff.get(room).text
    assert "The other 2 are here" in page
    rest = re.findall(r'type="hidden" name="mark" value="([^"]+)"', page)
    staff.post(room, data={"mark": rest})
    assert _counts(staff.get(room).text)["here"] == 2
    assert "The other" not in staff.get(room).text


def test_the_rest_leaves_alone_whom_a_colleague_has_called_meanwhile(
    staff: FlaskClient, school: SmallSchool
) -> None:
    room = f"{AT}?homeroom={school.homerooms[0]}"
    page = staff.get(room).text.partition('name="rest"')[2]
    rest = re.findall(r'type="hidden" name="mark" value="([^"]+)"', page)
    assert len(rest) == 2
    staff.post(room, data={"mark": f"{school.students[0]}:0"})
    staff.post(room, data={"mark": rest, "rest": "1"})
    counts = _counts(staff.get(room).text)
    assert (counts["missing"], counts["here"]) == (1, 1)


def test_a_page_left_open_over_noon_calls_the_evening_that_it_shows(
    staff: FlaskClient, school: SmallSchool, app: Flask, sessions: sessionmaker[Session]
) -> None:
    for hours in (7, 14):
        app.extensions["now"] = lambda hours=hours: NOW + timedelta(hours=hours)
        assert staff.get(AT).status_code == 200
    room = f"{AT}?homeroom={school.homerooms[0]}"
    page = staff.get(room).text
    [itself] = re.findall(r'id="roll" hx-get="([^"]+)"', page)
    calls = re.findall(r'action="([^"]+)" hx-post="([^"]+)"', page)[0]
    app.extensions["now"] = lambda: NOW + timedelta(hours=14, minutes=30)
    refreshed = staff.get(itself.replace("&amp;", "&"), headers={"HX-Request": "true"}).text
    posts = re.findall(r'hx-post="([^"]+)"', refreshed)
    assert posts
    assert all(f"day={EVENING}" in one for one in posts)
    answer = staff.post(calls[0].replace("&amp;", "&"), data={"mark": f"{school.students[0]}:0"})
    assert f"day={EVENING}" in answer.location
    with sessions() as session:
        assert session.scalars(select(RollCall.day)).all() == [EVENING]


def test_a_phone_is_told_why_a_call_does_not_count(staff: FlaskClient, school: SmallSchool) -> None:
    headers = {"HX-Request": "true"}
    old = f"{AT}?homeroom={school.homerooms[0]}&day={EVENING - timedelta(days=8)}"
    shown = staff.get(old).text
    assert f'id="boarder-{school.students[0]}"' in shown
    assert 'name="mark"' not in shown
    late = staff.post(old, data={"mark": f"{school.students[0]}:1"}, headers=headers)
    assert late.status_code == 200
    assert "more than a week ago" in late.text
    gone = staff.post(AT, data={"mark": f"{school.students[6]}:1"}, headers=headers)
    assert gone.status_code == 200
    assert "Not all of these students are on the roll" in gone.text
    assert 'id="count-open"' in gone.text


def test_a_teacher_calls_the_own_homeroom_and_a_guard_all(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session], log_in: LogIn
) -> None:
    teacher = log_in_teacher(app, sessions, school)
    assert _counts(teacher.get(AT).text)["boarders"] == 2
    others = {"mark": f"{school.students[1]}:1"}
    assert teacher.post(AT, data=others).status_code == 404
    guard = log_in(school.id, Role.GATE_GUARD, Scope.SCHOOL)
    assert _counts(guard.get(AT).text)["boarders"] == 4
    assert guard.post(AT, data=others).status_code == 302
    with sessions() as session:
        assert session.scalars(select(RollCall.student_id)).all() == [school.students[1]]


@pytest.mark.parametrize(
    ("sent", "status"),
    [("rubbish", 422), ("1:7", 422), ("999:1", 404), ("x:1", 422), ("1000000000:1", 422)],
)
def test_rubbish_calls_nobody(
    staff: FlaskClient, school: SmallSchool, sent: str, status: int
) -> None:
    assert staff.post(AT, data={"mark": sent}).status_code == status


def test_a_homeroom_that_is_none_counts_as_not_asked(
    staff: FlaskClient, school: SmallSchool
) -> None:
    assert _counts(staff.get(f"{AT}?homeroom={10**20}").text)["boarders"] == 4


def test_an_evening_long_ago_stays_as_it_was(staff: FlaskClient, school: SmallSchool) -> None:
    old = f"{AT}?day={EVENING - timedelta(days=30)}"
    answer = staff.post(old, data={"mark": f"{school.students[0]}:1"})
    assert answer.status_code == 422
    assert "more than a week ago" in answer.text
    assert _counts(answer.text)["here"] == 0


def test_the_roll_goes_out_as_a_file(staff: FlaskClient, school: SmallSchool) -> None:
    staff.post(AT, data={"mark": f"{school.students[0]}:1"})
    answer = staff.get(f"{AT}?export=xlsx")
    heads, *rows = load_workbook(io.BytesIO(answer.data)).worksheets[0].values
    assert heads[3] == "Roll call"
    assert [row[3] for row in rows].count("here") == 1
    assert len(rows) == 4
    assert "2026-11-23" in answer.headers["Content-Disposition"]


def test_the_timeline_tells_of_it(staff: FlaskClient, school: SmallSchool) -> None:
    student = school.students[0]
    staff.post(AT, data={"mark": f"{student}:0"})
    page = staff.get(f"/students/{student}/timeline").text
    assert "Dorm roll call" in page
    assert "not here" in page


def test_the_number_of_queries_does_not_grow(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session], engine: Engine
) -> None:
    paths = [AT, f"{AT}?homeroom={school.homerooms[0]}", f"{AT}?export=csv"]
    few = {path: _count(staff, engine, path) for path in paths}
    with sessions.begin() as session:
        add_students(session, school, range(len(school.students), 60))
        _board(session, school, range(4, 60))
    many = {path: _count(staff, engine, path) for path in paths}
    assert few == many

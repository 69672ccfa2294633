"""Corrections on pages: a student's day, a whole homeroom, exemptions, and the guard's page."""

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.tables.attendance import Correction, DayNote, Exemption, HandPassage
from schema.tables.readers import Direction
from schema.tables.school import Term
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.leave.leave_school import add_hours
from tests.card_server.people.people_school import ZONE
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.small_school import SmallSchool


@pytest.fixture(autouse=True)
def running_term(school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    """The term has begun and goes on, whenever the tests run."""
    today = datetime.now(ZONE).date()
    with sessions.begin() as session:
        days = {"starts_on": today - timedelta(days=40), "ends_on": today + timedelta(days=40)}
        session.execute(update(Term).values(**days))
        add_hours(session, school.id, days["starts_on"])


@pytest.fixture
def teacher(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> FlaskClient:
    return log_in_teacher(app, sessions, school)


def _log_in_guard(
    app: Flask, sessions: sessionmaker[Session], school: SmallSchool, login: str
) -> FlaskClient:
    grant = Grant(Role.GATE_GUARD, Scope.GATE, place="校门")
    with sessions.begin() as session:
        password = create_staff(session, school.id, login, "门卫", grant)
        session.execute(
            update(Staff).where(Staff.login == login).values(password_is_one_time=False)
        )
    client = app.test_client()
    client.set_cookie("language", "en")
    assert client.post("/log-in", data={"login": login, "password": password}).status_code == 302
    return client


def test_a_day_is_corrected_and_the_correction_taken_back(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    address = f"/students/{school.students[0]}/corrections"
    assert teacher.get(address).status_code == 200
    form = {"position": "0", "status": "present", "reason": "没带卡"}
    assert teacher.post(address, data=form).status_code == 302
    page = teacher.get(address).text
    assert "没带卡" in page
    assert "班老师" in page
    with sessions() as session:
        correction = session.scalars(select(Correction.id)).one()
    assert teacher.post(f"/corrections/{correction}/end").status_code == 302
    assert "ended by 班老师" in teacher.get(address).text
    assert teacher.post(f"/corrections/{correction}/end").status_code == 409


def test_a_correction_says_what_is_wrong_and_keeps_what_was_typed(
    teacher: FlaskClient, school: SmallSchool
) -> None:
    address = f"/students/{school.students[0]}/corrections"
    answer = teacher.post(address, data={"position": "0", "status": "on_leave", "reason": "来电"})
    assert answer.status_code == 422
    assert "what kind of leave" in answer.text
    assert "来电" in answer.text
    other = f"/students/{school.students[1]}/corrections"
    assert teacher.get(other).status_code == 404
    form = {"position": "0", "status": "present", "reason": "没带卡"}
    assert teacher.post(other, data=form).status_code == 404


def test_minutes_are_said_of_one_session(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    address = f"/students/{school.students[0]}/corrections"
    form = {"position": "0", "status": "late", "minutes": "12", "reason": "看见了"}
    answer = teacher.post(address, data=form)
    assert answer.status_code == 422
    assert "Minutes belong to one session" in answer.text
    assert 'value="12"' in answer.text
    assert teacher.post(address, data=form | {"position": "1"}).status_code == 302
    assert "12 min 看见了" in teacher.get(address).text
    with sessions() as session:
        assert session.scalars(select(Correction.minutes)).one() == 12


def test_a_note_stands_beside_the_day_and_is_taken_back(
    teacher: FlaskClient,
    staff: FlaskClient,
    school: SmallSchool,
    sessions: sessionmaker[Session],
) -> None:
    student = school.students[0]
    address, notes = f"/students/{student}/corrections", f"/students/{student}/day-notes"
    assert teacher.post(notes, data={"body": "十点到校"}).status_code == 302
    page = teacher.get(address).text
    assert "十点到校" in page
    assert "班老师" in page
    with sessions() as session:
        note = session.scalars(select(DayNote)).one()
        assert session.scalar(select(func.count()).select_from(Correction)) == 0
    end = f"/day-notes/{note.id}/end"
    assert end in page
    assert end in staff.get(address).text
    assert teacher.post(end).status_code == 302
    page = teacher.get(address).text
    assert "<s>十点到校</s>" in page
    assert "taken back by 班老师" in page
    assert end not in page
    assert teacher.post(end).status_code == 409


def test_a_note_that_is_wrong_says_so_at_its_own_form(
    teacher: FlaskClient, school: SmallSchool
) -> None:
    notes = f"/students/{school.students[0]}/day-notes"
    answer = teacher.post(notes, data={"body": "字" * 201})
    assert answer.status_code == 422
    assert answer.text.count('class="wrong summary"') == 1
    assert "字" * 201 in answer.text
    other = f"/students/{school.students[1]}/day-notes"
    assert teacher.post(other, data={"body": "十点到校"}).status_code == 404


def test_a_colleague_s_note_is_taken_back_by_an_administrator_alone(
    teacher: FlaskClient, staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    student = school.students[0]
    assert (
        staff.post(f"/students/{student}/day-notes", data={"body": "家长来电"}).status_code == 302
    )
    with sessions() as session:
        end = f"/day-notes/{session.scalars(select(DayNote.id)).one()}/end"
    page = teacher.get(f"/students/{student}/corrections").text
    assert "家长来电" in page
    assert end not in page
    answer = teacher.post(end)
    assert answer.status_code == 403
    assert "Only who wrote this note" in answer.text
    assert staff.post(end).status_code == 302


def test_a_homeroom_is_marked_present_as_a_whole(
    teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    day = datetime.now(ZONE).date() - timedelta(days=1)
    while day.isoweekday() > 5:
        day -= timedelta(days=1)
    address = f"/homerooms/{school.homerooms[0]}/corrections?day={day}"
    asked = teacher.get(address).text
    assert "张三" in asked
    assert 'aria-current="true">Sheets</a>' in asked
    assert teacher.post(address, data={"position": "0", "reason": ""}).status_code == 422
    done = teacher.post(address, data={"position": "0", "reason": "读卡器坏了"})
    assert done.status_code == 302
    assert "4 students are marked present" in teacher.get(done.location).text
    shown = teacher.get(address).text
    assert "Nobody is missing" in shown
    assert "读卡器坏了" in shown
    marking = re.search(r'name="marking" value="([0-9a-f-]+)"', shown)
    assert marking
    end = address.replace("/corrections", "/corrections/end")
    back = teacher.post(end, data={"marking": marking[1]})
    assert "Taken back of 4 students" in teacher.get(back.location).text
    assert "Mark 4 students present" in teacher.get(address).text
    again = teacher.post(end, data={"marking": marking[1]})
    assert again.status_code == 409
    assert "Nothing of this stands any more" in again.text
    assert teacher.post(f"/homerooms/{school.homerooms[1]}/corrections/end").status_code == 404
    other = f"/homerooms/{school.homerooms[1]}/corrections"
    assert teacher.get(other).status_code == 404


def test_an_administrator_exempts_a_student_and_ends_it(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    address = f"/students/{school.students[0]}/exemptions"
    assert staff.post(address, data={"from_on": "", "reason": "集训"}).status_code == 422
    today = datetime.now(ZONE).date()
    form = {"from_on": today.isoformat(), "reason": "集训"}
    assert staff.post(address, data=form).status_code == 302
    assert "集训" in staff.get(address).text
    assert staff.post(address, data=form).status_code == 422
    with sessions() as session:
        exemption = session.scalars(select(Exemption.id)).one()
    later = (today + timedelta(days=9)).isoformat()
    assert staff.post(f"/exemptions/{exemption}/end", data={"on": "?"}).status_code == 422
    assert staff.post(f"/exemptions/{exemption}/end", data={"on": later}).status_code == 302
    assert f"– {today + timedelta(days=8)}" in staff.get(address).text


def test_a_guard_lets_somebody_in_and_takes_it_back(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    guard = _log_in_guard(app, sessions, school, "guard")
    other = _log_in_guard(app, sessions, school, "guard2")
    address = f"/by-hand/{school.students[1]}"
    assert address in guard.post("/by-hand", data={"words": "lisi"}).text
    assert "李四" in guard.get(address).text
    form = {"direction": "in", "preset": "forgot the card"}
    assert guard.post(address, data=form).status_code == 302
    with sessions() as session:
        row = session.scalars(select(HandPassage)).one()
    assert (row.direction, row.reason, row.made_by) == (Direction.IN, "forgot the card", "门卫")
    undo = f"/by-hand/passages/{row.id}/undo"
    assert undo in guard.get("/by-hand").text
    assert undo not in other.get("/by-hand").text
    assert other.post(undo).status_code == 403
    assert guard.post(undo).status_code == 302
    assert "taken back by 门卫" in guard.get("/by-hand").text


def test_a_guard_says_why_and_when(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    guard = _log_in_guard(app, sessions, school, "guard")
    address = f"/by-hand/{school.students[0]}"
    assert guard.post(address, data={"direction": "in"}).status_code == 422
    typed = {"direction": "in", "preset": "x", "reason": "校服太新没口袋", "at": "25:99"}
    answer = guard.post(address, data=typed)
    assert answer.status_code == 422
    assert "校服太新没口袋" in answer.text
    assert guard.get(f"/students/{school.students[0]}/leave").status_code == 403

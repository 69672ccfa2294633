"""The registration page: the term's numbers, who has not come, by hand and back again."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from schema.tables.audit import AuditEntry
from schema.tables.people import Student, StudentStatus
from schema.tables.registration import Registration
from schema.tables.school import Term
from tests.card_server.web.people_pages import log_in_teacher
from tests.card_server.web.small_school import SmallSchool


@pytest.fixture(autouse=True)
def running_term(school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    """The term has begun and goes on, whenever the tests run."""
    today = datetime.now(UTC).date()
    begin, end = today.replace(month=1, day=1), today.replace(month=12, day=31)
    with sessions.begin() as session:
        session.execute(update(Term).values(starts_on=begin, ends_on=end))


def _register(
    client: FlaskClient, school: SmallSchool, student: int, reason: str = "忘带卡", back: str = ""
) -> int:
    address = f"/enrolment/{school.terms[0]}/students/{school.students[student]}{back}"
    return client.post(address, data={"reason": reason}).status_code


def _missing(page: str) -> str:
    return page.split('id="missing"')[1].split("</section>", maxsplit=1)[0]


def test_the_list_shrinks_with_each_registration_and_grows_when_it_is_taken_back(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    page = staff.get("/enrolment").text
    assert '<dd id="count-missing">8</dd>' in page
    assert _register(staff, school, 0) == 302
    page = staff.get("/enrolment").text
    assert '<dd id="count-missing">7</dd>' in page
    assert "张三" not in _missing(page)
    assert "by hand" in page
    assert _register(staff, school, 0, "登记错了", "/remove") == 302
    assert "张三" in _missing(staff.get("/enrolment").text)
    with sessions() as session:
        assert session.scalars(select(Registration)).all() == []
        actions = session.scalars(select(AuditEntry.action)).all()
    assert {"registration.made", "registration.taken_back"} <= {*actions}


def test_a_reason_is_asked_for_and_twice_is_refused_beside_what_was_typed(
    staff: FlaskClient, school: SmallSchool
) -> None:
    assert _register(staff, school, 0, "") == 422
    assert _register(staff, school, 0) == 302
    address = f"/enrolment/{school.terms[0]}/students/{school.students[0]}"
    answer = staff.post(address, data={"reason": "再来一次"})
    assert answer.status_code == 409
    assert "registered already" in answer.text
    assert "再来一次" in answer.text


def test_who_has_left_is_neither_missing_nor_registered(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.get_one(Student, school.students[0]).status = StudentStatus.TRANSFERRED
    page = staff.get("/enrolment").text
    assert '<dd id="count-missing">7</dd>' in page
    assert _register(staff, school, 0) == 409


def test_the_missing_of_one_homeroom_can_be_taken_away(
    staff: FlaskClient, school: SmallSchool
) -> None:
    _register(staff, school, 1)
    address = f"/enrolment?homeroom={school.homerooms[1]}&term={school.terms[0]}&export=csv"
    lines = staff.get(address).text.lstrip("\ufeff").splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["赵雪", "刘洋", "杨柳"]


def test_a_homeroom_teacher_sees_and_registers_the_own_homeroom(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    teacher = log_in_teacher(app, sessions, school)
    page = teacher.get("/enrolment").text
    assert '<dd id="count-missing">4</dd>' in page
    assert "李四" not in page
    assert _register(teacher, school, 0) == 302
    assert _register(teacher, school, 1) == 404


def test_the_search_finds_by_pinyin_and_says_who_is_registered(
    staff: FlaskClient, school: SmallSchool
) -> None:
    _register(staff, school, 0)
    page = staff.post("/enrolment", data={"words": "zs"}).text
    assert "Take the registration back" in page
    assert "Register</button>" in staff.post("/enrolment", data={"words": "lisi"}).text


def test_in_the_holidays_the_page_says_so(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.execute(update(Term).values(starts_on=date(2020, 9, 1), ends_on=date(2021, 1, 20)))
    assert "Today belongs to no term" in staff.get("/enrolment").text

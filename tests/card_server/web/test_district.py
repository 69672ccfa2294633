"""The district's pages: all schools at once, one entered, one added."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.tables.audit import AuditEntry
from schema.tables.school import School
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.web.conftest import CHOSEN_PASSWORD
from tests.card_server.web.small_school import SmallSchool, add_health, add_tap, make_school

_SCHOOL = {
    "code": "no3",
    "name": "第三中学",
    "signature": "三中",
    "zone": "Asia/Shanghai",
    "login": "sun",
    "admin_name": "孙老师",
}


@pytest.fixture
def district(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> FlaskClient:
    """A browser in which somebody of the district is logged in, who has entered no school."""
    grant = Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)
    with sessions.begin() as session:
        password = create_staff(session, None, "district", "区管理员", grant)
    browser = app.test_client()
    browser.set_cookie("language", "en")
    browser.post("/log-in", data={"login": "district", "password": password})
    form = {"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD}
    assert browser.post("/password", data=form).location == "/district"
    return browser


def test_all_schools_stand_on_one_page_and_are_sorted(
    district: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2", students=3)
        add_tap(session, other, 0, late_minutes=4)
        add_health(session, other, 0, datetime.now(UTC))
    page = district.get("/district").text
    assert re.findall(r'id="school-(\w+)"', page) == ["no1", "no2"]
    late = district.get("/district?sort=-late").text
    assert re.findall(r'id="school-(\w+)"', late) == ["no2", "no1"]
    for sort in ("students", "silent", "waiting", "failed", "heard_at", "nonsense"):
        assert district.get(f"/district?sort={sort}").status_code == 200
    line = page[page.index('id="school-no2"') :]
    assert re.findall(r">(\d+)<", line)[:4] == ["3", "1", "1", "1"]


def test_a_school_is_entered_and_left_and_both_are_noted(
    district: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert district.get("/board").location == "/district"
    assert "district-bar" not in district.get("/district").text
    assert district.post(f"/district/enter/{school.id}").location == "/board"
    board = district.get("/board").text
    assert "You are in 第一中学 no1 for the district." in board
    assert "张三" in district.post("/students", data={"words": "zs"}).text
    assert district.get("/settings").status_code == 200
    assert district.post("/district/leave").location == "/district"
    assert district.get("/board").location == "/district"
    with sessions() as session:
        noted = session.execute(
            select(AuditEntry.action, AuditEntry.subject)
            .where(AuditEntry.school_id == school.id, AuditEntry.action.like("school.%"))
            .order_by(AuditEntry.seq)
        ).all()
    about = f"school:{school.id}"
    assert [tuple(one) for one in noted] == [("school.entered", about), ("school.left", about)]


def test_a_school_that_is_not_there_cannot_be_entered(district: FlaskClient) -> None:
    assert district.post("/district/enter/999").status_code == 404
    assert district.get("/board").location == "/district"


def test_a_school_is_added_and_its_administrator_logs_in(
    app: Flask, district: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    answer = district.post("/district/schools/new", data=_SCHOOL)
    password = re.search(r'id="one-time-password">([^<]+)<', answer.text)
    assert password
    admin = app.test_client()
    form = {"login": "sun", "password": password[1]}
    assert admin.post("/log-in", data=form).location == "/password"
    with sessions() as session:
        made = session.scalars(select(School).where(School.code == "no3")).one()
        staff = session.scalars(select(Staff).where(Staff.login == "sun")).one()
        assert staff.school_id == made.id


def test_a_school_that_cannot_be_is_refused_field_by_field(
    district: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    wrong = _SCHOOL | {"code": "No 3", "signature": "", "zone": "Mars", "login": "a b"}
    answer = district.post("/district/schools/new", data=wrong)
    assert answer.status_code == 422
    fields = set(re.findall(r'id="(\w+)-wrong"', answer.text))
    assert fields == {"code", "signature", "zone", "login"}
    assert 'value="第三中学"' in answer.text
    taken = district.post("/district/schools/new", data=_SCHOOL | {"login": "admin-no1"})
    assert set(re.findall(r'id="(\w+)-wrong"', taken.text)) == {"login"}
    with sessions() as session:
        assert session.scalars(select(School.code)).all() == ["no1"]


def test_a_schools_own_administrator_has_nothing_to_do_here(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
    assert staff.get("/district").status_code == 403
    assert staff.post(f"/district/enter/{other.id}").status_code == 403
    assert staff.post("/district/leave").status_code == 403
    assert staff.post("/district/schools/new", data=_SCHOOL).status_code == 403
    assert "District" not in staff.get("/board").text
    with sessions() as session:
        assert len(session.scalars(select(School)).all()) == 2


def test_the_district_stops_every_schools_messages_and_lets_them_go_on(
    district: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        make_school(session, "no2")
    page = "/district/messages"
    refused = district.post(f"{page}/stop", data={"reason": " "})
    assert refused.status_code == 422
    assert 'id="reason-wrong"' in refused.text
    assert district.post(f"{page}/stop", data={"reason": "费用异常"}).location == page
    shown = district.get(page).text
    assert shown.count("stopped by the district") == 2
    district.post(f"/district/enter/{school.id}")
    limits = "/settings/messages/limits"
    assert "The district has stopped all messages." in district.get(limits).text
    assert district.post(f"{limits}/resume", data={"reason": "要发"}).status_code == 409
    assert district.post(f"{page}/resume", data={"reason": "已查清"}).location == page
    assert "stopped by the district" not in district.get(page).text
    with sessions() as session:
        noted = session.scalars(
            select(AuditEntry.action).where(AuditEntry.action.like("sending.%"))
        ).all()
    assert sorted(noted) == ["sending.district_resumed"] * 2 + ["sending.district_stopped"] * 2

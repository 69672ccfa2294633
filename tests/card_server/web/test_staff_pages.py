"""The page of staff and roles: whom it shows, what it keeps, and what it lets nobody do."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.tables.staff import Role, Scope, Staff, StaffGrant, StaffSession
from tests.card_server.web.conftest import CHOSEN_PASSWORD
from tests.card_server.web.small_school import SmallSchool, make_school
from tests.card_server.web.test_settings import seen_in

GUARD = "gate_guard:gate:校门"


def _add(staff: FlaskClient, login: str = "li", *grants: str) -> tuple[int, str]:
    """The id and the one-time password of a new account."""
    form = {"login": login, "name": "李老师", "grants": list(grants or [GUARD])}
    answer = staff.post("/settings/staff/new", data=form)
    assert answer.status_code == 200
    password = re.search(r'id="one-time-password">([^<]+)<', answer.text)
    back = re.search(r"/settings/staff/(\d+)", answer.text)
    assert password
    assert back
    return int(back[1]), password[1]


def _browser(app: Flask, login: str, password: str) -> FlaskClient:
    """Another browser in which somebody has logged in and chosen a password."""
    browser = app.test_client()
    browser.set_cookie("language", "en")
    browser.post("/log-in", data={"login": login, "password": password})
    form = {"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD}
    assert browser.post("/password", data=form).status_code == 302
    return browser


def _grants(sessions: sessionmaker[Session], staff_id: int) -> set[tuple[Role, Scope]]:
    with sessions() as session:
        rows = session.scalars(select(StaffGrant).where(StaffGrant.staff_id == staff_id))
        return {(row.role, row.scope) for row in rows}


def test_somebody_new_logs_in_by_the_password_that_is_shown_once(
    app: Flask, staff: FlaskClient, school: SmallSchool
) -> None:
    teacher = f"homeroom_teacher:homeroom:{school.homerooms[1]}"
    staff_id, password = _add(staff, "li", teacher, GUARD)
    listed = staff.get("/settings/staff").text
    assert "homeroom teacher · 高一(2)班" in listed
    assert "gate guard · 校门" in listed
    assert password not in listed + staff.get(f"/settings/staff/{staff_id}").text
    assert _browser(app, "li", password).get("/board").status_code == 200


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({"login": "li", "name": "李老师"}, {"grants"}),
        ({"login": "li li", "name": "", "grants": GUARD}, {"login", "name"}),
        ({"login": "admin-no1", "name": "李老师", "grants": GUARD}, {"login"}),
        ({"login": "admin-no2", "name": "李老师", "grants": GUARD}, {"login"}),
        ({"login": "li", "name": "李老师", "grants": "district_admin:district"}, {"grants"}),
        ({"login": "li", "name": "李老师", "grants": "auditor:district"}, {"grants"}),
        ({"login": "li", "name": "李老师", "grants": "librarian:homeroom:1"}, {"grants"}),
        ({"login": "li", "name": "李老师", "grants": "nobody"}, {"grants"}),
        ({"login": "li", "name": "李老师", "grants": "other room"}, {"grants"}),
    ],
)
def test_a_form_that_will_not_do_keeps_what_was_typed(
    staff: FlaskClient,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    form: dict[str, str],
    fields: set[str],
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
    if form.get("grants") == "other room":
        form = form | {"grants": f"homeroom_teacher:homeroom:{other.homerooms[0]}"}
    answer = staff.post("/settings/staff/new", data=form)
    assert answer.status_code == 422
    assert set(re.findall(r'id="(\w+)-wrong"', answer.text)) == fields
    assert f'value="{form["login"]}"' in answer.text
    ticked = re.findall(r'value="([^"]+)" checked', answer.text)
    assert ticked == ([GUARD] if form.get("grants") == GUARD else [])
    with sessions() as session:
        assert len(session.scalars(select(Staff)).all()) == 2


def test_roles_are_changed_with_their_history_and_not_twice_from_one_sight(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    staff_id, _ = _add(staff)
    path = f"/settings/staff/{staff_id}"
    seen = seen_in(staff.get(path))
    form = {"name": "李梅", "grants": ["librarian:school"], "seen": seen}
    assert staff.post(path, data=form).location == path
    assert _grants(sessions, staff_id) == {(Role.LIBRARIAN, Scope.SCHOOL)}
    history = staff.get(path).text
    assert "<del>李老师</del> → </ins>" not in history
    assert "<del>李老师</del>" in history
    assert "<ins>librarian</ins>" in history
    refused = staff.post(path, data=form | {"name": "李兰"})
    assert refused.status_code == 409
    assert 'value="李兰"' in refused.text
    again = form | {"name": "李兰", "seen": seen_in(refused)}
    assert staff.post(path, data=again).status_code == 302


def test_disabling_ends_the_log_in_at_once_and_enabling_opens_it(
    app: Flask, staff: FlaskClient
) -> None:
    staff_id, password = _add(staff)
    guard = _browser(app, "li", password)
    assert guard.get("/readers").status_code == 200
    assert staff.post(f"/settings/staff/{staff_id}/disable").status_code == 302
    assert "/log-in" in guard.get("/readers").location
    form = {"login": "li", "password": CHOSEN_PASSWORD}
    assert guard.post("/log-in", data=form).status_code == 403
    assert staff.post(f"/settings/staff/{staff_id}/enable").status_code == 302
    assert guard.post("/log-in", data=form).status_code == 302


def test_a_renewed_password_is_shown_and_ends_the_old_one(app: Flask, staff: FlaskClient) -> None:
    staff_id, password = _add(staff)
    guard = _browser(app, "li", password)
    shown = staff.post(f"/settings/staff/{staff_id}/password").text
    renewed = re.search(r'id="one-time-password">([^<]+)<', shown)
    assert renewed
    assert "/log-in" in guard.get("/readers").location
    assert guard.post("/log-in", data={"login": "li", "password": renewed[1]}).status_code == 302


def test_who_failed_too_often_is_unlocked(app: Flask, staff: FlaskClient) -> None:
    staff_id, _password = _add(staff)
    browser, path = app.test_client(), f"/settings/staff/{staff_id}"
    for _ in range(5):
        browser.post("/log-in", data={"login": "li", "password": "wrong"})
    assert "Unlock now" in staff.get(path).text
    assert staff.post(f"{path}/unlock").status_code == 302
    assert "Unlock now" not in staff.get(path).text


def test_the_last_administrator_stays_and_nobody_disables_themselves(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions() as session:
        own = session.scalars(select(Staff.id).where(Staff.login == school.login)).one()
    path = f"/settings/staff/{own}"
    refused = staff.post(f"{path}/disable")
    assert refused.status_code == 403
    assert "cannot disable your own account" in refused.text
    form = {"name": "王老师", "grants": [GUARD], "seen": seen_in(staff.get(path))}
    refused = staff.post(path, data=form)
    assert refused.status_code == 409
    assert "only administrator" in refused.text
    assert _grants(sessions, own) == {(Role.SCHOOL_ADMIN, Scope.SCHOOL)}


def test_accounts_of_another_school_and_of_the_district_are_not_there(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        make_school(session, "no2")
        district = Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)
        create_staff(session, None, "district", "区管理员", district)
        hidden = session.scalars(
            select(Staff.id).where(Staff.login.in_(["admin-no2", "district"]))
        ).all()
        before = session.scalars(select(Staff.password_hash).order_by(Staff.id)).all()
    assert len(hidden) == 2
    assert "admin-no2" not in staff.get("/settings/staff").text
    for staff_id in hidden:
        path = f"/settings/staff/{staff_id}"
        assert staff.get(path).status_code == 404
        for action in ("", "/disable", "/enable", "/password", "/unlock", "/code-off"):
            form = {"name": "x", "grants": GUARD, "seen": ""}
            assert staff.post(path + action, data=form).status_code == 404
    with sessions() as session:
        after = session.scalars(select(Staff.password_hash).order_by(Staff.id)).all()
        assert after == before
        assert session.scalars(select(Staff).where(Staff.disabled_at.is_not(None))).all() == []


@pytest.mark.parametrize("role", [role for role in Role if "admin" not in role])
def test_only_administrators_come_in(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session], role: Role
) -> None:
    with sessions.begin() as session:
        scopes = {Role.HOMEROOM_TEACHER: Scope.GRADE}
        grant = Grant(role, scopes.get(role, Scope.SCHOOL), grade=1)
        password = create_staff(session, school.id, "li", "李老师", grant)
        before = len(session.scalars(select(Staff)).all())
    browser = _browser(app, "li", password)
    for path in ("/settings", "/settings/staff", "/settings/readers", "/settings/homerooms"):
        assert browser.get(path).status_code == 403
    form = {"login": "wu", "name": "吴", "grants": "school_admin:school"}
    assert browser.post("/settings/staff/new", data=form).status_code == 403
    assert browser.get("/district").status_code == 403
    with sessions() as session:
        assert len(session.scalars(select(Staff)).all()) == before
        assert session.scalars(select(StaffSession)).all()

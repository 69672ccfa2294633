"""The district's own accounts: made, changed, disabled, and never left without an administrator."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.accounts import create_staff, find_by_login
from card_server.staff.scope import Grant
from schema.tables.audit import DISTRICT, AuditEntry
from schema.tables.staff import Role, Scope
from tests.card_server.web.conftest import CHOSEN_PASSWORD
from tests.card_server.web.small_school import SmallSchool
from tests.card_server.web.test_settings import seen_in

_ADMIN, _AUDITOR = "district_admin:district", "auditor:district"


def _log_in(app: Flask, login: str, password: str) -> FlaskClient:
    """A browser in which somebody has logged in and chosen a password."""
    browser = app.test_client()
    browser.set_cookie("language", "en")
    browser.post("/log-in", data={"login": login, "password": password})
    form = {"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD}
    assert browser.post("/password", data=form).status_code == 302
    return browser


@pytest.fixture
def district(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> FlaskClient:
    """A browser of the district's only administrator."""
    grant = Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)
    with sessions.begin() as session:
        password = create_staff(session, None, "district", "区管理员", grant)
    return _log_in(app, "district", password)


def _add(district: FlaskClient, login: str, grant: str) -> str:
    """The one-time password of somebody new in the district."""
    form = {"login": login, "name": "钱科长", "grants": grant}
    answer = district.post("/district/staff/new", data=form)
    found = re.search(r'id="one-time-password">([^<]+)<', answer.text)
    assert found, answer.text
    return found[1]


def _id_of(sessions: sessionmaker[Session], login: str) -> int:
    with sessions() as session:
        staff = find_by_login(session, login)
        assert staff
        return staff.id


def test_somebody_new_reads_the_districts_log_and_nothing_else(
    app: Flask, district: FlaskClient
) -> None:
    assert "/district/staff" in district.get("/district").text
    password = _add(district, "qian", _AUDITOR)
    listed = district.get("/district/staff").text
    assert "钱科长" in listed
    assert "王老师" not in listed, "a school's staff are not the district's"
    auditor = _log_in(app, "qian", password)
    assert auditor.get("/home").location == "/audit"
    assert auditor.get("/audit").status_code == 200
    assert auditor.get("/district").status_code == 403
    assert auditor.get("/district/staff").status_code == 403


def test_what_is_offered_are_the_districts_roles(
    district: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    page = district.get("/district/staff/new").text
    assert set(re.findall(r'name="grants" value="([^"]+)"', page)) == {_ADMIN, _AUDITOR}
    form = {"login": "qian", "name": "钱科长", "grants": "school_admin:school"}
    answer = district.post("/district/staff/new", data=form)
    assert answer.status_code == 422
    assert 'id="grants-wrong"' in answer.text
    with sessions() as session:
        assert find_by_login(session, "qian") is None


def test_a_change_of_role_is_kept_and_stands_in_the_history(
    district: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    _add(district, "qian", _AUDITOR)
    address = f"/district/staff/{_id_of(sessions, 'qian')}"
    seen = seen_in(district.get(address))
    form = {"name": "钱局长", "grants": [_ADMIN, _AUDITOR], "seen": seen}
    assert district.post(address, data=form).location == address
    page = district.get(address).text
    history = page[page.index('id="history"') :]
    assert "<del>钱科长</del>" in history
    assert "district administrator" in history
    late = district.post(address, data=form | {"name": "慢"})
    assert late.status_code == 409


def test_the_only_administrator_stays_and_another_one_is_disabled_at_once(
    app: Flask, district: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    own = f"/district/staff/{_id_of(sessions, 'district')}"
    seen = seen_in(district.get(own))
    left = district.post(own, data={"name": "区管理员", "grants": _AUDITOR, "seen": seen})
    assert left.status_code == 409
    assert "This is the only administrator." in left.text
    assert district.post(f"{own}/disable").status_code == 403
    other = _log_in(app, "qian", _add(district, "qian", _ADMIN))
    assert other.get("/district").status_code == 200
    address = f"/district/staff/{_id_of(sessions, 'qian')}"
    assert '<dialog id="disable"' in district.get(address).text, "it is asked before"
    assert district.post(f"{address}/disable").location == address
    assert other.get("/district").location.startswith("/log-in")
    assert district.post(f"{address}/enable").location == address
    renewed = district.post(f"{address}/password").text
    password = re.search(r'id="one-time-password">([^<]+)<', renewed)
    assert password
    assert _log_in(app, "qian", password[1]).get("/district").status_code == 200
    with sessions() as session:
        about = f"staff:{address.rsplit('/', 1)[1]}"
        noted = session.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.school_id == DISTRICT, AuditEntry.subject == about)
            .order_by(AuditEntry.seq)
        ).all()
    changes = [one for one in noted if one in {"staff.made", "staff.disabled", "staff.enabled"}]
    assert changes == ["staff.made", "staff.disabled", "staff.enabled"]


def test_an_account_of_a_school_is_none_of_the_districts(
    district: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    admin = _id_of(sessions, school.login)
    assert district.get(f"/district/staff/{admin}").status_code == 404
    assert district.post(f"/district/staff/{admin}/disable").status_code == 404
    assert district.post(f"/district/staff/{admin}/password").status_code == 404


def test_a_schools_administrator_may_nothing_here(staff: FlaskClient) -> None:
    assert staff.get("/district/staff").status_code == 403
    form = {"login": "qian", "name": "钱科长", "grants": _ADMIN}
    assert staff.post("/district/staff/new", data=form).status_code == 403

"""The calendar's pages: a term by months, a day, the state's days, rules; teachers only read."""

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from card_server.calendar.reading import list_entries
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.tables.attendance import AttendanceRules, DayPlanRow, Deadline
from schema.tables.calendar import CalendarEntry, DayKind
from schema.tables.staff import Role, Scope
from tests.card_server.web.conftest import CHOSEN_PASSWORD
from tests.card_server.web.small_school import SmallSchool
from tests.harness.clock import NOW, TODAY, stop_clock

_DAY = "/settings/calendar/day"
_RULES = {
    "closes": "21:30",
    "boarders_weekday": "7",
    "boarders_by": "18:30",
    "leave_days": "3",
    "late_points": "0.5",
    "early_points": "0.5",
    "absent_points": "2",
}


@pytest.fixture(autouse=True)
def clock(app: Flask) -> None:
    stop_clock(app)


def _said(sessions: sessionmaker[Session], school: SmallSchool) -> list[CalendarEntry]:
    with sessions() as session:
        return list_entries(session, school.id, date(2026, 1, 1), date(2027, 12, 31))


def test_a_term_is_shown_by_months(staff: FlaskClient) -> None:
    page = staff.get("/settings/calendar").text
    assert page.count('<table class="month">') == 5
    for month in ("September 2026", "January 2027"):
        assert month in page
    assert "Monday, September 7, 2026 · lessons" in page


def test_a_day_is_said_and_taken_back(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    typed = {"day": "2026-12-24", "until": "2026-12-25", "kind": "closed", "note": "运动会"}
    answer = staff.post(_DAY, data=typed)
    assert answer.headers["Location"].endswith("day=2026-12-24")
    first, second = _said(sessions, school)
    assert (first.day.day, second.day.day) == (24, 25)
    shown = staff.get(f"{_DAY}?day=2026-12-24").text
    assert "运动会" in shown
    assert "said what a day is" in shown
    assert "运动会" in staff.get("/settings/calendar").text
    assert staff.post(f"/settings/calendar/entries/{first.id}/end").status_code == 302
    assert [one.id for one in _said(sessions, school)] == [second.id]
    assert staff.post(f"/settings/calendar/entries/{first.id}/end").status_code == 404


def test_a_form_that_fails_keeps_what_was_typed(staff: FlaskClient) -> None:
    typed = {"day": "2026-12-05", "kind": "lessons", "note": "补课", "grades": ["1"]}
    answer = staff.post(_DAY, data=typed)
    assert answer.status_code == 422
    assert "Say whose timetable applies" in answer.text
    assert 'value="补课"' in answer.text
    assert 'name="grades" value="1" checked' in answer.text


def test_a_day_that_was_judged_stays_and_the_page_says_so(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    key = {"school_id": school.id, "day": TODAY, "homeroom_id": school.homerooms[0]}
    with sessions.begin() as session:
        session.add(DayPlanRow(**key, plan='{"kind":"lessons"}', made_at=NOW))
        session.add(Deadline(**key, position=1, due_at=NOW, judged_at=NOW))
    typed = {"day": str(TODAY), "kind": "closed", "note": "暴雪"}
    saved = staff.post(_DAY, data=typed, follow_redirects=True).text
    assert f"stays as it was: {TODAY}" in saved
    assert "Only a recomputation applies the change to this day" in saved
    assert saved.count(f'href="/settings/calendar/recompute?first={TODAY}&amp;last={TODAY}"') == 2


def test_the_states_days_are_settled(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path, year = "/settings/calendar/proposals", {"year": "2026"}
    assert "Accept all open holidays of 2026" in staff.get(f"{path}?year=2026").text
    assert staff.post(f"{path}/holidays", data=year).status_code == 302
    assert {one.kind for one in _said(sessions, school)} == {DayKind.CLOSED}
    assert "Accept all open holidays" not in staff.get(f"{path}?year=2026").text
    chosen = {"year": "2026", "on-2026-10-10": "4"}
    assert staff.post("/settings/calendar/proposals", data=chosen).status_code == 302
    moved = [one for one in _said(sessions, school) if one.kind is DayKind.LESSONS]
    assert [(str(one.day), one.weekday) for one in moved] == [("2026-10-10", 4)]
    wrong = staff.post("/settings/calendar/proposals", data={"year": "2026"})
    assert wrong.status_code == 422
    assert "Nothing is known of 2099" in staff.get(f"{path}?year=2099").text


def test_rules_are_settled_as_people_write_them(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    page = staff.get("/settings/attendance").text
    seen = page.split('name="seen" value="')[1].split('"')[0]
    wrong = staff.post("/settings/attendance", data=_RULES | {"seen": seen, "closes": "25:00"})
    assert wrong.status_code == 422
    assert staff.post("/settings/attendance", data=_RULES | {"seen": seen}).status_code == 302
    with sessions() as session:
        assert session.get_one(AttendanceRules, school.id).closes == 21 * 60 + 30
    history = staff.get("/settings/attendance").text.partition('id="history"')[2]
    assert "<ins>21:30</ins>" in history, "as people write it, not as a number of minutes"
    assert staff.post("/settings/attendance", data=_RULES | {"seen": seen}).status_code == 409


@pytest.fixture
def teacher(app: Flask, school: SmallSchool, sessions: sessionmaker[Session]) -> FlaskClient:
    """A browser in which a homeroom teacher is logged in."""
    room = school.homerooms[0]
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)
    with sessions.begin() as session:
        password = create_staff(session, school.id, "li", "李老师", grant)
    client = app.test_client()
    client.set_cookie("language", "en")
    client.post("/log-in", data={"login": "li", "password": password})
    client.post("/password", data={"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD})
    return client


def test_teachers_see_calendar_and_timetables_and_change_nothing(
    teacher: FlaskClient, school: SmallSchool
) -> None:
    paths = ("/settings/calendar", _DAY, "/settings/timetables")
    for path in (*paths, f"/settings/timetables/{school.timetables[0]}"):
        answer = teacher.get(path)
        assert answer.status_code == 200
        assert 'action="/settings' not in answer.text.replace('action="/settings/calendar"', "")
    for path in (_DAY, "/settings/timetables", "/settings/calendar/proposals"):
        assert teacher.post(path, data={}).status_code == 403
    assert teacher.get("/settings/attendance").status_code == 403

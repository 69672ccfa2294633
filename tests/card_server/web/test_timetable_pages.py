"""The timetables' pages: made, given hours, copied from day to day, drawn again while typing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page
from sqlalchemy.orm import Session, sessionmaker

from card_server.calendar.sessions import fields_of, sessions_of
from card_server.calendar.timetables import list_timetables
from schema.tables.calendar import ForWhom
from tests.card_server.calendar.conftest import HOURS
from tests.card_server.web.conftest import CHOSEN_PASSWORD, make_settings, serving
from tests.card_server.web.small_school import SmallSchool
from tests.harness.browser import log_in

_SUMMER = {"name": "夏季", "starts_on": "2027-05-05"}


def _seen(page: str) -> str:
    return page.split('name="seen" value="')[1].split('"', maxsplit=1)[0]


def _make(staff: FlaskClient, **more: str) -> str:
    answer = staff.post("/settings/timetables", data=_SUMMER | more)
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_a_timetable_is_made_given_hours_and_ended(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path = _make(staff)
    timetable_id = int(path.rsplit("/", 1)[1])
    hours = f"{path}/hours"
    typed = fields_of(HOURS) | {"weekday": "1", "seen": _seen(staff.get(hours).text)}
    answer = staff.post(hours, data={**typed, "also": ["2", "5"]})
    assert answer.headers["Location"] == path
    with sessions() as session:
        counts = [len(sessions_of(session, timetable_id, one)) for one in range(1, 8)]
    assert counts == [2, 2, 0, 0, 2, 0, 0]
    page = staff.get(path).text
    assert page.count('<svg class="day-bar"') == 3
    assert "上午 07:40–11:40" in page
    assert "changed a timetable&#39;s hours" in page
    assert staff.post(f"{path}/end").status_code == 302
    assert staff.get(path).status_code == 404


def test_a_session_for_some_says_for_whom_on_every_page(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    path = _make(staff)
    hours = f"{path}/hours"
    wanted = [HOURS[0], replace(HOURS[1], name="晚自习", for_whom=ForWhom.BOARDERS)]
    typed = fields_of(wanted) | {"weekday": "1", "seen": _seen(staff.get(hours).text)}
    assert staff.post(hours, data=typed).status_code == 302
    with sessions() as session:
        assert sessions_of(session, int(path.rsplit("/", 1)[1]), 1) == wanted
    for page in (path, "/settings/timetables"):
        shown = staff.get(page).text
        assert shown.count('class="bar-session bar-some"') == 1
        assert shown.count(">boarders<") == 1
    assert '<option value="boarders" selected>' in staff.get(hours).text
    wrong = staff.post(hours, data=typed | {"for_whom-2": "teachers"})
    assert (wrong.status_code, 'id="for_whom-2-wrong"' in wrong.text) == (422, True)


def test_another_ones_hours_are_taken_over(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    path = _make(staff)
    hours = f"{path}/hours"
    seen = _seen(staff.get(hours).text)
    staff.post(hours, data={**fields_of(HOURS), "weekday": "1", "seen": seen})
    copied = _make(staff, starts_on="2027-10-08", copy_from=path.rsplit("/", 1)[1])
    with sessions() as session:
        assert sessions_of(session, int(copied.rsplit("/", 1)[1]), 1) == list(HOURS)


def test_what_cannot_be_stays_in_the_form_with_a_word_beside_it(staff: FlaskClient) -> None:
    path = _make(staff)
    again = staff.post("/settings/timetables", data=_SUMMER)
    assert again.status_code == 422
    assert "which one would count?" in again.text
    hours = f"{path}/hours"
    typed = fields_of(HOURS) | {"weekday": "3", "late_after-1": "05:00"}
    wrong = staff.post(hours, data=typed | {"seen": _seen(staff.get(hours).text)})
    assert wrong.status_code == 422
    assert 'id="late_after-1-wrong"' in wrong.text
    assert 'value="05:00"' in wrong.text
    stale = staff.post(hours, data=fields_of(HOURS) | {"weekday": "3", "seen": "x"})
    assert stale.status_code == 409


def test_a_timetable_is_changed(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    path = _make(staff)
    typed = _SUMMER | {"ends_on": "2027-09-30", "grades": "1", "seen": _seen(staff.get(path).text)}
    assert staff.post(path, data=typed).status_code == 302
    with sessions() as session:
        summer = list_timetables(session, school.id)[0]
    assert (str(summer.ends_on), summer.grades) == ("2027-09-30", "1")
    assert staff.post(path, data=typed | {"name": "x"}).status_code == 409


@pytest.fixture
def hours_page(
    browser: Browser, sqlite_url: str, engine: object, school: SmallSchool, staff: FlaskClient
) -> Iterator[Page]:
    """The page of a weekday's hours, in Chromium."""
    path = _make(staff)
    with serving(make_settings(sqlite_url)) as address:
        context = browser.new_context()
        context.add_cookies([{"name": "language", "value": "en", "url": address}])
        page = context.new_page()
        log_in(page, address, school.login, CHOSEN_PASSWORD)
        page.goto(f"{address}{path}/hours?weekday=5")
        yield page
        context.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_day_is_drawn_again_while_staff_type(hours_page: Page) -> None:
    assert hours_page.locator("#bar g rect").count() == 0
    for name, value in fields_of(HOURS[:1]).items():
        if name.split("-")[0] in ("name", "part", "for_whom"):
            continue
        if not name.startswith("expects"):
            hours_page.fill(f"[name={name}]", value)
    bar = hours_page.locator("#bar g")
    assert bar.locator(".bar-session").get_attribute("x") == str(460 - 360)
    assert bar.locator(".bar-session").get_attribute("width") == str(700 - 460)
    hours_page.fill("[name=late_after-1]", "08:00")
    assert bar.locator(".bar-session").get_attribute("x") == "120"
    assert bar.locator(".bar-arrive").get_attribute("width") == str(480 - 390)
    assert bar.locator(".bar-some").count() == 0
    hours_page.select_option("[name=for_whom-1]", "boarders")
    assert bar.locator(".bar-session.bar-some").get_attribute("x") == "120"
    hours_page.fill("[name=name-1]", "上午")
    hours_page.click("main form button:has-text('Save')")
    hours_page.wait_for_selector(".week-bars")
    drawn = hours_page.locator(".week-bars .bar-session")
    assert drawn.count() == 1
    assert drawn.get_attribute("x") == "120"

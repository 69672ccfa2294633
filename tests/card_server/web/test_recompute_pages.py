"""The pages of judging days anew: chosen, tried out, the difference seen, applied, and told."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, event, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL
from schema.tables.audit import AuditEntry
from schema.tables.jobs import Job, JobPiece, JobState
from tests.card_server.attendance.changed_school import GRADE, add_head, make_changed_school
from tests.card_server.attendance.judged_school import MONDAY, JudgedSchool
from tests.card_server.jobs.desk import do_next
from tests.card_server.web.conftest import CHOSEN_PASSWORD
from tests.card_server.web.small_school import make_school

PAGE = "/settings/calendar/recompute"
TYPED = {"first": str(MONDAY), "last": str(MONDAY), "whom": ""}


@pytest.fixture
def judged(sessions: sessionmaker[Session]) -> JudgedSchool:
    """Monday was judged, and closed afterwards."""
    return make_changed_school(sessions)


@pytest.fixture
def head(client: FlaskClient, judged: JudgedSchool) -> FlaskClient:
    """A browser of the school's administrator."""
    password = add_head(judged.sessions, judged.school_id)
    return _enter(client, "head", password)


def _enter(client: FlaskClient, login: str, password: str) -> FlaskClient:
    client.post("/log-in", data={"login": login, "password": password})
    form = {"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD}
    assert client.post("/password", data=form).status_code == 302
    return client


@pytest.fixture
def tried_out(head: FlaskClient, engine: Engine) -> str:
    """The address of a try-out of Monday that has ended."""
    address: str = head.post(PAGE, data=TYPED).headers["Location"]
    assert do_next(engine)
    return address


def _seen(page: str) -> str:
    [found] = re.findall(r'name="seen" value="([0-9a-f]{64})"', page)
    return str(found)


def test_a_day_of_the_calendar_leads_to_the_page_with_its_day_filled_in(
    head: FlaskClient,
) -> None:
    day = head.get(f"/settings/calendar/day?day={MONDAY}").text
    assert "Only a recomputation applies the change to this day" in day
    [way] = re.findall(rf'href="({PAGE}[^"]+)"', day)
    form = head.get(way.replace("&amp;", "&")).text
    assert form.count(f'value="{MONDAY}"') == 2
    assert "No new message is sent" in form
    assert f'<option value="grade:{GRADE}">' in form
    assert f'href="{PAGE}"' in head.get("/settings/calendar").text


def test_days_that_cannot_be_are_said_beside_their_fields(head: FlaskClient) -> None:
    answer = head.post(PAGE, data={"first": "2026-09-02", "last": "2999-01-01", "whom": "gate:1"})
    assert answer.status_code == 422
    assert "Choose the whole school, a grade or a homeroom." in answer.text
    assert 'value="2999-01-01"' in answer.text
    later = head.post(PAGE, data={"first": "2026-09-02", "last": "2999-01-01"})
    assert "This day has not come yet" in later.text
    assert f'value="{MONDAY}"' not in head.get(f"{PAGE}?first=nonsense&last=2999-01-01").text


def test_the_difference_is_seen_before_anything_changes(
    head: FlaskClient, judged: JudgedSchool, engine: Engine
) -> None:
    address: str = head.post(PAGE, data=TYPED).headers["Location"]
    assert head.post(PAGE, data=TYPED).headers["Location"] == address
    waiting = head.get(address).text
    assert "Finding out what would change" in waiting
    assert "hx-get" in waiting
    assert do_next(engine)
    page = head.get(address, headers={"HX-Request": "true"}).text
    assert "<html" not in page
    assert "This would change. Nothing has changed yet." in page
    assert '<dd id="changed-students">3</dd>' in page
    for said in ("absent → no session", "late → no session", "学一", "S000001", "上午"):
        assert said in page
    assert "No new message is sent" in page
    assert judged.statuses(1) == ["late", "present"]


def test_it_is_applied_as_it_was_seen(
    head: FlaskClient, judged: JudgedSchool, engine: Engine, tried_out: str
) -> None:
    applied = head.post(tried_out, data={"seen": _seen(head.get(tried_out).text)})
    address: str = applied.headers["Location"]
    assert address != tried_out
    assert "Judging the days anew" in head.get(address).text
    assert do_next(engine)
    assert "Judged anew: 3 days of 3 students have changed." in head.get(address).text
    assert judged.statuses(1) == []
    audit = head.get("/audit").text
    assert "began to judge days anew" in audit
    assert "judged days anew" in audit
    again = head.post(PAGE, data=TYPED).headers["Location"]
    assert do_next(engine)
    page = head.get(again).text
    assert "day would change." in page
    assert 'name="seen"' not in page


def test_what_was_not_seen_is_not_applied(
    head: FlaskClient, judged: JudgedSchool, engine: Engine, tried_out: str
) -> None:
    answer = head.post(tried_out, data={"seen": "0" * 64})
    assert answer.status_code == 409
    assert "This is not what the try-out found" in answer.text
    seen = _seen(answer.text)
    judged.record([judged.pass_gate(2, MONDAY, "07:50")])
    address = head.post(tried_out, data={"seen": seen}).headers["Location"]
    assert do_next(engine)
    page = head.get(address).text
    assert "Nothing was applied" in page
    assert "The days are not what they were when you looked" in page
    assert f"{PAGE}?first={MONDAY}&amp;last={MONDAY}" in page
    assert judged.statuses(1) == ["late", "present"]


def test_the_list_is_taken_away_as_a_file_and_that_is_noted(
    head: FlaskClient, judged: JudgedSchool, tried_out: str
) -> None:
    taken = head.get(f"{tried_out}?export=csv")
    lines = taken.data.decode("utf-8-sig").splitlines()
    assert lines[0] == "Day,Student number,Full name,Homeroom,Session,Judged before,Judged anew"
    assert f"{MONDAY},S000001,学一,七(1)班,上午,late,no session" in lines
    assert len(lines) == 1 + 6
    assert head.get(f"{tried_out}?export=xlsx").data.startswith(b"PK")
    assert [row.action for row in judged.rows(AuditEntry)].count("export.taken") == 2


def test_a_try_out_that_is_not_kept_any_more_says_so(
    head: FlaskClient, judged: JudgedSchool, tried_out: str
) -> None:
    with judged.sessions.begin() as session:
        session.execute(delete(JobPiece))
    assert "What a try-out finds is kept for a day" in head.get(tried_out).text
    assert head.post(tried_out, data={"seen": "0" * 64}).status_code == 409


def test_its_job_leads_to_it_and_cannot_be_cancelled_half_way(
    head: FlaskClient, judged: JudgedSchool, tried_out: str
) -> None:
    address: str = head.post(tried_out, data={"seen": _seen(head.get(tried_out).text)}).headers[
        "Location"
    ]
    job = address.rsplit("/", 1)[1]
    assert f'href="{address}"' in head.get(f"/jobs/{job}").text
    assert "Cancel this job" in head.get(f"/jobs/{job}").text
    with judged.sessions.begin() as session:
        session.execute(update(Job).where(Job.id == int(job)).values(state=JobState.RUNNING))
    page = head.get(f"/jobs/{job}").text
    assert "Cancel this job" not in page
    assert head.post(f"/jobs/{job}/cancel").status_code == 409
    assert "Recomputation of days: 2026-09-07" in page


def test_another_school_and_another_job_have_no_page(
    app: Flask, judged: JudgedSchool, tried_out: str
) -> None:
    with judged.sessions.begin() as session:
        other = make_school(session, "no2")
        password = create_staff(session, other.id, "other", "外校", WHOLE_SCHOOL)
    stranger = app.test_client()
    stranger.set_cookie("language", "en")
    _enter(stranger, "other", password)
    assert stranger.get(tried_out).status_code == 404
    assert stranger.post(tried_out, data={"seen": "0" * 64}).status_code == 404
    assert stranger.get(f"{PAGE}/999999").status_code == 404


@pytest.fixture
def queries(engine: Engine) -> Iterator[list[str]]:
    """What the database was asked since."""
    asked: list[str] = []

    def note(*about: object) -> None:
        asked.append(str(about[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("students", [3, 60])
def test_many_students_cost_no_more_queries(
    client: FlaskClient,
    sessions: sessionmaker[Session],
    engine: Engine,
    queries: list[str],
    students: int,
) -> None:
    judged = make_changed_school(sessions, students)
    browser = _enter(client, "head", add_head(sessions, judged.school_id))
    address = browser.post(PAGE, data=TYPED).headers["Location"]
    assert do_next(engine)
    browser.get(address)
    queries.clear()
    assert f"of {students}" in browser.get(address).text
    assert len(queries) <= 12, queries


def test_it_speaks_chinese(head: FlaskClient, tried_out: str) -> None:
    head.set_cookie("language", "zh")
    page = head.get(tried_out).text
    for english in ("Nothing has changed", "What parents notice", "no session"):
        assert english not in page
    assert "无此时段" in page

"""Who sees which background job, what its page says, and who takes its file."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.exports.lists import BATCH
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from card_server.staff.sessions import open_staff_session
from card_server.web import downloads
from schema.tables.audit import AuditEntry
from schema.tables.jobs import Job, JobState
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.jobs.desk import do_next, read
from tests.card_server.web.small_school import SmallSchool, add_job, add_tap, make_school

_TEACHER = "li"


@pytest.fixture
def teacher(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> FlaskClient:
    """A browser in which a homeroom teacher of the same school is logged in."""
    with sessions.begin() as session:
        grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
        create_staff(session, school.id, _TEACHER, "李老师", grant)
        who = session.scalars(select(Staff).where(Staff.login == _TEACHER)).one()
        who.password_is_one_time = False
        token = open_staff_session(session, who, datetime.now(UTC))
    client = staff.application.test_client()
    client.set_cookie("language", "en")
    with client.session_transaction() as cookie:
        cookie["token"] = token
    return client


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is long begins with four rows, and is read three at a time."""
    monkeypatch.setattr(downloads, "AT_ONCE", 3)
    monkeypatch.setattr("card_server.exports.taps.BATCH", 3)


def _asked(answer_location: str) -> int:
    return int(answer_location.rsplit("/", 1)[1])


@pytest.mark.usefixtures("_short")
def test_a_long_list_becomes_a_job_and_its_file_is_whole(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session], engine: Engine
) -> None:
    with sessions.begin() as session:
        for student in range(8):
            add_tap(session, school, student)
    answer = staff.get("/taps?export=csv")
    assert answer.status_code == 302
    job_id = _asked(answer.location)
    assert staff.get("/taps?export=csv").location == answer.location, "asking twice is asking once"
    assert "waiting" in staff.get(f"/jobs/{job_id}").text
    assert staff.get(f"/jobs/{job_id}/file").status_code == 404
    assert do_next(engine)
    page = staff.get(f"/jobs/{job_id}").text
    assert "The file is ready and holds all 8 rows." in page
    assert "Taps, CSV" in page
    answer = staff.get(f"/jobs/{job_id}/file")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="taps-20')
    assert answer.content_length == len(answer.data) == read(sessions, job_id).file_bytes
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    assert len(lines) == 9
    with sessions() as session:
        noted = session.scalars(
            select(AuditEntry.subject).where(AuditEntry.action == "export.taken")
        ).all()
    assert noted == [f"job:{job_id}"]


@pytest.mark.usefixtures("_short")
def test_a_list_that_is_not_long_comes_at_once(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for student in range(3):
            add_tap(session, school, student)
    answer = staff.get("/taps?export=csv")
    assert answer.status_code == 200
    assert answer.text.count("\r\n") == 4
    assert staff.get("/jobs").text.count("No background jobs yet") == 1


def test_a_list_that_is_read_in_batches_is_whole_at_once_too(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for _ in range(BATCH + 1):
            add_tap(session, school, None)
    assert staff.get("/taps?export=csv").text.count("\r\n") == BATCH + 2


def test_a_teacher_sees_their_own_jobs_and_an_administrator_all_of_the_school(
    staff: FlaskClient, teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        admins = add_job(session, school)
        teachers = add_job(session, school, _TEACHER)
        others = add_job(session, make_school(session, "no2"))
    for who, seen in ((staff, {admins, teachers}), (teacher, {teachers})):
        page = who.get("/jobs").text
        for job_id in (admins, teachers, others):
            assert (f'"/jobs/{job_id}"' in page) is (job_id in seen)
            status = 200 if job_id in seen else 404
            assert who.get(f"/jobs/{job_id}").status_code == status
            if status == 404:
                assert who.post(f"/jobs/{job_id}/cancel").status_code == 404
                assert read(sessions, job_id).state is JobState.QUEUED


def test_only_who_asked_takes_the_file(
    staff: FlaskClient, teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        job_id = add_job(session, school, _TEACHER, JobState.DONE)
    assert staff.get(f"/jobs/{job_id}/file").status_code == 404
    assert (
        "Only the person who asked for the file can download it."
        in staff.get(f"/jobs/{job_id}").text
    )
    assert teacher.get(f"/jobs/{job_id}/file").status_code == 200


def test_a_file_is_gone_after_a_day_and_the_page_says_so(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        job_id = add_job(session, school, state=JobState.DONE)
        ended = datetime.now(UTC) - timedelta(days=1, minutes=1)
        session.execute(update(Job).values(finished_at=ended))
    assert "is gone" in staff.get(f"/jobs/{job_id}").text
    assert staff.get(f"/jobs/{job_id}/file").status_code == 404
    assert f"/jobs/{job_id}/file" not in staff.get("/jobs").text


def test_a_job_is_cancelled_by_its_maker_and_by_an_administrator(
    staff: FlaskClient, teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        jobs = [add_job(session, school, _TEACHER) for _ in range(2)]
    for who, job_id in zip((staff, teacher), jobs, strict=True):
        assert "Cancel this job" in who.get(f"/jobs/{job_id}").text
        assert who.post(f"/jobs/{job_id}/cancel").status_code == 302
        assert read(sessions, job_id).state is JobState.CANCELLED
        assert "Cancel this job" not in who.get(f"/jobs/{job_id}").text


def test_progress_is_shown_and_the_page_asks_again_until_the_end(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        job_id = add_job(session, school, state=JobState.RUNNING)
        session.execute(update(Job).values(done=30, total=120))
    part = staff.get(f"/jobs/{job_id}", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "30 / 120" in part
    assert f'hx-get="/jobs/{job_id}"' in part
    with sessions.begin() as session:
        ended = {"state": JobState.FAILED, "finished_at": datetime.now(UTC)}
        session.execute(update(Job).values(**ended, message="Too <much>."))
    part = staff.get(f"/jobs/{job_id}", headers={"HX-Request": "true"}).text
    assert "hx-get" not in part
    assert "Too &lt;much&gt;." in part


def test_what_has_ended_is_news_to_its_maker_until_they_look(
    staff: FlaskClient, teacher: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        done = add_job(session, school, state=JobState.DONE)
        add_job(session, school)
    assert "1 job is done" in staff.get("/jobs/news").text
    assert "job" not in teacher.get("/jobs/news").text
    with sessions.begin() as session:
        add_job(session, school, state=JobState.FAILED)
    assert "1 job failed" in staff.get("/jobs/news").text
    staff.get(f"/jobs/{done}")
    assert "1 job failed" in staff.get("/jobs/news").text
    staff.get("/jobs")
    assert "job" not in staff.get("/jobs/news").text


@pytest.mark.usefixtures("_short")
def test_the_sixth_long_list_is_refused_with_a_sentence(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for student in range(8):
            add_tap(session, school, student)
        for _ in range(5):
            add_job(session, school)
        session.execute(update(Job).values(parameters='{"list": "audit", "format": "csv"}'))
    answer = staff.get("/taps?export=csv")
    assert answer.status_code == 409
    assert "five background jobs" in answer.text

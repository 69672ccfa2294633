"""Whose turn it is: one job is done by one process, and by another when that has died."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.errors import AppError, Code
from card_server.jobs import queue
from card_server.jobs.pieces import keep_piece
from card_server.jobs.protocol import File, Progress, Result, RunningJob, Sessions
from card_server.jobs.queue import Claim, ask_for, claim, fail, find_alike, finish, renew
from card_server.storage.database import open_engine, open_sessions
from schema.messages import utc_now
from schema.tables.audit import AuditEntry
from schema.tables.jobs import Job, JobPart, JobPiece, JobState
from schema.tables.staff import Role
from tests.card_server.jobs.desk import SEAL, add_kind, ask, make_asker, read
from tests.card_server.web.small_school import SmallSchool, make_school

NOW = utc_now()
AFTER_LEASE = NOW + queue.LEASE + timedelta(seconds=1)
LATER = timedelta(seconds=1)


def _do_nothing(_sessions: Sessions, _job: RunningJob, _progress: Progress) -> Result:
    return Result()


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    add_kind(monkeypatch, _do_nothing)
    add_kind(monkeypatch, _do_nothing, "once", repeatable=False)


def _claim(sessions: sessionmaker[Session], now: datetime = NOW) -> Claim | None:
    with sessions.begin() as session:
        return claim(session, "here:1", now)


def _pieces(sessions: sessionmaker[Session], job_id: int, part: JobPart) -> int:
    with sessions() as session:
        wanted = select(func.count()).select_from(JobPiece)
        return session.scalar(wanted.where(JobPiece.job_id == job_id, JobPiece.part == part)) or 0


def test_jobs_are_claimed_once_each_in_the_order_in_which_they_were_asked_for(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    first, second = ask(sessions, school, "trial", {"a": 1}), ask(sessions, school, "trial")
    claims = [_claim(sessions) for _ in range(3)]
    assert [held and held.job_id for held in claims] == [first, second, None]
    assert claims[0]
    assert claims[0].parameters == {"a": 1}
    assert claims[0].roles == {Role.SCHOOL_ADMIN}
    assert read(sessions, first).worker == "here:1"


def test_two_processes_claim_two_jobs_and_neither_waits(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    sessions = open_sessions(engine)
    with sessions.begin() as session:
        school = make_school(session)
    jobs = [ask(sessions, school, "trial") for _ in range(2)]
    with sessions.begin() as one, sessions.begin() as other:
        held = [claim(session, "here", NOW) for session in (one, other)]
    engine.dispose()
    assert [one and one.job_id for one in held] == jobs


def test_a_job_whose_lease_ran_out_begins_anew_without_what_was_made(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    job = ask(sessions, school, "trial", handed_in=b"roster")
    lost = _claim(sessions)
    with sessions.begin() as session:
        keep_piece(session, SEAL, job, JobPart.RESULT, 0, b"half")
        assert lost
        assert renew(session.connection(), lost, 5, 10, NOW)
    assert _claim(sessions) is None
    again = _claim(sessions, AFTER_LEASE)
    assert again
    assert again.job_id == job
    assert _pieces(sessions, job, JobPart.RESULT) == 0
    assert _pieces(sessions, job, JobPart.INPUT) == 1
    assert (read(sessions, job).done, read(sessions, job).total) == (0, None)
    with sessions.begin() as session:
        assert not renew(session.connection(), lost, 6, 10, AFTER_LEASE)
        assert not finish(session, lost, Result(), 0, AFTER_LEASE)
        fail(session, lost, Result("No."), AFTER_LEASE)
    assert read(sessions, job).state is JobState.RUNNING


def test_progress_keeps_the_lease(sessions: sessionmaker[Session], school: SmallSchool) -> None:
    ask(sessions, school, "trial")
    held = _claim(sessions)
    assert held
    with sessions.begin() as session:
        renew(session.connection(), held, 1, 2, AFTER_LEASE - 2 * LATER)
    assert _claim(sessions, AFTER_LEASE) is None


def test_what_may_not_begin_anew_fails_and_says_so(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    job = ask(sessions, school, "once", handed_in=b"x")
    assert _claim(sessions)
    assert _claim(sessions, AFTER_LEASE) is None
    ended = read(sessions, job)
    assert ended.state is JobState.FAILED
    assert "stopped" in ended.message
    assert _pieces(sessions, job, JobPart.INPUT) == 0


def test_a_job_that_kills_each_process_fails_at_last(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    job, now = ask(sessions, school, "trial"), NOW
    for _ in range(3):
        assert _claim(sessions, now)
        now += queue.LEASE + LATER
    assert _claim(sessions, now) is None
    assert read(sessions, job).state is JobState.FAILED


def test_a_kind_that_this_release_does_not_know_fails(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    job = ask(sessions, school, "trial")
    with sessions.begin() as session:
        session.get_one(Job, job).kind = "of-old"
    assert _claim(sessions) is None
    assert read(sessions, job).state is JobState.FAILED


def test_cancelling_ends_a_job_whatever_it_was_doing(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    job = ask(sessions, school, "trial", handed_in=b"x")
    held = _claim(sessions)
    assert held
    with sessions.begin() as session:
        queue.cancel(session, session.get_one(Job, job), make_asker(session, school).actor, NOW)
    with sessions.begin() as session:
        assert not renew(session.connection(), held, 1, 2, NOW)
        assert not finish(session, held, Result(), 0, NOW)
    assert read(sessions, job).state is JobState.CANCELLED
    assert _pieces(sessions, job, JobPart.INPUT) == 0
    with sessions() as session:
        noted = session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert noted == ["job.asked", "job.cancelled"]


def test_what_has_ended_cannot_be_cancelled(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    job = ask(sessions, school, "trial")
    held = _claim(sessions)
    assert held
    with sessions.begin() as session:
        assert finish(session, held, Result(file=File("a.csv", "text/csv", 3)), 9, NOW)
    with sessions.begin() as session:
        queue.cancel(session, session.get_one(Job, job), make_asker(session, school).actor, NOW)
    ended = read(sessions, job)
    assert (ended.state, ended.file_name, ended.file_rows) == (JobState.DONE, "a.csv", 3)


def test_one_person_has_five_jobs_under_way_at_most(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    for _ in range(5):
        ask(sessions, school, "trial")
    with pytest.raises(AppError) as caught:
        ask(sessions, school, "trial")
    assert caught.value.code is Code.CONFLICT
    with sessions.begin() as session:
        other = make_school(session, "no2")
    ask(sessions, other, "trial")
    held = _claim(sessions)
    assert held
    with sessions.begin() as session:
        finish(session, held, Result(), 0, NOW)
    ask(sessions, school, "trial")


def test_the_same_is_asked_for_once_as_long_as_it_goes_on(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    job = ask(sessions, school, "trial", {"a": 1, "b": 2})
    with sessions() as session:
        asker = make_asker(session, school)
        assert find_alike(session, asker, "trial", {"b": 2, "a": 1}) == job
        assert find_alike(session, asker, "trial", {"a": 1}) is None
        assert find_alike(session, asker, "once", {"a": 1, "b": 2}) is None
    held = _claim(sessions)
    assert held
    with sessions.begin() as session:
        finish(session, held, Result(), 0, NOW)
    with sessions() as session:
        assert find_alike(session, asker, "trial", {"a": 1, "b": 2}) is None


def test_an_unknown_kind_cannot_be_asked_for(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session, pytest.raises(ValueError, match="no kind"):
        ask_for(session, make_asker(session, school), "nonsense", {}, NOW)


def test_files_go_after_a_day_and_jobs_after_a_month(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    jobs = [ask(sessions, school, "trial") for _ in range(3)]
    for job, days in zip(jobs, (0.9, 1.1, 31), strict=True):
        held = _claim(sessions)
        assert held
        with sessions.begin() as session:
            keep_piece(session, SEAL, job, JobPart.RESULT, 0, b"file")
            finish(session, held, Result(), 4, NOW - timedelta(days=days))
    with sessions.begin() as session:
        queue.forget_old(session, NOW)
    assert [_pieces(sessions, job, JobPart.RESULT) for job in jobs] == [1, 0, 0]
    with sessions() as session:
        assert session.scalars(select(Job.id).order_by(Job.id)).all() == jobs[:2]

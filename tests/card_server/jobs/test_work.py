"""Jobs are done, and whatever happens to one is told and hurts no other."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import note
from card_server.errors import AppError, Code
from card_server.jobs.pieces import PIECE_BYTES, read_pieces
from card_server.jobs.protocol import File, Progress, Result, RunningJob, Sessions
from card_server.jobs.queue import ask_for, cancel
from card_server.jobs.work import Worker, working
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant, narrow
from schema.messages import utc_now
from schema.tables.audit import AuditEntry
from schema.tables.jobs import Job, JobPart, JobPiece, JobState
from schema.tables.people import Language, Student
from schema.tables.school import School
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.jobs.desk import SEAL, add_kind, ask, at_work, do_next, make_asker, read
from tests.card_server.web.small_school import SmallSchool
from tests.harness.waiting import wait_for


def test_a_job_gets_its_input_and_parameters_and_its_file_is_kept_sealed(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handed_in = bytes(range(256)) * 3000
    seen: list[RunningJob] = []

    def copy(_sessions: Sessions, job: RunningJob, progress: Progress) -> Result:
        seen.append(job)
        with job.open_input() as file:
            while body := file.read(100_000):
                progress.keep(body)
        return Result("%(rows)s rows", {"rows": 7}, File("copy.bin", "application/x", 7))

    add_kind(monkeypatch, copy)
    job_id = ask(sessions, school, "trial", {"a": [1]}, handed_in)
    assert do_next(engine)
    assert not do_next(engine)
    job = read(sessions, job_id)
    assert (job.state, job.file_bytes, job.file_rows) == (JobState.DONE, len(handed_in), 7)
    assert b"".join(read_pieces(sessions, SEAL, job_id, JobPart.RESULT)) == handed_in
    with sessions() as session:
        pieces = session.scalars(select(JobPiece)).all()
    assert {piece.part for piece in pieces} == {JobPart.RESULT}
    assert len(pieces) == -(-len(handed_in) // PIECE_BYTES)
    assert not any(handed_in[:64] in piece.body for piece in pieces)
    assert seen[0].parameters == {"a": [1]}
    assert seen[0].language is Language.ENGLISH
    assert seen[0].school.id == school.id
    assert [grant.role for grant in seen[0].grants] == [Role.SCHOOL_ADMIN]


def test_a_refusal_fails_the_job_with_its_sentence(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_sessions: Sessions, _job: RunningJob, progress: Progress) -> Result:
        progress.keep(b"x" * PIECE_BYTES)
        raise AppError(Code.INVALID, "Too much.")

    add_kind(monkeypatch, refuse)
    job_id = ask(sessions, school, "trial")
    assert do_next(engine)
    assert (read(sessions, job_id).state, read(sessions, job_id).message) == (
        JobState.FAILED,
        "Too much.",
    )
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(JobPiece)) == 0


def test_a_mistake_is_told_without_its_words_and_the_next_job_is_done(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_sessions: Sessions, _job: RunningJob, _progress: Progress) -> Result:
        raise ValueError("欧阳娜 13800138000")

    add_kind(monkeypatch, fail, "bad")
    add_kind(monkeypatch, lambda *_: Result(), "good")
    bad, good = ask(sessions, school, "bad"), ask(sessions, school, "good")
    with caplog.at_level(logging.DEBUG):
        assert do_next(engine)
    assert do_next(engine)
    assert read(sessions, bad).state is JobState.FAILED
    assert read(sessions, good).state is JobState.DONE
    said = capsys.readouterr()
    everything = said.out + said.err + caplog.text + read(sessions, bad).message
    assert "ValueError" in everything
    assert "欧阳娜" not in everything
    assert "13800138000" not in everything


def test_whoever_lost_their_right_gets_nothing(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[int] = []

    def do(_sessions: Sessions, job: RunningJob, _progress: Progress) -> Result:
        done.append(job.id)
        return Result()

    add_kind(monkeypatch, do)
    job_id = ask(sessions, school, "trial")
    with sessions.begin() as session:
        session.execute(update(Staff).values(disabled_at=utc_now()))
    assert do_next(engine)
    assert done == []
    assert read(sessions, job_id).state is JobState.FAILED


def test_a_job_can_do_no_more_than_the_roles_that_let_its_maker_ask(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_kind(monkeypatch, lambda *_: Result())
    job_id = ask(sessions, school, "trial")
    with sessions.begin() as session:
        session.get_one(Job, job_id).made_as = "auditor librarian"
    assert do_next(engine)
    assert read(sessions, job_id).state is JobState.FAILED


def test_a_job_of_the_district_is_its_staffs_alone_and_sees_no_schools_rows(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int | None] = []

    def look(sessions: Sessions, job: RunningJob, _progress: Progress) -> Result:
        with sessions.reading() as session:
            narrow(session, job.school.id, job.grants)
            seen.append(session.scalar(select(func.count()).select_from(Student)))
        return Result()

    add_kind(monkeypatch, look)
    roles = frozenset({Role.DISTRICT_ADMIN})
    with sessions.begin() as session:
        create_staff(
            session, None, "district", "周主任", Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)
        )
        session.flush()
        ours = make_asker(session, school, roles, "district")
        own = ask_for(session, replace(ours, school_id=0), "trial", {}, utc_now())
        schools = make_asker(session, school)
        other = ask_for(session, replace(schools, school_id=0), "trial", {}, utc_now())
    assert do_next(engine)
    assert do_next(engine)
    assert read(sessions, own).state is JobState.DONE
    assert read(sessions, other).state is JobState.FAILED
    assert seen == [0]


def test_what_a_job_changes_and_its_end_are_one_transaction(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rename(sessions: Sessions, job: RunningJob, progress: Progress) -> Result:
        result = Result("%(students)s students", {"students": 8})
        with sessions.writing.begin() as session:
            session.get_one(School, job.school.id).name = "第二中学"
            # On SQLite the transaction above holds the database: this must not wait for itself.
            progress(4, 8)
            note(session, job.school.id, job.actor, "school.changed", f"school:{job.school.id}")
            progress.settle(session, result)
        return result

    add_kind(monkeypatch, rename, repeatable=False)
    job_id = ask(sessions, school, "trial")
    assert do_next(engine)
    assert read(sessions, job_id).state is JobState.DONE
    assert read(sessions, job_id).message == "%(students)s students"
    with sessions() as session:
        assert session.get_one(School, school.id).name == "第二中学"
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert last
    assert (last.action, last.actor_kind, last.actor_id) == (
        "school.changed",
        "staff",
        read(sessions, job_id).made_by,
    )


def test_a_cancelled_job_changes_nothing_even_at_its_very_end(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rename(made: Sessions, job: RunningJob, progress: Progress) -> Result:
        with sessions.begin() as session:
            cancel(session, session.get_one(Job, job.id), job.actor, utc_now())
        with made.writing.begin() as session:
            session.get_one(School, job.school.id).name = "第二中学"
            progress.settle(session, Result())
        return Result()

    add_kind(monkeypatch, rename)
    job_id = ask(sessions, school, "trial")
    assert do_next(engine)
    assert read(sessions, job_id).state is JobState.CANCELLED
    with sessions() as session:
        assert session.get_one(School, school.id).name != "第二中学"


def test_a_cancelled_job_ends_at_its_next_sign_of_progress(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = threading.Event()

    def go_on(_sessions: Sessions, _job: RunningJob, progress: Progress) -> Result:
        done = 0
        while True:
            done += 1
            progress(done)
            begun.set()

    add_kind(monkeypatch, go_on)
    job_id = ask(sessions, school, "trial")
    with at_work(engine):
        assert begun.wait(10)
        with sessions.begin() as session:
            actor = make_asker(session, school).actor
            cancel(session, session.get_one(Job, job_id), actor, utc_now())
        add_kind(monkeypatch, lambda *_: Result(), "next")
        following = ask(sessions, school, "next")
        wait_for(lambda: read(sessions, following).state is JobState.DONE, 10, "the next job")
    assert read(sessions, job_id).state is JobState.CANCELLED


@pytest.mark.parametrize(
    ("repeatable", "state"), [(True, JobState.QUEUED), (False, JobState.FAILED)]
)
def test_a_process_that_ends_gives_its_job_back(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
    repeatable: bool,
    state: JobState,
) -> None:
    stop = threading.Event()

    def go_on(_sessions: Sessions, _job: RunningJob, progress: Progress) -> Result:
        progress(1, 9)
        stop.set()
        progress(2)
        raise AssertionError("it was told to end")

    add_kind(monkeypatch, go_on, repeatable=repeatable)
    job_id = ask(sessions, school, "trial")
    assert do_next(engine, stop)
    job = read(sessions, job_id)
    assert (job.state, job.attempts, job.lease) == (state, 0 if repeatable else 1, None)


def test_a_database_that_goes_away_leaves_the_job_to_its_lease(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fall(_sessions: Sessions, _job: RunningJob, _progress: Progress) -> Result:
        raise OperationalError("select", {}, Exception("gone"))

    add_kind(monkeypatch, fall)
    job_id = ask(sessions, school, "trial")
    with pytest.raises(OperationalError):
        do_next(engine)
    assert read(sessions, job_id).state is JobState.RUNNING


def test_a_worker_that_dies_ends_its_process(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> Iterator[None]:
        raise RuntimeError("broken")

    monkeypatch.setattr("card_server.jobs.work.is_something_to_do", die)
    stop = threading.Event()
    with pytest.raises(RuntimeError, match="broken"), working(Worker(engine, SEAL), stop):
        assert stop.wait(10)

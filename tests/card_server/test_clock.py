"""The clock's tasks, and the process that does them again and again."""

import base64
import threading
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from card_server import clock
from card_server.clock import end_idle_sessions, forget_old_asides, run
from card_server.config import Settings
from card_server.errors import AppError, Code
from card_server.jobs.kinds import KINDS
from card_server.jobs.protocol import Kind, Result
from card_server.staff.sessions import IDLE_END
from card_server.storage.database import open_engine
from card_server.storage.single import claim_role
from schema.messages import utc_now
from schema.tables.jobs import Job, JobState
from schema.tables.people import Language
from schema.tables.readers import Aside
from schema.tables.school import School
from schema.tables.staff import Role, Scope, Staff, StaffGrant, StaffSession
from tests.harness.ports import free_port
from tests.harness.waiting import wait_for


@pytest.fixture
def engine(engine: Engine) -> Engine:
    with Session(engine) as session, session.begin():
        session.add(School(id=1, code="no1", name="一中", signature="一中"))
        session.flush()
        session.add(
            Staff(
                id=1,
                school_id=1,
                login="a",
                name="a",
                password_hash="x",
            )
        )
    return engine


def settings_for(url: str, port: int = 0) -> Settings:
    return Settings.model_validate(
        {
            "database_url": url,
            "data_key": base64.b64encode(b"k" * 32),
            "web_secret": "x" * 32,
            "clock_health_port": port,
        }
    )


def put_sessions(engine: Engine, *ages: timedelta) -> None:
    now = utc_now()
    with Session(engine) as session, session.begin():
        for number, age in enumerate(ages):
            seen = now - age
            session.add(
                StaffSession(
                    token_hash=bytes([number] * 32), staff_id=1, created_at=seen, seen_at=seen
                )
            )


def put_asides(engine: Engine, *days: float) -> None:
    now = utc_now()
    with Session(engine) as session, session.begin():
        for number, age in enumerate(days):
            session.add(
                Aside(
                    topic=str(age),
                    reason="malformed",
                    body=b"",
                    digest=bytes([number] * 32),
                    received_at=now - timedelta(days=age),
                )
            )


def count(engine: Engine, table: type[Any]) -> int:
    with Session(engine) as session:
        return len(session.scalars(select(table)).all())


def test_idle_staff_are_logged_out_and_others_are_not(engine: Engine) -> None:
    minute = timedelta(minutes=1)
    put_sessions(engine, timedelta(), IDLE_END - minute, IDLE_END + minute, 9 * IDLE_END)
    with Session(engine) as session, session.begin():
        end_idle_sessions(session, utc_now())
    assert count(engine, StaffSession) == 2


def test_what_was_set_aside_goes_after_three_months(engine: Engine) -> None:
    put_asides(engine, 0, 89, 91, 400)
    with Session(engine) as session, session.begin():
        forget_old_asides(session, utc_now())
    with Session(engine) as session:
        assert session.scalars(select(Aside.topic).order_by(Aside.id)).all() == ["0", "89"]


def test_all_tasks_are_done_at_the_start_and_it_ends_at_once(
    engine: Engine, database_url: str
) -> None:
    put_sessions(engine, 2 * IDLE_END)
    put_asides(engine, 100)
    port, stop = free_port(), threading.Event()
    thread = threading.Thread(target=run, args=(settings_for(database_url, port), stop))
    thread.start()
    try:
        wait_for(lambda: count(engine, StaffSession) == count(engine, Aside) == 0)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as page:
            assert page.status == 200
    finally:
        stop.set()
        thread.join(5)
    assert not thread.is_alive()


def test_background_jobs_are_done_beside_the_tasks_and_go_in_time(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "trial", Kind(lambda *_: Result("Done."), "A trial", True))
    old = utc_now() - timedelta(days=40)
    with Session(engine) as session, session.begin():
        session.add(StaffGrant(staff_id=1, school_id=1, role=Role.SCHOOL_ADMIN, scope=Scope.SCHOOL))
        for state, ended in ((JobState.QUEUED, None), (JobState.DONE, old)):
            session.add(
                Job(
                    school_id=1,
                    kind="trial",
                    state=state,
                    parameters="{}",
                    language=Language.CHINESE,
                    made_by=1,
                    made_by_name="a",
                    made_as=Role.SCHOOL_ADMIN,
                    made_at=old,
                    changed_at=old,
                    finished_at=ended,
                )
            )
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(settings_for(database_url), stop))
    thread.start()

    def jobs() -> list[tuple[JobState, str]]:
        with Session(engine) as session:
            return [(job.state, job.message) for job in session.scalars(select(Job))]

    try:
        wait_for(lambda: jobs() == [(JobState.DONE, "Done.")])
    finally:
        stop.set()
        thread.join(5)
    assert not thread.is_alive()


def test_a_task_is_done_again_when_it_is_due(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = clock.Task(end_idle_sessions, timedelta(milliseconds=50))
    monkeypatch.setattr(clock, "TASKS", (task,))
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(settings_for(database_url), stop))
    thread.start()
    try:
        for _ in range(2):
            put_sessions(engine, 2 * IDLE_END)
            wait_for(lambda: count(engine, StaffSession) == 0)
    finally:
        stop.set()
        thread.join(5)
    assert not thread.is_alive()


def test_a_database_that_is_away_puts_a_task_off(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/gone/campus.db")
    wait = clock._do(clock.TASKS[0], Session(engine))
    assert wait == timedelta(seconds=5)


def test_a_second_clock_on_sqlite_refuses(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with claim_role(engine, "clock"), pytest.raises(AppError) as caught:
        run(settings_for(sqlite_url), threading.Event())
    assert caught.value.code is Code.CONFLICT
    engine.dispose()

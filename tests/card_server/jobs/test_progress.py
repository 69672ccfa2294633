"""A job may say how far it is as often as it likes: it is written now and then."""

import threading

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from card_server.jobs.pieces import PIECE_BYTES, read_pieces
from card_server.jobs.progress import EACH_S, JobProgress
from card_server.jobs.protocol import Result, StoppedError
from card_server.jobs.queue import Claim, claim
from schema.messages import utc_now
from schema.tables.jobs import Job, JobPart
from tests.card_server.jobs.desk import SEAL, add_kind, ask, read
from tests.card_server.web.small_school import SmallSchool


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def held(
    sessions: sessionmaker[Session], school: SmallSchool, monkeypatch: pytest.MonkeyPatch
) -> Claim:
    add_kind(monkeypatch, lambda *_: Result())
    ask(sessions, school, "trial")
    with sessions.begin() as session:
        found = claim(session, "here", utc_now())
    assert found
    return found


def _progress(
    engine: Engine, sessions: sessionmaker[Session], held: Claim, clock: HandClock
) -> JobProgress:
    return JobProgress(engine, sessions, SEAL, held, threading.Event(), clock)


def test_it_is_written_at_most_twice_a_second_and_remembers_the_total(
    engine: Engine, sessions: sessionmaker[Session], held: Claim
) -> None:
    clock = HandClock()
    progress = _progress(engine, sessions, held, clock)
    progress(1, 100)
    assert (read(sessions, held.job_id).done, read(sessions, held.job_id).total) == (1, 100)
    progress(2)
    assert read(sessions, held.job_id).done == 1
    clock.seconds = EACH_S
    progress(3)
    assert (read(sessions, held.job_id).done, read(sessions, held.job_id).total) == (3, 100)


def test_a_busy_sqlite_costs_a_sign_of_progress_and_no_more(
    sqlite_url: str, engine: Engine, sessions: sessionmaker[Session], held: Claim
) -> None:
    clock = HandClock()
    progress = _progress(engine, sessions, held, clock)
    with sessions.begin() as session:
        session.get_one(Job, held.job_id).worker = "busy"
        session.flush()
        if engine.dialect.name == "sqlite":
            progress(5, 10)
    clock.seconds = EACH_S
    progress(6, 10)
    assert read(sessions, held.job_id).done == 6
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
            assert waits == 10_000, "a connection went back impatient"


def test_bytes_are_kept_in_pieces_and_the_rest_at_the_end(
    engine: Engine, sessions: sessionmaker[Session], held: Claim
) -> None:
    progress = _progress(engine, sessions, held, HandClock())
    whole = bytes(i % 251 for i in range(PIECE_BYTES + 1000))
    for begin in range(0, len(whole), 10_007):
        progress.keep(whole[begin : begin + 10_007])
    assert len(list(read_pieces(sessions, SEAL, held.job_id, JobPart.RESULT))) == 1
    progress.end_file()
    assert b"".join(read_pieces(sessions, SEAL, held.job_id, JobPart.RESULT)) == whole
    assert progress.file_bytes == len(whole)


def test_who_has_lost_the_job_can_neither_go_on_nor_keep_anything(
    engine: Engine, sessions: sessionmaker[Session], held: Claim
) -> None:
    progress = _progress(engine, sessions, held, HandClock())
    with sessions.begin() as session:
        session.get_one(Job, held.job_id).lease = None
    with pytest.raises(StoppedError):
        progress(1)
    with pytest.raises(StoppedError):
        progress.keep(bytes(PIECE_BYTES))
    with sessions.begin() as session, pytest.raises(StoppedError):
        progress.settle(session, Result())
    assert list(read_pieces(sessions, SEAL, held.job_id, JobPart.RESULT)) == []

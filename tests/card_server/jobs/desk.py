"""Somebody who asks for jobs, and kinds of jobs that a test makes up."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import Actor
from card_server.jobs.kinds import KINDS
from card_server.jobs.protocol import Kind, Progress, Result, RunningJob, Sessions
from card_server.jobs.queue import Asker, ask_for
from card_server.jobs.work import Worker
from card_server.storage.sealing import Seal
from schema.messages import utc_now
from schema.tables.jobs import Job
from schema.tables.people import Language
from schema.tables.staff import Role, Staff
from tests.card_server.web.small_school import SmallSchool

SEAL = Seal(bytes(32))
Doing = Callable[[Sessions, RunningJob, Progress], Result]


def make_asker(
    session: Session,
    school: SmallSchool,
    roles: frozenset[Role] = frozenset({Role.SCHOOL_ADMIN}),
    login: str | None = None,
) -> Asker:
    """The school's administrator, or whoever has this login, at the desk."""
    who = session.scalars(select(Staff).where(Staff.login == (login or school.login))).one()
    actor = Actor("staff", who.id, who.name, "127.0.0.1")
    return Asker(school.id, actor, who.id, who.name, roles, Language.ENGLISH)


def ask(
    sessions: sessionmaker[Session],
    school: SmallSchool,
    kind: str,
    parameters: Mapping[str, Any] | None = None,
    handed_in: bytes | None = None,
    now: datetime | None = None,
) -> int:
    """The id of a new job of the school's administrator."""
    with sessions.begin() as session:
        return ask_for(
            session,
            make_asker(session, school),
            kind,
            parameters or {},
            now or utc_now(),
            (SEAL, handed_in) if handed_in is not None else None,
        )


def add_kind(
    monkeypatch: pytest.MonkeyPatch, doing: Doing, name: str = "trial", repeatable: bool = True
) -> None:
    """A kind of job that does this."""
    monkeypatch.setitem(KINDS, name, Kind(doing, "A trial", is_repeatable=repeatable))


def do_next(engine: Engine, stop: threading.Event | None = None) -> bool:
    """What a clock process does: the next job, whether there was one."""
    return Worker(engine, SEAL).do_next(stop or threading.Event())


def read(sessions: sessionmaker[Session], job_id: int) -> Job:
    """The job's row as it is now."""
    with sessions() as session:
        return session.get_one(Job, job_id)


@contextmanager
def at_work(engine: Engine) -> Iterator[None]:
    """A worker on its thread, as in the clock process."""
    stop = threading.Event()
    thread = threading.Thread(target=Worker(engine, SEAL).work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()

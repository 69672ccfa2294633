"""The loop that does jobs, one at a time: one thread in each clock process."""

import os
import socket
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from card_server.errors import AppError
from card_server.field_errors import marked as _
from card_server.figures import clock as figures
from card_server.jobs.kinds import KINDS
from card_server.jobs.pieces import open_input
from card_server.jobs.progress import JobProgress
from card_server.jobs.protocol import Result, RunningJob, Sessions, StoppedError
from card_server.jobs.queue import Claim, claim, fail, finish, give_back, is_something_to_do
from card_server.jobs.reach import actor_of, find_grants, find_school
from card_server.storage.database import open_sessions
from card_server.storage.sealing import Seal
from schema.messages import utc_now

POLL_S: Final = 0.5
_DATABASE_RETRY_S: Final = 2.0
_DATABASE_GONE = (OperationalError, InterfaceError)
_FAULT = Result(
    _("The server made a mistake while it did this. Tell whoever runs it; its log says more.")
)


_log = structlog.get_logger()


class Worker:
    """One process's jobs."""

    def __init__(self, engine: Engine, seal: Seal) -> None:
        reading = open_sessions(engine.execution_options(read_only=True))
        self._engine = engine
        self._sessions = Sessions(reading, open_sessions(engine))
        self._seal = seal
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    def work(self, stop: threading.Event) -> None:
        """Until `stop`; the job that is being done then goes back to the queue."""
        while not stop.is_set():
            try:
                has_worked = self.do_next(stop)
            except _DATABASE_GONE as error:
                # Whose job it was finds its lease run out, and begins anew.
                _log.warning("the database is away", error=type(error).__name__)
                stop.wait(_DATABASE_RETRY_S)
            else:
                if not has_worked:
                    stop.wait(POLL_S)

    def do_next(self, stop: threading.Event) -> bool:
        """Do the next job, if there is one; whether there was."""
        with self._engine.connect().execution_options(read_only=True) as connection:
            if not is_something_to_do(connection, utc_now()):
                return False
        with self._sessions.writing.begin() as session:
            held = claim(session, self._name, utc_now())
        if held is None:
            return False
        self._do(held, stop)
        return True

    def _do(self, held: Claim, stop: threading.Event) -> None:
        progress = JobProgress(self._engine, self._sessions.writing, self._seal, held, stop)
        try:
            result = self._run(held, progress)
            progress.end_file()
        except StoppedError:
            self._give_back(held, stop)
        except AppError as error:
            self._fail(held, Result(error.message), "refused")
        except _DATABASE_GONE:
            raise
        except Exception as error:
            # The error's own words may hold what the job worked on: names and numbers.
            where = traceback.extract_tb(error.__traceback__)[-1]
            _log.error(
                "a job failed",
                job=held.job_id,
                kind=held.kind,
                error=type(error).__name__,
                where=f"{where.filename}:{where.lineno}",
            )
            self._fail(held, _FAULT, "fault")
        else:
            if not progress.is_settled:
                with self._sessions.writing.begin() as session:
                    finish(session, held, result, progress.file_bytes, utc_now())
            figures.JOBS.labels(held.kind, "done").inc()

    def _run(self, held: Claim, progress: JobProgress) -> Result:
        with self._sessions.reading() as session:
            school, grants = find_school(session, held), find_grants(session, held)
        job = RunningJob(
            held.job_id,
            school,
            held.parameters,
            held.language,
            actor_of(held),
            grants,
            partial(open_input, self._sessions.reading, self._seal, held.job_id),
            self._seal,
        )
        return KINDS[held.kind].run(self._sessions, job, progress)

    def _fail(self, held: Claim, why: Result, outcome: str) -> None:
        with self._sessions.writing.begin() as session:
            fail(session, held, why, utc_now())
        figures.JOBS.labels(held.kind, outcome).inc()

    def _give_back(self, held: Claim, stop: threading.Event) -> None:
        """Somebody cancelled it or has taken it over, or else this process ends."""
        if stop.is_set():
            with self._sessions.writing.begin() as session:
                give_back(session, held, utc_now())


@contextmanager
def working(worker: Worker, stop: threading.Event) -> Iterator[None]:
    """Do jobs on a thread of its own while the block runs; if either ends, `stop` is set."""

    def work() -> None:
        try:
            worker.work(stop)
        finally:
            stop.set()

    with ThreadPoolExecutor(1, "jobs") as pool:
        ended = pool.submit(work)
        try:
            yield
        finally:
            stop.set()
        ended.result()

"""The clock process: what has to happen at a time rather than at a tap, and long work."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import delete
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.begin_days import begin_days
from card_server.attendance.closing import close_over_night
from card_server.attendance.deadlines import judge_due
from card_server.attendance.tap_pairs import find_pairs
from card_server.audit.details import seal_details
from card_server.cards.expiry import expire_cards
from card_server.config import Settings
from card_server.figures import clock as figures
from card_server.health import check_database, serve_health
from card_server.imports.roster.staging import forget_expired as forget_expired_rosters
from card_server.jobs.queue import forget_old as forget_old_jobs
from card_server.jobs.work import Worker, working
from card_server.staff.sessions import IDLE_END
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.sealing import Seal
from card_server.storage.single import claim_role
from schema.messages import utc_now
from schema.tables.readers import Aside
from schema.tables.staff import StaffSession

_log = structlog.get_logger()
_ASIDE_KEPT = timedelta(days=90)
_RETRY_S = 5.0


def end_idle_sessions(session: Session, now: datetime) -> None:
    """Staff who left a browser open are logged out."""
    session.execute(delete(StaffSession).where(StaffSession.seen_at < now - IDLE_END))


def forget_old_asides(session: Session, now: datetime) -> None:
    """What nobody looked at for three months goes: it may hold children's card numbers."""
    session.execute(delete(Aside).where(Aside.received_at < now - _ASIDE_KEPT))


class Task(NamedTuple):
    """Something to do again and again; harmless when two clock processes do it."""

    do: Callable[[Session, datetime], None]
    every: timedelta


TASKS = (
    Task(end_idle_sessions, timedelta(minutes=5)),
    Task(expire_cards, timedelta(minutes=1)),
    Task(begin_days, timedelta(minutes=1)),
    Task(judge_due, timedelta(seconds=5)),
    Task(close_over_night, timedelta(minutes=10)),
    Task(find_pairs, timedelta(minutes=1)),
    Task(forget_old_asides, timedelta(hours=6)),
    Task(forget_old_jobs, timedelta(minutes=10)),
    Task(forget_expired_rosters, timedelta(minutes=10)),
)


def run(settings: Settings, stop: threading.Event) -> None:
    """Do each task when it is due, and beside them the background jobs, until `stop`.

    Raises AppError when SQLite has a clock already.
    """
    engine = seal_details(open_engine(settings.database_url), settings.data_key)
    worker = Worker(engine, Seal(settings.data_key))
    try:
        with claim_role(engine, "clock"):
            health = serve_health(settings.clock_health_port, {"database": check_database(engine)})
            try:
                with working(worker, stop):
                    _do_tasks(open_sessions(engine), stop)
            finally:
                health.shutdown()
                health.server_close()
    finally:
        engine.dispose()


def _do_tasks(sessions: sessionmaker[Session], stop: threading.Event) -> None:
    due = {task: utc_now() for task in TASKS}
    while not stop.is_set():
        task = min(TASKS, key=lambda one: due[one])
        if stop.wait(max(0.0, (due[task] - utc_now()).total_seconds())):
            return
        due[task] = utc_now() + _do(task, sessions())


def _do(task: Task, session: Session) -> timedelta:
    """Do a task; how long until the next time."""
    try:
        with session:
            task.do(session, utc_now())
            session.commit()
    except (OperationalError, InterfaceError) as error:
        _log.warning("the database is away", error=type(error).__name__)
        return timedelta(seconds=_RETRY_S)
    figures.TASKS.labels(task.do.__name__).inc()
    return task.every

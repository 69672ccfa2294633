"""The clock process: what has to happen at a time rather than at a tap."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from prometheus_client import Counter
from sqlalchemy import delete
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from card_server.config import Settings
from card_server.health import check_database, serve_health
from card_server.staff.sessions import IDLE_END
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.single import claim_role
from schema.messages import utc_now
from schema.tables.readers import Aside
from schema.tables.staff import StaffSession

_log = structlog.get_logger()
_DONE = Counter("clock_tasks_total", "Tasks that the clock has done", ["task"])
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
    Task(forget_old_asides, timedelta(hours=6)),
)


def run(settings: Settings, stop: threading.Event) -> None:
    """Do each task when it is due until `stop`. Raises AppError when SQLite has a clock already."""
    engine = open_engine(settings.database_url)
    sessions = open_sessions(engine)
    due = {task: utc_now() for task in TASKS}
    try:
        with claim_role(engine, "clock"):
            health = serve_health(settings.clock_health_port, {"database": check_database(engine)})
            try:
                while not stop.is_set():
                    task = min(TASKS, key=lambda one: due[one])
                    if stop.wait(max(0.0, (due[task] - utc_now()).total_seconds())):
                        return
                    due[task] = utc_now() + _do(task, sessions())
            finally:
                health.shutdown()
                health.server_close()
    finally:
        engine.dispose()


def _do(task: Task, session: Session) -> timedelta:
    """Do a task; how long until the next time."""
    try:
        with session:
            task.do(session, utc_now())
            session.commit()
    except (OperationalError, InterfaceError) as error:
        _log.warning("the database is away", error=type(error).__name__)
        return timedelta(seconds=_RETRY_S)
    _DONE.labels(task.do.__name__).inc()
    return task.every

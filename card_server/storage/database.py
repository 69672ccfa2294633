"""The database: an engine for either kind, and sessions on it."""

import select
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, sessionmaker

from card_server.register import version as _register  # noqa: F401 - watches every session from here on

_KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""In seconds, and how often: within a minute of a server that is gone without a word, by its power
or its network, its connections have ended."""
_BY_KEY = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"


def open_engine(url: str, *, by_key_only: bool = False) -> Engine:
    """An engine; SQLite gets WAL, full sync, foreign keys and real transactions.

    A process that asks `by_key_only` tells PostgreSQL so: a plan that was made and kept while a
    table was small would otherwise read the whole table for each batch when it has grown. Such a
    process tries again anyway when its connection was cut, so nobody looks before each batch.
    """
    arguments: dict[str, Any] = {}
    if url.startswith("postgresql"):
        options = f"-c timezone=UTC -c jit=off {_BY_KEY if by_key_only else ''}"
        arguments = {"options": options, **_KEEPALIVES}
    engine = create_engine(url, hide_parameters=True, connect_args=arguments)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    elif not by_key_only:
        event.listen(engine, "checkout", _refuse_if_ended)
    return engine


def open_sessions(engine: Engine) -> sessionmaker[Session]:
    """A maker of sessions; `with sessions.begin() as session:` is one transaction."""
    return sessionmaker(engine, expire_on_commit=False)


def open_reading_sessions(engine: Engine) -> sessionmaker[Session]:
    """A maker of sessions that only read: they keep nobody waiting, and refuse to write.

    On SQLite they do not wait for whoever writes. On PostgreSQL each query stands alone: in a
    transaction it would see no more, and beginning and ending one costs two round trips each time.
    """
    options: dict[str, Any] = {"read_only": True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "AUTOCOMMIT"
    sessions = open_sessions(engine.execution_options(**options))
    event.listen(sessions, "before_flush", _refuse_to_write)
    return sessions


def _refuse_if_ended(connection: psycopg.Connection, *_: object) -> None:
    """Let the pool open another connection in the place of one that the server has ended.

    A server that ends one says so or closes its end, and either can be read; of one that is gone
    without a word the keepalives tell. `pool_pre_ping` would ask the server each time, and a page
    takes three connections.
    """
    line = select.poll()
    line.register(connection.fileno(), select.POLLIN)
    if line.poll(0):
        raise DisconnectionError("The server has ended this connection.")


def _refuse_to_write(session: Session, *_: object) -> None:
    changed = [one for one in session.dirty if session.is_modified(one)]
    if changed or session.new or session.deleted:
        raise RuntimeError("A session for reading was asked to write.")


def _prepare_sqlite(connection, _record) -> None:  # type: ignore[no-untyped-def]
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection) -> None:  # type: ignore[no-untyped-def]
    """A transaction that reads and then writes must not meet another writer half-way."""
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

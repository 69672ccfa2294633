"""On SQLite each role runs once; on PostgreSQL each process takes a free place of its role."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from card_server.errors import AppError, Code

_PLACES = 32
"""Processes of one role at most."""
_LOCKS = {"ingest": 0x696E67, "notify": 0x6E6F74, "clock": 0x636C6F}
"""PostgreSQL advisory locks: (role, place)."""


@contextmanager
def claim_role(engine: Engine, role: str) -> Iterator[int]:
    """The place of this process among those of its role, from 1, held until the end of the block.

    Raises AppError(CONFLICT) when there is none left: on SQLite, from the second process on.
    """
    if engine.dialect.name == "sqlite":
        yield from _claim_file(Path(str(make_url(engine.url).database)), role)
    else:
        yield from _claim_lock(engine, role)


def _claim_file(database: Path, role: str) -> Iterator[int]:
    path = database.with_name(f"{database.name}.{role}.lock")
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AppError(
                Code.CONFLICT,
                f"Another `card-server {role}` works on {database}. SQLite allows one;"
                " stop it first, or use PostgreSQL to run several.",
            ) from error
        yield 1


def _claim_lock(engine: Engine, role: str) -> Iterator[int]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for place in range(1, _PLACES + 1):
            parameters = {"role": _LOCKS[role], "place": place}
            if connection.scalar(text("SELECT pg_try_advisory_lock(:role, :place)"), parameters):
                try:
                    yield place
                finally:
                    # A database that was restarted meanwhile has let go of the lock itself.
                    with suppress(OperationalError):
                        connection.execute(
                            text("SELECT pg_advisory_unlock(:role, :place)"), parameters
                        )
                return
    raise AppError(Code.CONFLICT, f"{_PLACES} `card-server {role}` processes run already.")

"""How one running job says how far it is, and hands over what it makes."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from card_server.jobs.pieces import PIECE_BYTES, keep_piece
from card_server.jobs.protocol import Result, StoppedError
from card_server.jobs.queue import Claim, finish, remember, renew
from card_server.storage.sealing import Seal
from schema.messages import utc_now
from schema.tables.jobs import JobPart

EACH_S: Final = 0.5
"""How often progress is written at most; each time is a transaction."""
_PATIENCE_MS: Final = 100
_USUAL_PATIENCE_MS: Final = 10_000
"""As storage/database.py sets it."""


class JobProgress:
    """The Progress of one claim."""

    def __init__(
        self,
        engine: Engine,
        writing: sessionmaker[Session],
        seal: Seal,
        held: Claim,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_settled = False
        self.file_bytes = 0
        self._engine = engine
        self._writing = writing
        self._seal = seal
        self._held = held
        self._stop = stop
        self._clock = clock
        self._written_at = float("-inf")
        self._done = 0
        self._total: int | None = None
        self._pieces = 0
        self._kept = bytearray()

    def __call__(self, done: int, total: int | None = None) -> None:
        self._done, self._total = done, self._total if total is None else total
        if self._stop.is_set():
            raise StoppedError
        if self._clock() - self._written_at >= EACH_S:
            self._write()

    def keep(self, body: bytes) -> None:
        self._kept += body
        while len(self._kept) >= PIECE_BYTES:
            self._keep_piece(bytes(self._kept[:PIECE_BYTES]))
            del self._kept[:PIECE_BYTES]
            if self._stop.is_set():
                raise StoppedError

    def remember(self, session: Session, **values: int | str) -> None:
        if not remember(session, self._held, values, utc_now()):
            raise StoppedError

    def settle(self, session: Session, result: Result) -> None:
        if not finish(session, self._held, result, self.file_bytes, utc_now()):
            raise StoppedError
        self.is_settled = True

    def end_file(self) -> None:
        """Keep what `keep` still holds back."""
        if self._kept:
            self._keep_piece(bytes(self._kept))
            self._kept.clear()

    def _keep_piece(self, body: bytes) -> None:
        with self._writing.begin() as session:
            if not renew(session.connection(), self._held, self._done, self._total, utc_now()):
                raise StoppedError
            job_id = self._held.job_id
            keep_piece(session, self._seal, job_id, JobPart.RESULT, self._pieces, body)
        self._written_at = self._clock()
        self._pieces += 1
        self.file_bytes += len(body)

    def _write(self) -> None:
        """Where the job's own transaction holds SQLite, the sign of progress is left out."""
        try:
            with _impatient(self._engine) as connection:
                is_ours = renew(connection, self._held, self._done, self._total, utc_now())
                connection.commit()
        except OperationalError:
            if self._engine.dialect.name != "sqlite":
                raise
        else:
            if not is_ours:
                raise StoppedError
        self._written_at = self._clock()


@contextmanager
def _impatient(engine: Engine) -> Iterator[Connection]:
    """A connection that on SQLite does not wait for whoever writes: that may be this very job."""
    if engine.dialect.name != "sqlite":
        with engine.connect() as connection:
            yield connection
        return
    with engine.connect().execution_options(read_only=True) as connection:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MS}")
        try:
            yield connection
        finally:
            connection.rollback()
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_USUAL_PATIENCE_MS}")

"""The spool: every tap that was answered, on disk until the server's acknowledgement names it."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple
from uuid import UUID

import structlog
import uuid_utils

from reader_daemon.cardlist import Judgement
from reader_daemon.clocks import uptime
from reader_daemon.record import Kept, pack, unpack
from reader_daemon.repair import is_sound, lost_from_wal, read_wal, salvage
from schema.messages import Rejection, Tap

_log = structlog.get_logger()

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS waiting (n INTEGER PRIMARY KEY, id BLOB UNIQUE, record BLOB);
CREATE TABLE IF NOT EXISTS aside (id BLOB PRIMARY KEY, reason TEXT, record BLOB);
CREATE TABLE IF NOT EXISTS start (only INTEGER PRIMARY KEY CHECK (only = 1), boot INTEGER);
"""
_BUSY_S: Final = 5
_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class NotKeptError(Exception):
    """The tap is not on disk: nobody may be told that it is."""


class SpoolBrokenError(Exception):
    """The file was damaged while it was open; the next start salvages what is in it."""


class Counts(NamedTuple):
    """How the spool stands."""

    waiting: int
    aside: int
    oldest_at: datetime | None
    """When the longest waiting tap was made."""


class Spool:
    """Opened once per process. `keep` is the reader thread's, everything else is the link's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Both connections write, and SQLite lets only one: waiting here beats its polling.
        self._writing = threading.Lock()
        wal = read_wal(path)
        self._writer = self._open_or_repair()
        lost = lost_from_wal(self._writer, wal)
        self._sender = _connect(path)
        # A lost deletion is only sent again, so the link need not wait for the disk.
        self._sender.execute("PRAGMA synchronous=NORMAL")
        self.boot = max(self._last_boot() + 1, int(time.time()))
        self._seq = 0
        self._boot_is_stored = False
        self._take_back(lost)
        # On a full disk the first tap that is kept stores it.
        with suppress(sqlite3.OperationalError):
            with self._transaction(self._writer):
                self._store_boot()
            self._boot_is_stored = True

    def keep(self, uid: str, atr: str, tapped_at: datetime, judged: Judgement) -> Kept:
        """The tap, once it is synced to disk. Raises NotKeptError or SpoolBrokenError."""
        tap = Tap(
            id=UUID(bytes=uuid_utils.uuid7().bytes),
            boot=self.boot,
            seq=self._seq + 1,
            uid=uid,
            tapped_at=tapped_at,
            decision=judged.decision,
            reason=judged.reason,
            cards_version=judged.cards_version,
            atr=atr,
        )
        kept = Kept(tap, uptime())
        try:
            with self._transaction(self._writer):
                if not self._boot_is_stored:
                    self._store_boot()
                _insert(self._writer, [kept])
        except sqlite3.Error as error:
            raise _answer_to(error) from error
        self._boot_is_stored = True
        self._seq += 1
        return kept

    def waiting_ids(self) -> list[UUID]:
        """Every tap that is not acknowledged, in the order of keeping."""
        rows = self._sender.execute("SELECT id FROM waiting ORDER BY n")
        return [UUID(bytes=row[0]) for row in rows]

    def load(self, ids: Sequence[UUID]) -> list[Kept]:
        """The taps of these ids that are still waiting, in the order of keeping."""
        rows = self._sender.execute(
            f"SELECT record FROM waiting WHERE id IN ({_marks(ids)}) ORDER BY n",  # noqa: S608
            [tap_id.bytes for tap_id in ids],
        )
        return [unpack(row[0]) for row in rows]

    def forget(self, ids: Sequence[UUID]) -> None:
        """Let acknowledged taps go. Raises sqlite3.OperationalError on a full disk."""
        with self._transaction(self._sender):
            self._sender.executemany(
                "DELETE FROM waiting WHERE id = ?", [(tap_id.bytes,) for tap_id in ids]
            )

    def set_aside(self, tap_id: UUID, reason: Rejection) -> None:
        """Keep a rejected tap apart, for people; it is not sent again."""
        with self._transaction(self._sender):
            self._sender.execute(
                "INSERT OR IGNORE INTO aside SELECT id, ?, record FROM waiting WHERE id = ?",
                (reason.value, tap_id.bytes),
            )
            self._sender.execute("DELETE FROM waiting WHERE id = ?", (tap_id.bytes,))

    def counts(self) -> Counts:
        """How many taps wait, how many were set aside, and since when the oldest waits."""
        waiting, aside = self._sender.execute(
            "SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM aside)"
        ).fetchone()
        oldest = self._sender.execute("SELECT record FROM waiting ORDER BY n LIMIT 1").fetchone()
        return Counts(waiting, aside, unpack(oldest[0]).tap.tapped_at if oldest else None)

    def tidy(self) -> None:
        """Move what was written from the log into the file, beside the reader thread."""
        # A full disk: the log serves as well, and the next time may do.
        with suppress(sqlite3.OperationalError):
            self._sender.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Both connections; what was kept stays."""
        self._sender.close()
        self._writer.close()

    def _open_or_repair(self) -> sqlite3.Connection:
        whole = _open_whole(self._path)
        if whole:
            return whole
        found = salvage(self._path)
        connection = _connect(self._path)
        connection.executescript(_TABLES)
        with self._transaction(connection):
            _insert(connection, found.taps)
            connection.execute("REPLACE INTO start VALUES (1, ?)", (found.boot,))
        _log.error("spool_salvaged", taps=len(found.taps), broken_file=found.broken.name)
        return connection

    def _store_boot(self) -> None:
        self._writer.execute("REPLACE INTO start VALUES (1, ?)", (self.boot,))

    def _last_boot(self) -> int:
        row = self._writer.execute("SELECT boot FROM start").fetchone()
        return row[0] if row else 0

    def _take_back(self, lost: list[Kept]) -> None:
        if not lost:
            return
        with self._transaction(self._writer):
            _insert(self._writer, lost)
        _log.error("spool_log_was_damaged", taps=len(lost))

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        with self._writing:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled back already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def free_mb(folder: Path) -> int:
    """Megabytes that the folder's disk has left."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize // 1_000_000


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        # Spool.tidy does it, so that no tap waits for it.
        connection.execute("PRAGMA wal_autocheckpoint=0")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _open_whole(path: Path) -> sqlite3.Connection | None:
    """The spool as it is, or None when the file is damaged; then nothing holds it open."""
    connection = None
    try:
        connection = _connect(path)
        if is_sound(connection):
            connection.executescript(_TABLES)
            return connection
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            raise
    if connection:
        connection.close()
    return None


def _insert(connection: sqlite3.Connection, taps: Iterable[Kept]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO waiting (id, record) VALUES (?, ?)",
        [(kept.tap.id.bytes, pack(kept)) for kept in taps],
    )


def _marks(ids: Sequence[UUID]) -> str:
    return ",".join("?" * len(ids))


def _is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGE


def _answer_to(error: sqlite3.Error) -> NotKeptError | SpoolBrokenError:
    return SpoolBrokenError(str(error)) if _is_damage(error) else NotKeptError(str(error))

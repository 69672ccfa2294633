"""The repair of a damaged spool: what can still be read goes on, the broken file stays beside.

Taps that were acknowledged before may come back to life here. That is right: they are sent again,
and the server knows their ids; a tap that is lost nobody could bring back.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from reader_daemon.record import Kept, find_records, unpack

_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_SALT: Final = 8


class Salvaged(NamedTuple):
    """What a broken spool still held."""

    taps: list[Kept]
    boot: int
    """The greatest boot that is seen in it; 0 if there is none."""
    broken: Path
    """Where the broken file went."""


def is_sound(connection: sqlite3.Connection) -> bool:
    """Whether the file's structure and every record in it are whole."""
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        return False
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    for table in {"waiting", "aside"} & tables:
        for row in connection.execute(f"SELECT id, record FROM {table}"):  # noqa: S608
            try:
                if unpack(row[1]).tap.id.bytes != row[0]:
                    return False
            except (ValueError, TypeError):
                return False
    return True


def salvage(path: Path) -> Salvaged:
    """Move the broken spool aside and return every whole record that its bytes contain."""
    broken = _free_name(path)
    data = b""
    for suffix in ("", "-wal"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            data += part.read_bytes()
            part.rename(broken.with_name(broken.name + suffix))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    found = {kept.tap.id: kept for kept in find_records(data)}
    taps = sorted(found.values(), key=lambda kept: (kept.tap.boot, kept.tap.seq))
    return Salvaged(taps, max((kept.tap.boot for kept in taps), default=0), broken)


def read_wal(path: Path) -> bytes:
    """The write-ahead log as a crash left it; empty after a clean stop."""
    with contextlib.suppress(FileNotFoundError):
        return path.with_name(path.name + "-wal").read_bytes()
    return b""


def lost_from_wal(connection: sqlite3.Connection, wal: bytes) -> list[Kept]:
    """Taps that stood in the log behind a damaged place, where SQLite stops reading.

    SQLite takes such a log for one that ends there, and says nothing (SQLite file format §4.4).
    """
    recovered = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
    if len(wal) <= _WAL_HEADER or 0 < recovered >= _frames_of_this_round(wal):
        return []
    known = {
        UUID(bytes=row[0])
        for row in connection.execute("SELECT id FROM waiting UNION SELECT id FROM aside")
    }
    found = {kept.tap.id: kept for kept in find_records(wal)}
    return sorted(
        (kept for tap_id, kept in found.items() if tap_id not in known),
        key=lambda kept: (kept.tap.boot, kept.tap.seq),
    )


def _frames_of_this_round(wal: bytes) -> int:
    """Frames that carry the log's own salt; others are left over from before its last reset."""
    frame = _FRAME_HEADER + int.from_bytes(wal[8:12], "big")
    salt = wal[16 : 16 + _SALT]
    starts = range(_WAL_HEADER, len(wal) - _FRAME_HEADER, frame)
    return sum(wal[at + 8 : at + 8 + _SALT] == salt for at in starts)


def _free_name(path: Path) -> Path:
    number = 1
    while path.with_name(f"{path.stem}.broken-{number}").exists():
        number += 1
    return path.with_name(f"{path.stem}.broken-{number}")

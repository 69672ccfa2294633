"""Five failures within fifteen minutes lock an account or an address for fifteen minutes.

A try is counted before the password is looked at and taken back when it was right: of many tries
at once no more than five are looked at.
"""

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from card_server.storage.sealing import Seal
from schema.tables.log_in import LogInLock

FAILURES = 5
WINDOW = timedelta(minutes=15)
LOCKED_FOR = timedelta(minutes=15)
_KEEP = timedelta(hours=1)
"""When a row that nobody touched is thrown away."""


@dataclass(frozen=True)
class Tries:
    """The failures of one account or address that still count."""

    failed_at: tuple[datetime, ...] = ()
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


@dataclass(frozen=True)
class Limit:
    """One thing that failures are counted for, and how many it may have."""

    key: bytes
    most: int = FAILURES


@dataclass(frozen=True)
class Counted:
    """What became of a try."""

    may_try: bool
    locks: bool
    """Whether this try, if it fails, was the last one for now."""


def add_try(tries: Tries, now: datetime, most: int) -> Tries:
    """One more failure; the last one that is allowed locks."""
    recent = (*(at for at in tries.failed_at if at > now - WINDOW), now)
    return Tries(recent, now + LOCKED_FOR if len(recent) >= most else None)


def take_back(tries: Tries, at: datetime, most: int) -> Tries:
    """Without the try of that moment, which was no failure, nor the lock that hung on it."""
    rest = list(tries.failed_at)
    if at in rest:
        rest.remove(at)
    return Tries(tuple(rest), tries.locked_until if len(rest) >= most else None)


def account_limit(staff_id: int) -> Limit:
    """The limit of an account."""
    return Limit(hashlib.sha256(f"staff:{staff_id}".encode()).digest())


def login_limit(seal: Seal, login: str) -> Limit:
    """The limit of a login that belongs to nobody: it locks as if it did."""
    return Limit(seal.hash(f"login:{login}"))


def address_limit(seal: Seal, address: str, most: int, door: str = "address") -> Limit:
    """The limit of where a try comes from; one IPv6 network is one place (RFC 6177).

    Each door counts for itself: parents who mistype on the school's network lock out no teacher.
    """
    return Limit(seal.hash(f"{door}:{_place(address)}"), most)


def count_try(session: Session, limits: Iterable[Limit], now: datetime) -> Counted:
    """Count a try as a failure in advance, unless one of the limits is reached already."""
    ordered = sorted(limits, key=lambda limit: limit.key)
    rows = {limit.key: _row_for_change(session, limit.key, now) for limit in ordered}
    if any(_tries(row).is_locked(now) for row in rows.values()):
        return Counted(may_try=False, locks=False)
    after = {limit.key: add_try(_tries(rows[limit.key]), now, limit.most) for limit in ordered}
    for key, tries in after.items():
        _keep(rows[key], tries, now)
    session.flush()
    # At the end, when no row of this try is old and no other is waited for any more.
    _throw_away_old(session, now)
    return Counted(may_try=True, locks=any(tries.is_locked(now) for tries in after.values()))


def forgive(session: Session, limits: Iterable[Limit], at: datetime) -> None:
    """Take back the try of that moment: it was right."""
    for limit in sorted(limits, key=lambda limit: limit.key):
        row = session.scalar(_for_change(limit.key))
        if row is not None:
            _keep(row, take_back(_tries(row), at, limit.most), at)
    session.flush()


def clear(session: Session, limit: Limit) -> None:
    """Forget all failures."""
    session.execute(delete(LogInLock).where(LogInLock.key_hash == limit.key))


def unlock(session: Session, staff_id: int) -> None:
    """Let an account try again at once; the caller has checked that it may be changed."""
    clear(session, account_limit(staff_id))


def is_locked(session: Session, staff_id: int, now: datetime) -> bool:
    """Whether an account is locked at this moment."""
    row = session.get(LogInLock, account_limit(staff_id).key)
    return row is not None and _tries(row).is_locked(now)


def _place(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


def _row_for_change(session: Session, key: bytes, now: datetime) -> LogInLock:
    """The row, made if it was not there, that no other process changes until we commit."""
    found = session.scalar(_for_change(key))
    if found is not None:
        return found
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = (postgresql.insert if is_postgresql else sqlite.insert)(LogInLock)
    # Two processes may make it at once; the later one waits here and then finds it.
    session.execute(
        insert.values(
            key_hash=key, failed_at=[], locked_until=None, changed_at=now
        ).on_conflict_do_nothing(index_elements=[LogInLock.key_hash])
    )
    return session.scalars(_for_change(key)).one()


def _for_change(key: bytes) -> Select[LogInLock]:
    wanted = select(LogInLock).where(LogInLock.key_hash == key).with_for_update()
    return wanted.execution_options(populate_existing=True)


def _throw_away_old(session: Session, now: datetime) -> None:
    """Without waiting for a row that somebody else is changing: that one is not old."""
    old = select(LogInLock.key_hash).where(LogInLock.changed_at < now - _KEEP)
    session.execute(
        delete(LogInLock)
        .where(LogInLock.key_hash.in_(old.with_for_update(skip_locked=True)))
        .execution_options(synchronize_session=False)
    )


def _tries(row: LogInLock) -> Tries:
    return Tries(tuple(datetime.fromtimestamp(at, UTC) for at in row.failed_at), row.locked_until)


def _keep(row: LogInLock, tries: Tries, now: datetime) -> None:
    row.failed_at = [at.timestamp() for at in tries.failed_at]
    row.locked_until = tries.locked_until
    row.changed_at = now

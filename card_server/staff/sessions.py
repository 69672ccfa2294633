"""Where staff are logged in: sessions on the server, of which a browser only holds the token."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from schema.tables.school import Role, School, Staff, StaffSession

IDLE_END = timedelta(hours=12)
"""A session that nobody used for this long is over."""
_NOTE_USE_AFTER = timedelta(minutes=1)
"""How stale `seen_at` may be: writing it with each request would cost a commit each."""


@dataclass(frozen=True)
class SchoolInUse:
    """What pages need to know of the school that they show."""

    id: int
    name: str
    signature: str
    zone: ZoneInfo
    late_after: str
    cards_version: int


@dataclass(frozen=True)
class Caller:
    """Who asks for a page, for which school."""

    staff_id: int
    name: str
    role: Role
    must_choose_password: bool
    school: SchoolInUse
    token_hash: bytes
    seen_at: datetime


def open_staff_session(session: Session, staff: Staff, now: datetime) -> str:
    """The token of a new session: 32 random bytes, of which the database keeps the SHA-256."""
    token = secrets.token_hex(32)
    session.execute(delete(StaffSession).where(StaffSession.seen_at < now - IDLE_END))
    session.add(
        StaffSession(token_hash=hash_token(token), staff_id=staff.id, created_at=now, seen_at=now)
    )
    session.flush()
    return token


def close_staff_session(session: Session, token_hash: bytes) -> None:
    """Log one browser out."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == token_hash))


def find_caller(session: Session, token: str, now: datetime) -> Caller | None:
    """Whose token this is; None when its session has ended or its account is disabled."""
    row = session.execute(
        select(StaffSession, Staff, School)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .join(School, School.id == Staff.school_id)
        .where(
            StaffSession.token_hash == hash_token(token),
            StaffSession.seen_at >= now - IDLE_END,
            Staff.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    opened, staff, school = row
    return Caller(
        staff_id=staff.id,
        name=staff.name,
        role=staff.role,
        must_choose_password=staff.password_is_one_time,
        school=describe_school(school),
        token_hash=opened.token_hash,
        seen_at=opened.seen_at,
    )


def is_use_worth_noting(caller: Caller, now: datetime) -> bool:
    """Whether the session's `seen_at` is old enough to be written again."""
    return now - caller.seen_at > _NOTE_USE_AFTER


def note_use(session: Session, caller: Caller, now: datetime) -> None:
    """Keep a session that is being used from ending."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.token_hash == caller.token_hash)
        .values(seen_at=now.astimezone(UTC))
    )


def describe_school(school: School) -> SchoolInUse:
    """The school's row as pages use it."""
    return SchoolInUse(
        school.id,
        school.name,
        school.signature,
        ZoneInfo(school.zone),
        school.late_after,
        school.cards_version,
    )


def hash_token(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()

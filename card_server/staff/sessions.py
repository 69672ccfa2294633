"""Where staff are logged in: sessions on the server, of which a browser only holds the token."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.staff.scope import Grant
from schema.tables.log_in import StaffTotp
from schema.tables.people import Language
from schema.tables.school import School, SchoolLogo
from schema.tables.staff import Role, Scope, Staff, StaffGrant, StaffSession

IDLE_END = timedelta(hours=12)
"""A session that nobody used for this long is over."""
CODE_END = timedelta(minutes=10)
"""How long log-in waits for the phone's code after the password."""
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
    logo_at: datetime | None = None
    """When its logo was chosen; None where it has none, or where nobody looks."""


@dataclass(frozen=True)
class Visitor:
    """Where a request comes from, and what browser and machine it claims to be."""

    address: str = ""
    browser: str = ""
    system: str = ""


NOWHERE = Visitor()


@dataclass(frozen=True)
class OpenSession:
    """One browser in which somebody is logged in, for its owner to look at."""

    created_at: datetime
    seen_at: datetime
    address: str
    browser: str
    system: str
    is_this: bool


@dataclass(frozen=True)
class Caller:
    """Who asks for a page, for which school, and all that they may do there."""

    staff_id: int
    name: str
    login: str
    grants: tuple[Grant, ...]
    must_choose_password: bool
    school: SchoolInUse | None
    """None for somebody of the district who has entered no school."""
    token_hash: bytes
    seen_at: datetime
    lacks_totp: bool = False
    """Whether log-in asks this person for no code of a phone."""
    language: Language | None = None

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)


def open_staff_session(
    session: Session,
    staff: Staff,
    now: datetime,
    visitor: Visitor = NOWHERE,
    needs_code: bool = False,
) -> str:
    """The token of a new session: 32 random bytes, of which the database keeps the SHA-256.

    A session that `needs_code` opens nothing but the question for the phone's code.
    """
    token = secrets.token_hex(32)
    session.execute(delete(StaffSession).where(StaffSession.seen_at < now - IDLE_END))
    session.add(
        StaffSession(
            token_hash=hash_token(token),
            staff_id=staff.id,
            created_at=now,
            seen_at=now,
            needs_code=needs_code,
            address=visitor.address[:45],
            browser=visitor.browser,
            system=visitor.system,
        )
    )
    session.flush()
    return token


def find_half_open(session: Session, token: str, now: datetime) -> Staff | None:
    """Whose code a session waits for; None when it waits for none, or has waited too long."""
    return session.scalar(
        select(Staff)
        .join(StaffSession, StaffSession.staff_id == Staff.id)
        .where(
            StaffSession.token_hash == hash_token(token),
            StaffSession.needs_code.is_(True),
            StaffSession.created_at >= now - CODE_END,
            Staff.disabled_at.is_(None),
        )
    )


def list_sessions(session: Session, caller: Caller, now: datetime) -> list[OpenSession]:
    """Where the caller is logged in, this browser first, then the latest used."""
    rows = session.scalars(
        select(StaffSession)
        .where(
            StaffSession.staff_id == caller.staff_id,
            StaffSession.needs_code.is_(False),
            StaffSession.seen_at >= now - IDLE_END,
        )
        .order_by(StaffSession.seen_at.desc())
    )
    found = [
        OpenSession(
            row.created_at,
            row.seen_at,
            row.address,
            row.browser,
            row.system,
            is_this=row.token_hash == caller.token_hash,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: not one.is_this)


def end_other_sessions(session: Session, staff_id: int, keep: bytes) -> int:
    """Log somebody out everywhere but here; how many browsers that were."""
    ended = session.execute(
        delete(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.token_hash != keep)
        .returning(StaffSession.token_hash)
    )
    return len(ended.all())


def close_staff_session(session: Session, token_hash: bytes) -> None:
    """Log one browser out."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == token_hash))


def find_caller(session: Session, token: str, now: datetime) -> Caller | None:
    """Whose token this is; None when its session has ended or its account is disabled.

    One query, for it stands before every page: a row for each grant.
    """
    token_hash = hash_token(token)
    rows = session.execute(_CALLER, {"token_hash": token_hash, "since": now - IDLE_END}).all()
    if not rows:
        return None
    staff_id, name, login, is_one_time, language, seen_at, totp_since, *rest = rows[0]
    id_of_school, *of_school = rest[: -len(_OF_GRANT)]
    grants = [Grant(*row[-len(_OF_GRANT) :]) for row in rows]
    return Caller(
        staff_id=staff_id,
        name=name,
        login=login,
        grants=tuple(grant for grant in grants if grant.role is not None),
        must_choose_password=is_one_time,
        school=_describe(id_of_school, *of_school) if id_of_school is not None else None,
        token_hash=token_hash,
        seen_at=seen_at,
        lacks_totp=totp_since is None,
        language=language,
    )


_OF_GRANT = (
    StaffGrant.role,
    StaffGrant.scope,
    StaffGrant.grade,
    StaffGrant.homeroom_id,
    StaffGrant.place,
)
_CALLER: Final[Select[*tuple[Any, ...]]] = (
    # Columns, not whole rows, and put together once: this stands before every page.
    select(
        Staff.id,
        Staff.name,
        Staff.login,
        Staff.password_is_one_time,
        Staff.language,
        StaffSession.seen_at,
        StaffTotp.confirmed_at,
        School.id,
        School.name,
        School.signature,
        School.zone,
        School.late_after,
        School.cards_version,
        SchoolLogo.changed_at,
        *_OF_GRANT,
    )
    .select_from(StaffSession)
    .join(Staff, Staff.id == StaffSession.staff_id)
    .outerjoin(School, School.id == func.coalesce(StaffSession.school_id, Staff.school_id))
    .outerjoin(StaffTotp, StaffTotp.staff_id == Staff.id)
    .outerjoin(SchoolLogo, SchoolLogo.school_id == School.id)
    .outerjoin(StaffGrant, StaffGrant.staff_id == Staff.id)
    .where(
        StaffSession.token_hash == bindparam("token_hash"),
        StaffSession.seen_at >= bindparam("since"),
        StaffSession.needs_code.is_(False),
        Staff.disabled_at.is_(None),
    )
    .order_by(StaffGrant.id)
)


def enter_school(session: Session, caller: Caller, school_id: int | None) -> None:
    """Let somebody of the district work in one school, or leave it again (None).

    Raises AppError(NOT_ALLOWED) for others, AppError(NOT_FOUND) when there is no such school.
    """
    if not any(grant.scope is Scope.DISTRICT for grant in caller.grants):
        raise AppError(Code.NOT_ALLOWED, "Only staff of the district can enter a school.")
    if school_id is not None and session.get(School, school_id) is None:
        raise AppError(Code.NOT_FOUND, "There is no such school.")
    session.execute(
        update(StaffSession)
        .where(StaffSession.token_hash == caller.token_hash)
        .values(school_id=school_id)
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


def describe_school(school: School, logo_at: datetime | None = None) -> SchoolInUse:
    """The school's row as pages use it."""
    return _describe(
        school.id,
        school.name,
        school.signature,
        school.zone,
        school.late_after,
        school.cards_version,
        logo_at,
    )


def _describe(
    id: int,
    name: str,
    signature: str,
    zone: str,
    late_after: str,
    cards_version: int,
    logo_at: datetime | None,
) -> SchoolInUse:
    return SchoolInUse(id, name, signature, ZoneInfo(zone), late_after, cards_version, logo_at)


def hash_token(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()

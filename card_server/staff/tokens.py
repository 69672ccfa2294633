"""Tokens for other programs: made with a part of the maker's rights, found, listed and revoked."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from card_server.staff.scope import SCOPES, Grant
from card_server.staff.sessions import Caller, describe_school, hash_token
from schema.tables.school import Homeroom, School
from schema.tables.staff import Role, Scope, Staff, StaffGrant
from schema.tables.tokens import ApiToken

PREFIX = "cc_"
"""By this a token that was left lying somewhere can be searched for."""
MIN_DAYS, MAX_DAYS = 1, 365
MAX_NAME = 60
_BYTES = 32
_NOTE_USE_AFTER = timedelta(minutes=1)
_GIVES: dict[Role, frozenset[Role]] = {
    Role.DISTRICT_ADMIN: frozenset(Role),
    Role.SCHOOL_ADMIN: frozenset(Role) - {Role.DISTRICT_ADMIN},
}
"""The roles that an administrator can give a token; anybody else only their own."""


@dataclass(frozen=True, kw_only=True)
class TokenCaller(Caller):
    """A program that calls with a token; `staff_id` is who made it, `name` what it is for."""

    token_id: int
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True)
class TokenReport:
    """One token of the list; `is_over` when its time has run out."""

    id: int
    name: str
    role: Role
    scope: Scope
    grade: int | None
    homeroom: str | None
    place: str | None
    made_by: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    is_over: bool


def make_token(
    session: Session,
    maker: Caller,
    actor: Actor,
    school_id: int,
    name: str,
    grant: Grant,
    days: int,
    now: datetime,
) -> tuple[int, str]:
    """A new token's id, and the token itself, which is known at this moment only.

    Raises FieldsError for a name, life or reach that cannot be, AppError(NOT_ALLOWED) for more
    than the maker may do.
    """
    wrong = Problems()
    name = wrong.text("name", name, MAX_NAME)
    if not MIN_DAYS <= days <= MAX_DAYS:
        wrong.add("days", _("Write a whole number from 1 to 365."))
    _check_grant(session, wrong, school_id, grant)
    wrong.refuse()
    if not covers(maker.grants, grant):
        raise AppError(Code.NOT_ALLOWED, "A token cannot do more than you may do yourself.")
    token = PREFIX + secrets.token_urlsafe(_BYTES)
    row = ApiToken(
        school_id=school_id,
        made_by=maker.staff_id,
        name=name,
        token_hash=hash_token(token),
        role=grant.role,
        scope=grant.scope,
        grade=grant.grade,
        homeroom_id=grant.homeroom_id,
        place=grant.place,
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    details = {"name": name, "role": grant.role.value, "scope": grant.scope.value, "days": days}
    note(session, school_id, actor, "token.made", f"token:{row.id}", details=details)
    return row.id, token


def roles_to_give(held: Iterable[Grant]) -> list[Role]:
    """The roles that a token of whoever holds these grants can have."""
    given = {role for own in held for role in {own.role} | _GIVES.get(own.role, frozenset())}
    return [role for role in Role if role in given]


def covers(held: Iterable[Grant], wanted: Grant) -> bool:
    """Whether who holds these grants may do all that the wanted one allows, and as far."""
    return any(
        (wanted.role is own.role or wanted.role in _GIVES.get(own.role, ()))
        and _reaches(own, wanted)
        for own in held
    )


def revoke_token(
    session: Session, actor: Actor, school_id: int, token_id: int, now: datetime
) -> None:
    """End a token at once. Raises AppError(NOT_FOUND) when the school has none of this id."""
    row = session.scalar(
        select(ApiToken).where(ApiToken.school_id == school_id, ApiToken.id == token_id)
    )
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such token.")
    if row.revoked_at is None:
        row.revoked_at = now
        session.flush()
        details = {"name": row.name}
        note(session, school_id, actor, "token.revoked", f"token:{row.id}", details=details)


def read_tokens(session: Session, school_id: int, now: datetime) -> list[TokenReport]:
    """A school's tokens, newest first, in one query; those that ended stay for the record."""
    # Of a narrowed session's classes those of the district's staff are not to be seen.
    staff = Staff.__table__
    found = session.execute(
        select(ApiToken, staff.c.name, Homeroom.name)
        .join(staff, staff.c.id == ApiToken.made_by)
        .outerjoin(Homeroom, Homeroom.id == ApiToken.homeroom_id)
        .where(ApiToken.school_id == school_id)
        .order_by(ApiToken.id.desc())
    )
    return [
        TokenReport(
            row.id,
            row.name,
            row.role,
            row.scope,
            row.grade,
            homeroom,
            row.place,
            made_by,
            row.made_at,
            row.expires_at,
            row.used_at,
            row.revoked_at,
            is_over=row.expires_at <= now,
        )
        for row, made_by, homeroom in found
    ]


def find_token_caller(session: Session, token: str, now: datetime) -> TokenCaller | None:
    """Who calls with this token; None when it is unknown, revoked or over.

    Nor does it work any longer when its maker's account was disabled, or lost the rights that the
    token was given: whoever leaves takes their tokens with them.
    """
    if not token.startswith(PREFIX):
        return None
    found = _find_valid(session, ApiToken.token_hash == hash_token(token), now)
    if found is None:
        return None
    known, maker, school, grant = found
    return TokenCaller(
        staff_id=maker.id,
        name=known.name,
        login="",
        grants=(grant,),
        must_choose_password=False,
        school=describe_school(school),
        token_hash=known.token_hash,
        seen_at=known.used_at or known.made_at,
        token_id=known.id,
        expires_at=known.expires_at,
        used_at=known.used_at,
    )


def find_token_grant(
    session: Session, school_id: int, token_id: int, now: datetime
) -> Grant | None:
    """What this token of a school may do now; None when it does not work any more."""
    is_it = (ApiToken.id == token_id) & (ApiToken.school_id == school_id)
    found = _find_valid(session, is_it, now)
    return found.grant if found else None


class _Valid(NamedTuple):
    token: ApiToken
    maker: Staff
    school: School
    grant: Grant


def _find_valid(session: Session, is_it: ColumnElement[bool], now: datetime) -> _Valid | None:
    row = session.execute(
        select(ApiToken, Staff, School)
        .join(Staff, Staff.id == ApiToken.made_by)
        .join(School, School.id == ApiToken.school_id)
        .where(
            is_it,
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > now,
            Staff.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    known, maker, school = row
    grant = Grant(known.role, known.scope, known.grade, known.homeroom_id, known.place)
    is_covered = covers(_read_grants(session, maker, school.id), grant)
    return _Valid(known, maker, school, grant) if is_covered else None


def note_token_use(session: Session, caller: TokenCaller, now: datetime) -> None:
    """Write down when a token was used."""
    session.execute(update(ApiToken).where(ApiToken.id == caller.token_id).values(used_at=now))


def is_token_use_worth_noting(caller: TokenCaller, now: datetime) -> bool:
    """Whether `used_at` is old enough to be written again."""
    return caller.used_at is None or now - caller.used_at > _NOTE_USE_AFTER


def _check_grant(session: Session, wrong: Problems, school_id: int, grant: Grant) -> None:
    """That the grant is one which can be, in this school."""
    needed = {
        Scope.GRADE: grant.grade,
        Scope.HOMEROOM: grant.homeroom_id,
        Scope.GATE: grant.place,
        Scope.LAB: grant.place,
    }
    if grant.scope not in SCOPES[grant.role] or not needed.get(grant.scope, True):
        wrong.add("reach", _("This role cannot reach so far. Choose another scope."))
    elif grant.scope is Scope.HOMEROOM and not session.scalar(
        select(Homeroom.id).where(Homeroom.id == grant.homeroom_id, Homeroom.school_id == school_id)
    ):
        wrong.add("reach", _("There is no such homeroom in this school."))


def _read_grants(session: Session, maker: Staff, school_id: int) -> list[Grant]:
    """What the maker may do in a school now."""
    found = session.scalars(select(StaffGrant).where(StaffGrant.staff_id == maker.id))
    return [
        Grant(one.role, one.scope, one.grade, one.homeroom_id, one.place)
        for one in found
        if one.school_id in (None, school_id)
    ]


def _reaches(own: Grant, wanted: Grant) -> bool:
    if own.scope is Scope.DISTRICT:
        return True
    if own.scope is Scope.SCHOOL:
        return wanted.scope is not Scope.DISTRICT
    return own._replace(role=wanted.role) == wanted

"""Staff accounts: one-time passwords, chosen passwords, and the proof of both by argon2id."""

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.staff.scope import SCOPES, Grant
from schema.tables.staff import Role, Scope, Staff, StaffGrant, StaffSession

MIN_PASSWORD = 10
"""Characters; length is what makes a password strong (NIST SP 800-63B §5.1.1)."""
MAX_PASSWORD = 200

_READABLE = "abcdefghjkmnpqrstvwxyz23456789"
"""Letters and digits that cannot be taken for one another: 4.9 bits each."""
_GROUPS, _GROUP = 4, 4
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex())
"""An unknown login is checked against this, so that it takes as long as a known one."""
_AT_ONCE = threading.BoundedSemaphore(2)
"""One check takes 64 MiB: a flood of log-ins must not take the memory of the machine."""


def create_staff(
    session: Session, school_id: int | None, login: str, name: str, *grants: Grant
) -> str:
    """The one-time password of a new account; without a school it is one of the district.

    Raises AppError(CONFLICT) when the login exists, AppError(INVALID) when a grant cannot be.
    """
    login = login.strip().lower()
    if session.scalar(select(Staff.id).where(Staff.login == login)) is not None:
        raise AppError(Code.CONFLICT, "This login is taken. Choose another one.")
    password = _new_one_time_password()
    staff = Staff(
        school_id=school_id,
        login=login,
        name=name,
        password_hash=_hash(password),
        password_is_one_time=True,
    )
    session.add(staff)
    session.flush()
    for grant in grants:
        add_grant(session, staff, grant)
    return password


def add_grant(session: Session, staff: Staff, grant: Grant) -> None:
    """Let an account do more. Raises AppError(INVALID) for a scope that the role cannot have."""
    needed = {Scope.GRADE: grant.grade, Scope.HOMEROOM: grant.homeroom_id}
    place = {Scope.GATE: grant.place, Scope.LAB: grant.place}
    is_of_district = grant.scope is Scope.DISTRICT
    if (
        grant.scope not in SCOPES[grant.role]
        or (needed | place).get(grant.scope, True) is None
        or is_of_district is not (staff.school_id is None)
    ):
        raise AppError(Code.INVALID, "This role cannot reach so far. Choose another scope.")
    session.add(
        StaffGrant(
            staff_id=staff.id,
            school_id=staff.school_id,
            role=grant.role,
            scope=grant.scope,
            grade=grant.grade,
            homeroom_id=grant.homeroom_id,
            place=grant.place,
        )
    )
    session.flush()


def create_or_renew(
    session: Session, school_id: int | None, login: str, name: str, role: Role
) -> str:
    """A one-time password for a new account, or for one that this school has already.

    Raises AppError(CONFLICT) when the login belongs to another school.
    """
    known = session.scalar(select(Staff).where(Staff.login == login.strip().lower()))
    if known is not None and known.school_id == school_id:
        return renew_one_time_password(session, login)
    return create_staff(session, school_id, login, name, Grant(role, SCOPES[role][0]))


def renew_one_time_password(session: Session, login: str) -> str:
    """A new one-time password for an account; whoever was logged in with it is logged out."""
    staff = session.scalar(select(Staff).where(Staff.login == login.strip().lower()))
    if staff is None:
        raise AppError(Code.NOT_FOUND, "There is no account with this login.")
    password = _new_one_time_password()
    staff.password_hash = _hash(password)
    staff.password_is_one_time = True
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff.id))
    session.flush()
    return password


def log_in(session: Session, login: str, password: str) -> Staff:
    """The account that login and password prove.

    Raises AppError(NOT_ALLOWED), with the same text after the same time whether the login, the
    password or the account's being disabled was the reason.
    """
    staff = session.scalar(select(Staff).where(Staff.login == login.strip().lower()))
    known = staff.password_hash if staff else _NOBODY
    is_right = _verify(known, password)
    if staff is None or not is_right or staff.disabled_at is not None:
        raise AppError(Code.NOT_ALLOWED, "The login or the password is wrong.")
    if _HASHER.check_needs_rehash(staff.password_hash):
        staff.password_hash = _hash(password)
    return staff


def choose_password(
    session: Session, staff_id: int, password: str, again: str, keep_session: bytes
) -> None:
    """Give an account the password that its owner chose, and end its sessions but this one.

    Raises AppError(INVALID) when the password will not do.
    """
    staff = session.get_one(Staff, staff_id)
    if password != again:
        raise AppError(Code.INVALID, "The two passwords are not the same.")
    if len(password) < MIN_PASSWORD:
        raise AppError(Code.INVALID, "A password needs at least 10 characters.")
    if len(password) > MAX_PASSWORD:
        raise AppError(Code.INVALID, "A password may have 200 characters at most.")
    if password.lower() == staff.login or len(set(password)) < 4:
        raise AppError(Code.INVALID, "This password is too easy to guess. Choose another one.")
    if _verify(staff.password_hash, password):
        raise AppError(Code.INVALID, "Choose another password than the present one.")
    staff.password_hash = _hash(password)
    staff.password_is_one_time = False
    session.execute(
        delete(StaffSession).where(
            StaffSession.staff_id == staff_id, StaffSession.token_hash != keep_session
        )
    )
    session.flush()


def _new_one_time_password() -> str:
    """Four groups of four, 78 bits."""
    groups = ("".join(secrets.choice(_READABLE) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _hash(password: str) -> str:
    with _AT_ONCE:
        return _HASHER.hash(password)


def _verify(known: str, password: str) -> bool:
    try:
        with _AT_ONCE:
            return _HASHER.verify(known, password[: MAX_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False

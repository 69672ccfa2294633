"""Staff accounts: who has one, its one-time password and the one that its owner chose."""

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.staff import lockout, totp
from card_server.staff.passwords import (
    MOST_CHARACTERS,
    NOBODYS,
    hash_password,
    is_outdated,
    is_password,
)
from card_server.staff.readable import new_readable
from card_server.staff.scope import SCOPES, Grant
from card_server.staff.sessions import end_other_sessions
from schema.tables.staff import Role, Scope, Staff, StaffGrant, StaffSession

MIN_PASSWORD = 10
"""Characters; length is what makes a password strong (NIST SP 800-63B §5.1.1)."""
WRONG = _(
    "The login or the password is wrong. Five failures within 15 minutes close log-in for the"
    " next 15."
)
"""What everybody is told who is not let in, whatever the reason was."""


def create_staff(
    session: Session, school_id: int | None, login: str, name: str, *grants: Grant
) -> str:
    """The one-time password of a new account; without a school it is one of the district.

    Raises AppError(CONFLICT) when the login exists, AppError(INVALID) when a grant cannot be.
    """
    password = new_readable()
    _add_staff(session, school_id, login, name, password, True, grants)
    return password


def create_staff_with_password(
    session: Session, school_id: int | None, login: str, name: str, password: str, *grants: Grant
) -> Staff:
    """A new account whose owner chose the password.

    Raises AppError as create_staff does, and AppError(INVALID) when the password will not do.
    """
    check_choice(login, password, password)
    return _add_staff(session, school_id, login, name, password, False, grants)


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

    Who can call this is on the machine itself, so the account is unlocked, and log-in asks for no
    code until its owner sets up a phone again.

    Raises AppError(CONFLICT) when the login belongs to another school.
    """
    known = find_by_login(session, login)
    if known is not None and known.school_id == school_id:
        lockout.unlock(session, known.id)
        totp.switch_off(session, known.id)
        return renew_one_time_password(session, login)
    return create_staff(session, school_id, login, name, Grant(role, SCOPES[role][0]))


def renew_one_time_password(session: Session, login: str) -> str:
    """A new one-time password for an account; whoever was logged in with it is logged out."""
    staff = find_by_login(session, login)
    if staff is None:
        raise AppError(Code.NOT_FOUND, "There is no account with this login.")
    password = new_readable()
    staff.password_hash = hash_password(password)
    staff.password_is_one_time = True
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff.id))
    session.flush()
    return password


def find_by_login(session: Session, login: str) -> Staff | None:
    """The account of a login, however its capitals were typed."""
    return session.scalar(select(Staff).where(Staff.login == login.strip().lower()))


def log_in(session: Session, login: str, password: str) -> Staff:
    """The account that login and password prove; nothing is changed or counted.

    Raises AppError(NOT_ALLOWED), with the same text after the same time whether the login, the
    password or the account's being disabled was the reason.
    """
    staff = find_by_login(session, login)
    is_right = is_password(staff.password_hash if staff else NOBODYS, password)
    if staff is None or not is_right or staff.disabled_at is not None:
        raise AppError(Code.NOT_ALLOWED, WRONG)
    return staff


def rehash_if_old(session: Session, staff_id: int, password: str) -> None:
    """Keep a proven password by today's parameters."""
    staff = session.get_one(Staff, staff_id)
    if is_outdated(staff.password_hash):
        staff.password_hash = hash_password(password)
        session.flush()


def choose_password(
    session: Session, staff_id: int, password: str, again: str, keep_session: bytes
) -> None:
    """Give an account the password that its owner chose, and end its sessions but this one.

    Raises AppError(INVALID) when the password will not do.
    """
    staff = session.get_one(Staff, staff_id)
    check_choice(staff.login, password, again)
    if is_password(staff.password_hash, password):
        raise AppError(Code.INVALID, "Choose another password than the present one.")
    staff.password_hash = hash_password(password)
    staff.password_is_one_time = False
    end_other_sessions(session, staff_id, keep_session)


def check_choice(login: str, password: str, again: str) -> None:
    """Raise AppError(INVALID) when somebody cannot have this password."""
    if password != again:
        raise AppError(Code.INVALID, "The two passwords are not the same.")
    if len(password) < MIN_PASSWORD:
        raise AppError(Code.INVALID, "A password needs at least 10 characters.")
    if len(password) > MOST_CHARACTERS:
        raise AppError(Code.INVALID, "A password may have 200 characters at most.")
    if password.lower() == login.strip().lower() or len(set(password)) < 4:
        raise AppError(Code.INVALID, "This password is too easy to guess. Choose another one.")


def _add_staff(
    session: Session,
    school_id: int | None,
    login: str,
    name: str,
    password: str,
    is_one_time: bool,
    grants: Iterable[Grant],
) -> Staff:
    login = login.strip().lower()
    if find_by_login(session, login) is not None:
        raise AppError(Code.CONFLICT, "This login is taken. Choose another one.")
    staff = Staff(
        school_id=school_id,
        login=login,
        name=name,
        password_hash=hash_password(password),
        password_is_one_time=is_one_time,
    )
    session.add(staff)
    session.flush()
    for grant in grants:
        add_grant(session, staff, grant)
    return staff

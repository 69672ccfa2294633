"""Logging in: each try is counted first, proved outside any transaction, and then kept or noted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.staff import accounts, lockout, totp
from card_server.staff.lockout import Counted, Limit
from card_server.staff.sessions import (
    Visitor,
    close_staff_session,
    find_half_open,
    hash_token,
    open_staff_session,
)
from card_server.storage.sealing import Seal
from schema.tables.staff import Staff

Result = TypeVar("Result")
WRONG_PROOF = _(
    "The present password is wrong. Five failures within 15 minutes close log-in for the next 15."
)
WRONG_PROOFS = _(
    "The password or the code is wrong, or the code has been used. Five failures within 15 minutes"
    " close log-in for the next 15."
)


@dataclass(frozen=True)
class Door:
    """What logging in works with."""

    reading: sessionmaker[Session]
    writing: sessionmaker[Session]
    seal: Seal
    failures_per_address: int = lockout.FAILURES


@dataclass(frozen=True)
class Entered:
    """A browser's new session."""

    token: str
    needs_code: bool
    must_choose_password: bool


def enter_with_password(
    door: Door, visitor: Visitor, login: str, password: str, now: datetime
) -> Entered:
    """A new session for who knows login and password; it may still need the phone's code.

    Raises AppError(NOT_ALLOWED), with the same text after the same time for every reason.
    """
    login = login.strip().lower()
    with door.writing.begin() as session:
        known = accounts.find_by_login(session, login)
        limits = _limits(door, visitor, known, login)
        counted = lockout.count_try(session, limits, now)
    staff = _prove(door, login, password)
    if staff is None or not counted.may_try:
        tail = door.seal.hash(f"login:{login}").hex()[-8:]
        with door.writing.begin() as session:
            _note_failure(session, visitor, _About(known, f"login:{tail}"), counted)
        raise AppError(Code.NOT_ALLOWED, accounts.WRONG)
    with door.writing.begin() as session:
        lockout.forgive(session, limits, now)
        accounts.rehash_if_old(session, staff.id, password)
        return let_in(session, staff, visitor, now, "password")


def enter_with_code(door: Door, visitor: Visitor, token: str, code: str, now: datetime) -> Entered:
    """The second step: a whole session in place of the one that waits for a code.

    Raises AppError(NOT_ALLOWED) when the code is wrong, AppError(NOT_FOUND) when no session waits.
    """
    with door.reading() as session:
        staff = find_half_open(session, token, now)
    if staff is None:
        raise AppError(Code.NOT_FOUND, "You waited too long. Log in again.")

    def use(session: Session) -> Entered | None:
        proof = totp.use_code(session, door.seal, staff.id, code, now)
        if proof is None:
            return None
        close_staff_session(session, hash_token(token))
        if proof is totp.Proof.RECOVERY_CODE:
            about = f"staff:{staff.id}"
            who = actor_of(staff, visitor)
            note(session, staff.school_id, who, "staff.recovery_code_used", about)
        return _open(session, staff, visitor, now, proof.value)

    return _guarded(door, visitor, staff, now, use, totp.WRONG_CODE)


def prove_again(
    door: Door, visitor: Visitor, staff_id: int, password: str, code: str | None, now: datetime
) -> None:
    """Make sure that who is logged in still is the account's owner, before it is changed.

    `code` is None where none is asked for. Raises AppError(NOT_ALLOWED); failures count as at
    log-in, so a browser left open is no place to try passwords.
    """
    with door.reading() as session:
        staff = session.get_one(Staff, staff_id)
    is_right = _prove(door, staff.login, password) is not None

    def use(session: Session) -> bool | None:
        if is_right and code is not None:
            is_proved = totp.use_code(session, door.seal, staff_id, code, now) is not None
        else:
            is_proved = is_right
        return is_proved or None

    _guarded(door, visitor, staff, now, use, WRONG_PROOF if code is None else WRONG_PROOFS)


def let_in(session: Session, staff: Staff, visitor: Visitor, now: datetime, proof: str) -> Entered:
    """A session for a proved account: a whole one, or one that waits for the phone's code."""
    if not totp.is_on(session, staff.id):
        return _open(session, staff, visitor, now, proof)
    token = open_staff_session(session, staff, now, visitor, needs_code=True)
    return Entered(token, needs_code=True, must_choose_password=False)


def actor_of(staff: Staff, visitor: Visitor) -> Actor:
    """An account as the audit log names it."""
    return Actor("staff", staff.id, staff.name, visitor.address)


@dataclass(frozen=True)
class _About:
    """Whose log-in a try is, or under which hash a login is noted that belongs to nobody."""

    staff: Staff | None
    unknown: str

    @property
    def subject(self) -> str:
        return f"staff:{self.staff.id}" if self.staff else self.unknown


def _limits(door: Door, visitor: Visitor, staff: Staff | None, login: str) -> tuple[Limit, Limit]:
    return (
        lockout.account_limit(staff.id) if staff else lockout.login_limit(door.seal, login),
        lockout.address_limit(door.seal, visitor.address, door.failures_per_address),
    )


def _prove(door: Door, login: str, password: str) -> Staff | None:
    """Argon2 takes its time: no transaction that others wait for is open meanwhile."""
    try:
        with door.reading() as session:
            return accounts.log_in(session, login, password)
    except AppError:
        return None


def _guarded(
    door: Door,
    visitor: Visitor,
    staff: Staff,
    now: datetime,
    use: Callable[[Session], Result | None],
    said: str,
) -> Result:
    """What `use` gives, in one transaction with the count of its failures (None)."""
    limits = _limits(door, visitor, staff, staff.login)
    with door.writing.begin() as session:
        counted = lockout.count_try(session, limits, now)
        result = use(session) if counted.may_try else None
        if result is not None:
            lockout.forgive(session, limits, now)
            return result
        _note_failure(session, visitor, _About(staff, ""), counted)
    raise AppError(Code.NOT_ALLOWED, said)


def _open(session: Session, staff: Staff, visitor: Visitor, now: datetime, proof: str) -> Entered:
    lockout.unlock(session, staff.id)
    token = open_staff_session(session, staff, now, visitor)
    note(
        session,
        staff.school_id,
        actor_of(staff, visitor),
        "staff.log_in",
        f"staff:{staff.id}",
        details={"proof": proof, "browser": visitor.browser, "system": visitor.system},
    )
    return Entered(token, needs_code=False, must_choose_password=staff.password_is_one_time)


def _note_failure(session: Session, visitor: Visitor, about: _About, counted: Counted) -> None:
    """Not while it is locked: whoever goes on trying would fill the log."""
    if not counted.may_try:
        return
    school_id = about.staff.school_id if about.staff else None
    nobody = Actor("nobody", None, "", visitor.address)
    note(session, school_id, nobody, "staff.log_in_failed", about.subject)
    if counted.locks:
        note(session, school_id, nobody, "staff.locked", about.subject)

"""Logging in: counted, locked, noted, and told apart by nobody."""

import json
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.details import open_text
from card_server.errors import AppError, Code
from card_server.staff import accounts, lockout, passwords, totp
from card_server.staff.lockout import LOCKED_FOR
from card_server.staff.log_in import (
    Door,
    Entered,
    enter_with_code,
    enter_with_password,
    prove_again,
)
from card_server.staff.sessions import CODE_END, Visitor, find_caller, hash_token
from schema.tables.audit import AuditDetail, AuditEntry
from schema.tables.staff import Staff, StaffSession
from tests.card_server.staff.conftest import LOGIN, PASSWORD

NOW = datetime(2026, 9, 1, 7, 0, 10, tzinfo=UTC)
DESK = Visitor("192.0.2.1", "Firefox", "Linux")
ELSEWHERE = Visitor("192.0.2.2")


def _enter(
    door: Door, password: str = PASSWORD, login: str = LOGIN, now: datetime = NOW
) -> Entered:
    return enter_with_password(door, DESK, login, password, now)


def _fail(door: Door, times: int, login: str = LOGIN, visitor: Visitor = DESK) -> list[str]:
    said = []
    for _ in range(times):
        with pytest.raises(AppError) as error:
            enter_with_password(door, visitor, login, "wrong password", NOW)
        assert error.value.code is Code.NOT_ALLOWED
        said.append(error.value.message)
    return said


def _actions(sessions: sessionmaker[Session]) -> list[tuple[str, str]]:
    with sessions() as session:
        rows = select(AuditEntry).order_by(AuditEntry.school_id, AuditEntry.seq)
        return [(row.action, row.subject) for row in session.scalars(rows)]


@pytest.fixture
def secret(door: Door, admin_id: int) -> str:
    """The secret of the phone of `admin`, confirmed an hour ago."""
    before = NOW - timedelta(hours=1)
    with door.writing.begin() as session:
        totp.begin(session, door.seal, admin_id)
        secret = totp.unconfirmed_secret(session, door.seal, admin_id)
        assert secret
        totp.confirm(session, door.seal, admin_id, pyotp.TOTP(secret).at(before), before)
    return secret


def test_a_right_password_opens_a_session_that_says_where_it_is(
    door: Door, sessions: sessionmaker[Session], admin_id: int
) -> None:
    entered = _enter(door)
    with sessions() as session:
        row = session.scalars(select(StaffSession)).one()
        assert row.token_hash == hash_token(entered.token)
        assert (row.address, row.browser, row.system) == ("192.0.2.1", "Firefox", "Linux")
        found = find_caller(session, entered.token, NOW)
    assert found
    assert (found.staff_id, found.lacks_totp) == (admin_id, True)
    assert _actions(sessions) == [("staff.log_in", f"staff:{admin_id}")]


def test_the_account_is_locked_after_five_failures_and_the_words_stay_the_same(
    door: Door, admin_id: int
) -> None:
    said = _fail(door, 7)
    with pytest.raises(AppError) as error:
        _enter(door, now=NOW + LOCKED_FOR - timedelta(seconds=1))
    assert {*said, error.value.message} == {accounts.WRONG}
    assert _enter(door, now=NOW + LOCKED_FOR)


def test_a_locked_account_is_locked_wherever_one_comes_from(door: Door, admin_id: int) -> None:
    _fail(door, 5)
    with pytest.raises(AppError):
        enter_with_password(door, ELSEWHERE, LOGIN, PASSWORD, NOW)


def test_an_unknown_login_locks_as_if_it_were_known(door: Door, admin_id: int) -> None:
    assert set(_fail(door, 7, login="nobody")) == {accounts.WRONG}


def test_the_address_is_locked_for_every_account(
    door: Door, sessions: sessionmaker[Session], admin_id: int
) -> None:
    strict = Door(door.reading, door.writing, door.seal, failures_per_address=5)
    for number in range(5):
        _fail(strict, 1, login=f"guess-{number}")
    with pytest.raises(AppError) as error:
        _enter(strict)
    assert error.value.message == accounts.WRONG
    assert enter_with_password(strict, ELSEWHERE, LOGIN, PASSWORD, NOW)


def test_a_success_clears_the_accounts_count_but_not_the_addresss(
    door: Door, admin_id: int
) -> None:
    six = Door(door.reading, door.writing, door.seal, failures_per_address=6)
    _fail(six, 4)
    assert _enter(six)
    _fail(six, 2)
    with pytest.raises(AppError):
        _enter(six)
    assert enter_with_password(six, ELSEWHERE, LOGIN, PASSWORD, NOW)


def test_the_password_is_looked_at_even_while_locked_so_that_time_tells_nothing(
    door: Door, admin_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    verify = passwords.is_password

    def count(known: str, given: str) -> bool:
        checked.append(known)
        return verify(known, given)

    monkeypatch.setattr(accounts, "is_password", count)
    _fail(door, 7)
    _fail(door, 7, login="nobody")
    assert len(checked) == 14


def test_an_unlocked_account_may_try_at_once(door: Door, admin_id: int) -> None:
    _fail(door, 5)
    with door.writing.begin() as session:
        lockout.unlock(session, admin_id)
    assert _enter(door)


def test_a_disabled_account_is_refused_with_the_same_words(door: Door, admin_id: int) -> None:
    with door.writing.begin() as session:
        session.get_one(Staff, admin_id).disabled_at = NOW
    with pytest.raises(AppError) as error:
        _enter(door)
    assert error.value.message == accounts.WRONG


def test_failures_and_the_lock_are_noted_without_the_login_and_not_without_end(
    door: Door, sessions: sessionmaker[Session], engine: Engine, admin_id: int
) -> None:
    _fail(door, 9)
    _fail(door, 1, login="canary-login")
    noted = _actions(sessions)
    about = f"staff:{admin_id}"
    assert noted[1:] == [("staff.log_in_failed", about)] * 5 + [("staff.locked", about)]
    assert noted[0][0] == "staff.log_in_failed"
    assert noted[0][1].startswith("login:")
    with sessions() as session:
        for body in session.scalars(select(AuditDetail.body)):
            text = open_text(session.connection(), body)
            assert text
            assert "canary" not in text + noted[0][1]
            assert json.loads(text)["address"] == "192.0.2.1"


def test_a_password_alone_opens_nothing_where_a_code_is_asked_for(
    door: Door, sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    half = _enter(door)
    assert half.needs_code
    with sessions() as session:
        assert find_caller(session, half.token, NOW) is None
    code = pyotp.TOTP(secret).at(NOW)
    whole = enter_with_code(door, DESK, half.token, code, NOW)
    assert whole.token != half.token
    with sessions() as session:
        found = find_caller(session, whole.token, NOW)
        assert found
        assert not found.lacks_totp
        assert find_caller(session, half.token, NOW) is None
    with pytest.raises(AppError) as error:
        enter_with_code(door, DESK, half.token, code, NOW)
    assert error.value.code is Code.NOT_FOUND


def test_right_passwords_do_not_buy_more_tries_at_the_code(
    door: Door, admin_id: int, secret: str
) -> None:
    half = _enter(door)
    for _ in range(5):
        with pytest.raises(AppError, match="This code is wrong"):
            enter_with_code(door, DESK, half.token, "not a code", NOW)
    with pytest.raises(AppError, match="password is wrong"):
        _enter(door)
    with pytest.raises(AppError, match="This code is wrong"):
        enter_with_code(door, DESK, half.token, pyotp.TOTP(secret).at(NOW), NOW)


def test_a_session_waits_ten_minutes_for_its_code(door: Door, admin_id: int, secret: str) -> None:
    half = _enter(door)
    late = NOW + CODE_END + timedelta(seconds=1)
    with pytest.raises(AppError) as error:
        enter_with_code(door, DESK, half.token, pyotp.TOTP(secret).at(late), late)
    assert error.value.code is Code.NOT_FOUND


def test_a_recovery_code_stands_in_for_the_phone_and_that_is_noted(
    door: Door, sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    with door.writing.begin() as session:
        codes = totp.renew_recovery_codes(session, admin_id)
    half = _enter(door)
    assert enter_with_code(door, DESK, half.token, codes[3], NOW)
    assert ("staff.recovery_code_used", f"staff:{admin_id}") in _actions(sessions)


def test_who_is_logged_in_proves_it_again_and_failures_count(
    door: Door, admin_id: int, secret: str
) -> None:
    prove_again(door, DESK, admin_id, PASSWORD, None, NOW)
    prove_again(door, DESK, admin_id, PASSWORD, pyotp.TOTP(secret).at(NOW), NOW)
    for _ in range(5):
        with pytest.raises(AppError):
            prove_again(door, DESK, admin_id, PASSWORD, "000000", NOW)
    with pytest.raises(AppError):
        prove_again(door, DESK, admin_id, PASSWORD, None, NOW)
    with pytest.raises(AppError):
        _enter(door)


def test_a_wrong_password_uses_up_no_code(door: Door, admin_id: int, secret: str) -> None:
    code = pyotp.TOTP(secret).at(NOW)
    with pytest.raises(AppError):
        prove_again(door, DESK, admin_id, "wrong password", code, NOW)
    prove_again(door, DESK, admin_id, PASSWORD, code, NOW)


def test_an_old_hash_is_made_anew_at_log_in(
    door: Door, sessions: sessionmaker[Session], admin_id: int
) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with sessions.begin() as session:
        session.get_one(Staff, admin_id).password_hash = weak
    _enter(door)
    with sessions() as session:
        assert session.get_one(Staff, admin_id).password_hash != weak
    _enter(door)

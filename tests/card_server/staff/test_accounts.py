"""Staff accounts and their sessions."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.staff import accounts
from card_server.staff.readable import READABLE
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.staff.sessions import (
    IDLE_END,
    close_staff_session,
    find_caller,
    hash_token,
    is_use_worth_noting,
    note_use,
    open_staff_session,
)
from card_server.storage.database import open_engine, open_sessions
from schema.tables.school import School
from schema.tables.staff import Staff, StaffSession

NOW = datetime(2026, 9, 1, 0, 0, tzinfo=UTC)
GOOD = "correct horse battery"


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = open_engine(database_url)
    with open_sessions(engine).begin() as session:
        yield session
    engine.dispose()


@pytest.fixture
def school_id(session: Session) -> int:
    school = School(code="no1", name="第一中学", signature="一中")
    session.add(school)
    session.flush()
    return school.id


@pytest.fixture
def password(session: Session, school_id: int) -> str:
    """The one-time password of `admin`."""
    return accounts.create_staff(session, school_id, "admin", "王老师", WHOLE_SCHOOL)


def _staff(session: Session) -> Staff:
    return session.scalars(select(Staff)).one()


def test_a_one_time_password_is_hard_to_guess_and_logs_in(session: Session, password: str) -> None:
    symbols = password.replace("-", "")
    assert len(symbols) * math.log2(len(READABLE)) >= 60
    assert set(symbols).isdisjoint("01oilu")
    assert accounts.log_in(session, " ADMIN ", password).password_is_one_time


def test_no_password_is_stored_as_it_is(session: Session, password: str) -> None:
    assert _staff(session).password_hash.startswith("$argon2id$")
    assert password not in _staff(session).password_hash


@pytest.mark.parametrize("login", ["admin", "nobody"])
def test_a_wrong_login_and_a_wrong_password_are_told_apart_by_nobody(
    session: Session, password: str, login: str
) -> None:
    with pytest.raises(AppError) as error:
        accounts.log_in(session, login, password + "x")
    assert error.value.code is Code.NOT_ALLOWED
    assert error.value.message == accounts.WRONG


def test_an_unknown_login_is_checked_against_a_hash_too(
    session: Session, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def refuse(known: str, _given: str) -> bool:
        checked.append(known)
        return False

    monkeypatch.setattr(accounts, "is_password", refuse)
    for login in ("admin", "nobody"):
        with pytest.raises(AppError):
            accounts.log_in(session, login, password)
    known, nobodys = (one.split("$")[3] for one in checked)
    assert known == nobodys


def test_a_disabled_account_cannot_log_in(session: Session, password: str) -> None:
    _staff(session).disabled_at = NOW
    with pytest.raises(AppError, match="wrong"):
        accounts.log_in(session, "admin", password)


def test_a_login_is_given_once(session: Session, school_id: int, password: str) -> None:
    with pytest.raises(AppError) as error:
        accounts.create_staff(session, school_id, "Admin", "李老师", WHOLE_SCHOOL)
    assert error.value.code is Code.CONFLICT


@pytest.mark.parametrize(
    ("chosen", "again"),
    [
        ("short", "short"),
        ("long enough", "something else"),
        ("aaaaaaaaaaaa", "aaaaaaaaaaaa"),
        ("x" * 100 + "abcdefg" * 20, "x" * 100 + "abcdefg" * 20),
    ],
)
def test_a_poor_password_is_refused(
    session: Session, password: str, chosen: str, again: str
) -> None:
    with pytest.raises(AppError) as error:
        accounts.choose_password(session, _staff(session).id, chosen, again, b"")
    assert error.value.code is Code.INVALID
    assert _staff(session).password_is_one_time


def test_the_one_time_password_cannot_be_chosen_again(session: Session, password: str) -> None:
    with pytest.raises(AppError, match="present one"):
        accounts.choose_password(session, _staff(session).id, password, password, b"")


def test_choosing_a_password_ends_the_other_sessions(session: Session, password: str) -> None:
    who = accounts.log_in(session, "admin", password)
    here = open_staff_session(session, who, NOW)
    elsewhere = open_staff_session(session, who, NOW)
    accounts.choose_password(session, who.id, GOOD, GOOD, hash_token(here))
    assert find_caller(session, elsewhere, NOW) is None
    caller = find_caller(session, here, NOW)
    assert caller
    assert not caller.must_choose_password
    assert accounts.log_in(session, "admin", GOOD).id == who.id


def test_a_renewed_one_time_password_ends_all_sessions(session: Session, password: str) -> None:
    who = accounts.log_in(session, "admin", password)
    token = open_staff_session(session, who, NOW)
    renewed = accounts.renew_one_time_password(session, "admin")
    assert find_caller(session, token, NOW) is None
    assert accounts.log_in(session, "admin", renewed).password_is_one_time
    with pytest.raises(AppError):
        accounts.renew_one_time_password(session, "nobody")


def test_only_the_hash_of_a_token_is_stored(session: Session, password: str) -> None:
    token = open_staff_session(session, _staff(session), NOW)
    stored = session.scalars(select(StaffSession)).one()
    assert len(bytes.fromhex(token)) == 32
    assert stored.token_hash == hash_token(token) != bytes.fromhex(token)


def test_a_session_ends_when_idle_and_lasts_while_used(session: Session, password: str) -> None:
    token = open_staff_session(session, _staff(session), NOW)
    caller = find_caller(session, token, NOW + IDLE_END)
    assert caller
    assert is_use_worth_noting(caller, NOW + IDLE_END)
    assert find_caller(session, token, NOW + IDLE_END + timedelta(seconds=1)) is None
    note_use(session, caller, NOW + IDLE_END)
    assert find_caller(session, token, NOW + 2 * IDLE_END)


def test_logging_out_ends_the_session(session: Session, password: str) -> None:
    token = open_staff_session(session, _staff(session), NOW)
    close_staff_session(session, hash_token(token))
    assert find_caller(session, token, NOW) is None


def test_a_disabled_account_loses_its_sessions(session: Session, password: str) -> None:
    token = open_staff_session(session, _staff(session), NOW)
    _staff(session).disabled_at = NOW
    session.flush()
    assert find_caller(session, token, NOW) is None

"""Codes of a phone: right within a step, used once; recovery codes stand in for them, once each."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.errors import AppError, Code
from card_server.staff import accounts, totp
from card_server.staff.totp import Proof
from card_server.storage.sealing import Seal
from schema.tables.log_in import RecoveryCode, StaffTotp
from schema.tables.staff import Role

NOW = datetime(2026, 9, 1, 7, 0, 10, tzinfo=UTC)
STEP = timedelta(seconds=30)
SEAL = Seal(bytes(32))


def _code(secret: str, at: datetime) -> str:
    return pyotp.TOTP(secret).at(at)


@pytest.fixture
def secret(sessions: sessionmaker[Session], admin_id: int) -> str:
    """What the phone has, after it was confirmed an hour ago."""
    with sessions.begin() as session:
        totp.begin(session, SEAL, admin_id)
        secret = totp.unconfirmed_secret(session, SEAL, admin_id)
        assert secret
        before = NOW - timedelta(hours=1)
        totp.confirm(session, SEAL, admin_id, _code(secret, before), before)
        return secret


def _use(sessions: sessionmaker[Session], staff_id: int, code: str, now: datetime) -> Proof | None:
    with sessions.begin() as session:
        return totp.use_code(session, SEAL, staff_id, code, now)


@pytest.mark.parametrize(
    ("steps_off", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_code_is_right_one_step_before_and_after(
    sessions: sessionmaker[Session], admin_id: int, secret: str, steps_off: int, is_right: bool
) -> None:
    code = _code(secret, NOW + steps_off * STEP)
    assert (_use(sessions, admin_id, code, NOW) is Proof.APP) is is_right


def test_a_step_is_used_once_and_no_older_one_after_it(
    sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    code = _code(secret, NOW)
    assert _use(sessions, admin_id, code, NOW) is Proof.APP
    assert _use(sessions, admin_id, code, NOW) is None
    assert _use(sessions, admin_id, _code(secret, NOW - STEP), NOW) is None
    assert _use(sessions, admin_id, _code(secret, NOW + STEP), NOW) is Proof.APP


def test_the_code_that_confirmed_the_phone_is_used(
    sessions: sessionmaker[Session], admin_id: int
) -> None:
    with sessions.begin() as session:
        totp.begin(session, SEAL, admin_id)
        secret = totp.unconfirmed_secret(session, SEAL, admin_id)
        assert secret
        assert not totp.is_on(session, admin_id)
        totp.confirm(session, SEAL, admin_id, _code(secret, NOW), NOW)
        assert totp.is_on(session, admin_id)
        assert totp.unconfirmed_secret(session, SEAL, admin_id) is None
    assert _use(sessions, admin_id, _code(secret, NOW), NOW) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 34 56 78"])
def test_what_is_no_code_is_refused(
    sessions: sessionmaker[Session], admin_id: int, secret: str, code: str
) -> None:
    assert _use(sessions, admin_id, code, NOW) is None


def test_spaces_in_a_code_do_not_matter(
    sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    code = _code(secret, NOW)
    assert _use(sessions, admin_id, f" {code[:3]} {code[3:]} ", NOW) is Proof.APP


def test_a_wrong_first_code_switches_nothing_on(
    sessions: sessionmaker[Session], admin_id: int
) -> None:
    with sessions.begin() as session:
        with pytest.raises(AppError) as error:
            totp.confirm(session, SEAL, admin_id, "000000", NOW)
        assert error.value.code is Code.CONFLICT
        totp.begin(session, SEAL, admin_id)
        secret = totp.unconfirmed_secret(session, SEAL, admin_id)
        assert secret
        wrong = f"{(int(_code(secret, NOW + 9 * STEP)) + 1) % 1_000_000:06}"
        with pytest.raises(AppError) as error:
            totp.confirm(session, SEAL, admin_id, wrong, NOW)
        assert error.value.code is Code.INVALID
        assert not totp.is_on(session, admin_id)


def test_ten_recovery_codes_let_in_once_each_however_they_are_typed(
    sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    with sessions.begin() as session:
        codes = totp.renew_recovery_codes(session, admin_id)
    assert len(set(codes)) == 10
    assert _use(sessions, admin_id, codes[0], NOW) is Proof.RECOVERY_CODE
    assert _use(sessions, admin_id, codes[0], NOW) is None
    typed = codes[1].upper().replace("-", " ")
    assert _use(sessions, admin_id, typed, NOW) is Proof.RECOVERY_CODE
    with sessions() as session:
        assert totp.recovery_codes_left(session, admin_id) == 8


def test_new_recovery_codes_void_the_old_ones(
    sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    with sessions.begin() as session:
        old = totp.renew_recovery_codes(session, admin_id)
        totp.renew_recovery_codes(session, admin_id)
    assert _use(sessions, admin_id, old[0], NOW) is None


def test_anothers_recovery_code_is_none(
    sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    with sessions.begin() as session:
        other = accounts.create_staff_with_password(
            session, None, "other", "李老师", "another long one"
        )
        codes = totp.renew_recovery_codes(session, other.id)
    assert _use(sessions, admin_id, codes[0], NOW) is None


def test_secret_and_recovery_codes_are_not_stored_in_clear(
    sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    with sessions.begin() as session:
        codes = totp.renew_recovery_codes(session, admin_id)
        assert secret.encode() not in session.get_one(StaffTotp, admin_id).secret_sealed
        stored = session.scalars(select(RecoveryCode.code_hash)).all()
    assert all(len(one) == 32 for one in stored)
    assert not [code for code in codes if code.encode() in stored]


def test_codes_that_are_on_cannot_be_begun_again(
    sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    with sessions.begin() as session, pytest.raises(AppError) as error:
        totp.begin(session, SEAL, admin_id)
    assert error.value.code is Code.CONFLICT
    assert _use(sessions, admin_id, _code(secret, NOW), NOW) is Proof.APP


def test_switching_off_leaves_nothing_behind(
    sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    with sessions.begin() as session:
        totp.switch_off(session, admin_id)
        assert not session.scalars(select(RecoveryCode)).all()
        assert not session.scalars(select(StaffTotp)).all()
        assert not totp.is_on(session, admin_id)


def test_a_renewed_password_at_the_machine_itself_also_ends_the_codes(
    sessions: sessionmaker[Session], admin_id: int, secret: str
) -> None:
    with sessions.begin() as session:
        accounts.create_or_renew(session, 1, "admin", "王老师", Role.SCHOOL_ADMIN)
        assert not totp.is_on(session, admin_id)

"""One-time codes of a phone (TOTP, RFC 6238), and the recovery codes for when the phone is gone."""

import hashlib
import hmac
from datetime import datetime
from enum import StrEnum

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.staff.readable import as_written, new_readable
from card_server.storage.sealing import Seal
from schema.tables.log_in import RecoveryCode, StaffTotp

RECOVERY_CODES = 10
WRONG_CODE = _(
    "This code is wrong or has been used. Wait for the next one. Five failures within 15 minutes"
    " close log-in for the next 15."
)
_STEPS_OFF = 1
"""How many steps of 30 s a phone's clock may be off, either way (RFC 6238 §5.2)."""
_DIGITS = 6


class Proof(StrEnum):
    """By what somebody proved to be who they are, after the password."""

    APP = "app"
    RECOVERY_CODE = "recovery_code"


def is_on(session: Session, staff_id: int) -> bool:
    """Whether log-in asks for a code."""
    found = session.get(StaffTotp, staff_id)
    return found is not None and found.confirmed_at is not None


def begin(session: Session, seal: Seal, staff_id: int) -> None:
    """Make a secret for a phone; log-in asks for no code until one has confirmed it.

    Raises AppError(CONFLICT) when codes are switched on already.
    """
    if is_on(session, staff_id):
        raise AppError(Code.CONFLICT, "Codes are switched on already. Switch them off first.")
    sealed = seal.close(pyotp.random_base32())
    row = session.get(StaffTotp, staff_id)
    if row is None:
        session.add(StaffTotp(staff_id=staff_id, secret_sealed=sealed))
    else:
        row.secret_sealed = sealed
    session.flush()


def unconfirmed_secret(session: Session, seal: Seal, staff_id: int) -> str | None:
    """The secret that a phone is to take; None once it has been confirmed, or before it is made."""
    row = session.get(StaffTotp, staff_id)
    if row is None or row.confirmed_at is not None:
        return None
    return seal.open(row.secret_sealed)


def address_for_phone(secret: str, login: str, issuer: str) -> str:
    """What the picture says to the phone's app (otpauth://…)."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def confirm(session: Session, seal: Seal, staff_id: int, code: str, now: datetime) -> list[str]:
    """Switch codes on, and give the recovery codes, which are known at this moment only.

    Raises AppError(INVALID) when the phone's code is wrong, AppError(CONFLICT) when there is
    nothing to confirm.
    """
    row = session.get(StaffTotp, staff_id, with_for_update=True)
    if row is None or row.confirmed_at is not None:
        raise AppError(Code.CONFLICT, "There is nothing to confirm. Begin again.")
    step = _step_of(seal.open(row.secret_sealed), code, now)
    if step is None:
        raise AppError(
            Code.INVALID, "This is not the phone's code. Look whether its clock is right."
        )
    row.confirmed_at, row.last_step = now, step
    return renew_recovery_codes(session, staff_id)


def use_code(session: Session, seal: Seal, staff_id: int, code: str, now: datetime) -> Proof | None:
    """Use up a code of the phone or a recovery code; None when it is neither, or used already."""
    if _use_app_code(session, seal, staff_id, code, now):
        return Proof.APP
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == staff_id,
            RecoveryCode.code_hash == _hash(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return Proof.RECOVERY_CODE if used.first() else None


def renew_recovery_codes(session: Session, staff_id: int) -> list[str]:
    """Ten new recovery codes; the old ones are void."""
    codes = [new_readable() for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    session.add_all(RecoveryCode(staff_id=staff_id, code_hash=_hash(code)) for code in codes)
    session.flush()
    return codes


def recovery_codes_left(session: Session, staff_id: int) -> int:
    """How many recovery codes are still good."""
    return session.scalars(
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))
    ).one()


def switch_off(session: Session, staff_id: int) -> None:
    """Forget the secret and the recovery codes; the caller has checked that this may be done."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    session.execute(delete(StaffTotp).where(StaffTotp.staff_id == staff_id))


def _use_app_code(session: Session, seal: Seal, staff_id: int, code: str, now: datetime) -> bool:
    row = session.get(StaffTotp, staff_id)
    if row is None or row.confirmed_at is None:
        return False
    step = _step_of(seal.open(row.secret_sealed), code, now)
    if step is None:
        return False
    # One statement: of two requests with the same code one comes second and changes nothing.
    used = session.execute(
        update(StaffTotp)
        .where(StaffTotp.staff_id == staff_id, StaffTotp.last_step < step)
        .values(last_step=step)
        .returning(StaffTotp.staff_id)
        .execution_options(synchronize_session=False)
    )
    return used.first() is not None


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step whose code this is; all steps are compared, whichever is right."""
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdigit() and len(typed) == _DIGITS):
        return None
    totp = pyotp.TOTP(secret)
    present = totp.timecode(now)
    right = [
        step
        for step in range(present - _STEPS_OFF, present + _STEPS_OFF + 1)
        if hmac.compare_digest(totp.generate_otp(step), typed)
    ]
    return right[-1] if right else None


def _hash(code: str) -> bytes:
    """A recovery code has 78 random bits, so a plain hash cannot be turned back."""
    return hashlib.sha256(as_written(code).encode()).digest()

"""What a person of the staff takes note of: limits that were reached, numbers that get nothing."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.messages.standing import clear_number
from schema.tables.messages import MessageCount, PhoneStanding
from schema.tables.people import Guardian


def note_limits_seen(session: Session, actor: Actor, school_id: int, until: datetime) -> int:
    """Somebody has seen the limits that were reached until then; how many were news."""
    seen = session.connection().execute(
        update(MessageCount)
        .where(
            MessageCount.school_id == school_id,
            MessageCount.reached_at <= until,
            MessageCount.seen_by == "",
        )
        .values(seen_by=_name(actor))
    )
    if seen.rowcount:
        details = {"limits": seen.rowcount}
        note(session, school_id, actor, "limits.seen", f"school:{school_id}", details=details)
    return seen.rowcount


def note_number_seen(session: Session, actor: Actor, school_id: int, guardian_id: int) -> None:
    """Somebody has seen that nothing goes to a guardian's number. Raises AppError(NOT_FOUND)."""
    phone_hash = _number_of(session, school_id, guardian_id)
    seen = session.connection().execute(
        update(PhoneStanding)
        .where(
            PhoneStanding.school_id == school_id,
            PhoneStanding.phone_hash == phone_hash,
            PhoneStanding.seen_by == "",
        )
        .values(seen_by=_name(actor))
    )
    if seen.rowcount:
        note(session, school_id, actor, "guardian.stop_seen", f"guardian:{guardian_id}")


def free_number(
    session: Session, actor: Actor, school_id: int, guardian_id: int, reason: str
) -> None:
    """Let messages go to a guardian's number again, because the guardian asked for it.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when nothing keeps them back; FieldsError
    without a reason.
    """
    phone_hash = _number_of(session, school_id, guardian_id)
    wrong = Problems()
    said = wrong.text("reason", reason, 200)
    wrong.refuse()
    standing = session.get(PhoneStanding, (school_id, phone_hash), with_for_update=True)
    if standing is None or (standing.stopped_at is None and standing.bad_at is None):
        raise AppError(Code.CONFLICT, "Nothing keeps messages from this number any more.")
    clear_number(session.connection(), school_id, phone_hash)
    details = {
        "stopped_by": standing.stopped_by.value if standing.stopped_by else None,
        "bad_because": standing.bad_because,
    }
    subject = f"guardian:{guardian_id}"
    note(session, school_id, actor, "guardian.freed", subject, reason=said, details=details)
    session.expire(standing)


def _number_of(session: Session, school_id: int, guardian_id: int) -> bytes:
    found = session.scalar(
        select(Guardian.phone_hash).where(
            Guardian.school_id == school_id, Guardian.id == guardian_id
        )
    )
    if found is None:
        raise AppError(Code.NOT_FOUND, "There is no such guardian in this school.")
    return found


def _name(actor: Actor) -> str:
    return actor.name[:120] or actor.kind

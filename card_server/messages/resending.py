"""What staff do with a message that did not arrive, or of which nobody knows: decide, send again.

Sending again writes another message, which is judged and counted as any other; of one message
there is one such at most. Each is done with a reason, and noted.
"""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from card_server.messages.kinds import worth_until
from card_server.seen import fingerprint, refuse_if_changed
from card_server.webhooks.outbox import MessageKey, tell_of_messages
from schema.tables.messages import Message, MessageKind, MessageState, Suppression

TIMELESS: Final = frozenset({MessageKind.LEAVE, MessageKind.LIBRARY, MessageKind.NOTICE})
"""Kinds that say nothing wrong when they come late."""
ARRIVED: Final = _("Staff decided that it arrived.")
NOT_ARRIVED: Final = _("Staff decided that it did not arrive.")
_FAILED: Final = (MessageState.FAILED, MessageState.UNDELIVERED, MessageState.UNKNOWN)


class Ended(NamedTuple):
    """What of a message decides whether it may be sent again."""

    kind: MessageKind
    state: MessageState
    suppression: Suppression | None
    expires_at: datetime
    was_resent: bool


def refuse_resending(one: Ended, now: datetime, *, although_stale: bool) -> str | None:
    """Why it cannot be sent again, as a sentence; None when it can. Pure."""
    is_limited = one.suppression is Suppression.LIMIT
    if one.state not in _FAILED and not is_limited:
        return _("Only a message that did not arrive can be sent again.")
    if one.kind is MessageKind.CODE:
        return _("A code is never sent again: the guardian asks for a new one.")
    if one.was_resent:
        return _("It was sent again already: see the message that took its place.")
    if one.expires_at > now:
        return None
    if one.kind not in TIMELESS:
        return _("It is too late: what it says is not worth knowing any more.")
    return None if although_stale else _("It is late. Tick that it is to be sent all the same.")


def seen_of(state: MessageState, changed_at: datetime) -> str:
    """What a form carries, so that nothing is done to a message that has moved meanwhile."""
    return fingerprint({"state": state.value, "changed_at": changed_at.isoformat()})


def decide(
    session: Session,
    actor: Actor,
    key: MessageKey,
    reason: str,
    now: datetime,
    *,
    has_arrived: bool,
    seen: str | None = None,
) -> None:
    """Say of an unclear message whether it arrived.

    Raises AppError: NOT_FOUND, CONFLICT when it is not unclear (any more); FieldsError without a
    reason.
    """
    said = _read_reason(reason)
    message = _lock(session, key, seen)
    if message.state is not MessageState.UNKNOWN:
        raise AppError(Code.CONFLICT, "It is clear by now what became of this message.")
    _settle(session, message, now, has_arrived=has_arrived)
    details = {"has_arrived": has_arrived, "student": message.student_id}
    subject = _name(key.id)
    note(session, key.school_id, actor, "message.decided", subject, reason=said, details=details)


def resend(
    session: Session,
    actor: Actor,
    key: MessageKey,
    reason: str,
    now: datetime,
    *,
    although_stale: bool = False,
    seen: str | None = None,
) -> UUID:
    """Queue a message anew; the id of the one that takes its place.

    An unclear one is thereby decided not to have arrived. Raises AppError: NOT_FOUND, CONFLICT
    when it cannot be sent again; FieldsError without a reason.
    """
    said = _read_reason(reason)
    message = _lock(session, key, seen)
    was_resent = find_resent(session, message) is not None
    ended = Ended(message.kind, message.state, message.suppression, message.expires_at, was_resent)
    refusal = refuse_resending(ended, now, although_stale=although_stale)
    if refusal:
        raise AppError(Code.CONFLICT, refusal)
    if message.state is MessageState.UNKNOWN:
        _settle(session, message, now, has_arrived=False)
    again = _copy(message, now)
    session.add(again)
    session.flush()
    details = {"by": str(again.id), "student": message.student_id}
    subject = _name(key.id)
    note(session, key.school_id, actor, "message.resent", subject, reason=said, details=details)
    return again.id


def find_resent(session: Session, message: Message) -> UUID | None:
    """The message by which staff sent this one again."""
    return session.scalar(
        select(Message.id).where(
            Message.school_id == message.school_id,
            Message.student_id == message.student_id,
            Message.created_at >= message.created_at,
            Message.resend_of == message.id,
        )
    )


def _read_reason(typed: str) -> str:
    wrong = Problems()
    reason = wrong.text("reason", typed, 200)
    wrong.refuse()
    return reason


def _lock(session: Session, key: MessageKey, seen: str | None) -> Message:
    """The message, which nobody else changes before the transaction ends."""
    message = session.scalar(
        select(Message)
        .where(Message.school_id == key.school_id, Message.id == key.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if message is None:
        raise AppError(Code.NOT_FOUND, "There is no such message.")
    shown = {"state": message.state.value, "changed_at": message.changed_at.isoformat()}
    refuse_if_changed(shown, seen)
    return message


def _settle(session: Session, message: Message, now: datetime, *, has_arrived: bool) -> None:
    message.state = MessageState.DELIVERED if has_arrived else MessageState.UNDELIVERED
    message.error = ARRIVED if has_arrived else NOT_ARRIVED
    message.look_up_at = message.to_sealed = message.to_hash = None
    message.changed_at = now
    session.flush()
    tell_of_messages(session.connection(), [MessageKey(message.school_id, message.id)], now)


def _copy(message: Message, now: datetime) -> Message:
    """What it says, to be sent anew; what was late is worth as long as a new one."""
    is_stale = message.expires_at <= now
    expires_at = now + worth_until(message.kind, 0) if is_stale else message.expires_at
    return Message(
        school_id=message.school_id,
        id=uuid7(),
        kind=message.kind,
        tap_id=message.tap_id,
        student_id=message.student_id,
        guardian_id=message.guardian_id,
        language=message.language,
        channel=message.channel,
        body=message.body,
        slots=message.slots,
        state=MessageState.QUEUED,
        about_at=message.about_at,
        created_at=now,
        due_at=now,
        expires_at=expires_at,
        resend_of=message.id,
        changed_at=now,
    )


def _name(message_id: UUID) -> str:
    return f"message:{message_id}"

"""What carriers tell of messages and numbers (回执、退订): believed once, and only forward.

Reports may repeat, come late and in any order; each moves its message's state or changes nothing.
"""

import re
import unicodedata
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, or_, select, update
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM, note
from card_server.messages.costs import MOVED, Moved, keep_costs
from card_server.messages.standing import flag_number, stop_number
from card_server.messages.states import states_before
from card_server.storage.sealing import Seal
from card_server.webhooks.outbox import SETTLED, MessageKey, tell_of_messages
from schema.tables.messages import Message, MessageState, StopBy
from schema.tables.people import Guardian
from schema.tables.school import School

STOP_WORDS: Final = frozenset({"td", "t", "r", "退订", "stop", "unsubscribe"})
"""Replies that stop all messages to a number; R is what Chinese networks ask for (拒收请回复R)."""


def take_report(
    session: Session,
    provider: str,
    provider_id: str,
    reference: str,
    state: MessageState,
    sentence: str,
    is_number_bad: bool,
    now: datetime,
) -> bool:
    """Move the message that a carrier reports of to this state; False when it is none to move.

    `reference` is ours, when the carrier repeats it; else `provider_id` names the message.
    """
    named = _named(provider, provider_id, reference, state)
    if named is None:
        return False
    values: dict[str, object] = {
        "state_before": Message.state,
        "state": state,
        "error": sentence[:300] or None,
        "lease_until": None,
        "look_up_at": None,
        "to_sealed": None,
        "to_hash": None,
        "changed_at": now,
    }
    if provider_id:
        values["provider_id"] = provider_id[:64]
    connection = session.connection()
    found = connection.execute(
        update(Message)
        .where(Message.provider == provider, Message.state.in_(states_before(state)), *named)
        .values(values)
        .returning(*MOVED, Message.guardian_id, Message.created_at)
    ).all()
    moved = [Moved(*row[: len(MOVED)]) for row in found]
    for row in found:
        if is_number_bad:
            whom = _Addressee(row.school_id, row.guardian_id, row.created_at)
            _flag(connection, whom, sentence, now)
    if moved and state in SETTLED:
        tell_of_messages(connection, [one.key for one in moved], now)
    keep_costs(connection, moved)
    return bool(moved)


class _Addressee(NamedTuple):
    """Whom a message was for."""

    school_id: int
    guardian_id: int
    created_at: datetime
    """When the message was written."""


def _named(
    provider: str, provider_id: str, reference: str, state: MessageState
) -> list[ColumnElement[bool]] | None:
    """Which message is meant; None when nothing says it."""
    key = read_reference(reference)
    if key is None:
        return [Message.provider_id == provider_id] if provider_id else None
    named = [Message.school_id == key.school_id, Message.id == key.id]
    if provider_id and state is not MessageState.DELIVERED:
        # An earlier try that the carrier took after all: that it failed says nothing of the later.
        named.append(or_(Message.provider_id.is_(None), Message.provider_id == provider_id))
    return named


def read_reference(reference: str) -> MessageKey | None:
    """The message that a reference of ours names; None for one that is not ours."""
    parts = _REFERENCE.fullmatch(reference)
    return MessageKey(int(parts[1]), UUID(parts[2])) if parts else None


_REFERENCE: Final = re.compile(r"([1-9][0-9]{0,8})-([0-9a-f]{32})")


def _flag(connection: Connection, one: _Addressee, sentence: str, now: datetime) -> None:
    """The number that the message went to; a guardian may have another one by now."""
    guardian = connection.execute(
        select(Guardian.phone_hash, Guardian.phone_since).where(Guardian.id == one.guardian_id)
    ).one_or_none()
    if guardian is None:
        return
    if guardian.phone_since is None or guardian.phone_since <= one.created_at:
        flag_number(connection, one.school_id, guardian.phone_hash, sentence, now)


def take_reply(session: Session, seal: Seal, number: str, text: str, now: datetime) -> int:
    """Stop a number (E.164) that asks for it, at every school that has it; how many that was for.

    Any other reply is ignored, and none is kept.
    """
    if not is_stop(text):
        return 0
    phone_hash = seal.hash(number)
    owners = session.execute(
        select(Guardian.school_id, Guardian.id)
        .where(Guardian.school_id.in_(select(School.id)), Guardian.phone_hash == phone_hash)
        .order_by(Guardian.school_id, Guardian.id)
    ).all()
    guardians: dict[int, list[int]] = {}
    for school_id, guardian_id in owners:
        guardians.setdefault(school_id, []).append(guardian_id)
    connection = session.connection()
    stopped = [
        school_id
        for school_id in guardians
        if stop_number(connection, school_id, phone_hash, StopBy.REPLY, now)
    ]
    for school_id in stopped:
        for guardian_id in guardians[school_id]:
            subject, details = f"guardian:{guardian_id}", {"by": StopBy.REPLY.value}
            note(session, school_id, SYSTEM, "guardian.stopped", subject, details=details)
    return len(stopped)


def is_stop(text: str) -> bool:
    """Whether a reply asks for no more messages: in any case and width, however it is set apart."""
    letters = filter(str.isalnum, unicodedata.normalize("NFKC", text))
    return "".join(letters).casefold() in STOP_WORDS

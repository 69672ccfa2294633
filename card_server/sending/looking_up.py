"""Unclear messages: their carrier is asked what became of them, before anything is sent again.

A carrier that says that it never had a message lets it be sent again, if it is still worth it. One
that cannot tell is asked a few times more; then a person decides.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Connection, Update, select, tuple_, update

from card_server.errors import AppError
from card_server.messages.standing import flag_number
from card_server.sending.choosing import Carriers
from card_server.sending.claiming import UNKNOWN
from card_server.sending.outcomes import LOOK_UPS
from card_server.storage.sealing import Seal
from card_server.webhooks.outbox import SETTLED, MessageKey, tell_of_messages
from integrations.sms.protocol import Channel, Fate, Question, Report, SendError
from schema.tables.messages import Message, MessageState
from schema.tables.people import Guardian

_STATES: Final = {
    Fate.ACCEPTED: MessageState.ACCEPTED,
    Fate.DELIVERED: MessageState.DELIVERED,
    Fate.UNDELIVERED: MessageState.UNDELIVERED,
}
TOO_LATE: Final = "The carrier never had it, and it is too late to send it now."

_log = structlog.get_logger()


class LookUp(NamedTuple):
    """An unclear message that this notifier asks about."""

    school_id: int
    id: UUID
    body: str
    provider: str
    provider_id: str | None
    tried_at: datetime | None
    expires_at: datetime
    look_ups: int
    """With this one."""
    changed_at: datetime
    phone_sealed: bytes
    phone_hash: bytes
    wecom_id: str | None


def take_unclear(connection: Connection, now: datetime, most: int) -> list[LookUp]:
    """Up to `most`; each is asked about by one notifier at a time."""
    due = (
        select(Message.school_id, Message.id)
        .where(UNKNOWN, Message.look_up_at <= now)
        .order_by(Message.look_up_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = connection.execute(
        update(Message)
        .where(tuple_(Message.school_id, Message.id).in_(select(due.c.school_id, due.c.id)))
        # Who dies while asking is followed by another one after a while.
        .values(look_up_at=now + timedelta(minutes=5), look_ups=Message.look_ups + 1)
        .returning(
            Message.school_id,
            Message.id,
            Message.body,
            Message.provider,
            Message.provider_id,
            Message.tried_at,
            Message.expires_at,
            Message.look_ups,
            Message.changed_at,
            Message.guardian_id,
        )
    ).all()
    asked = select(Guardian.id, Guardian.phone_sealed, Guardian.phone_hash, Guardian.wecom_id)
    people = {
        person.id: person
        for person in connection.execute(asked.where(Guardian.id.in_({row[9] for row in rows})))
    }
    known: list[tuple[Any, ...]] = [
        (*row[:9], *people[row[9]][1:]) for row in rows if row[9] in people
    ]
    return [LookUp(*one) for one in known]


def ask(carriers: Carriers, seal: Seal, look_up: LookUp) -> Report:
    """What its carrier says; UNSURE when it cannot be asked."""
    if look_up.provider not in carriers:
        return Report(Fate.UNSURE)
    carrier = carriers[look_up.provider]
    try:
        return carrier.look_up(_question(look_up, seal, carrier.channel))
    except (SendError, AppError):
        return Report(Fate.UNSURE)
    except Exception as error:
        # Its text may hold the number.
        _log.warning("look-up failed", message_id=str(look_up.id), error=type(error).__name__)
        return Report(Fate.UNSURE)


def _question(look_up: LookUp, seal: Seal, channel: Channel) -> Question:
    """Raises AppError when the number was sealed with another key."""
    on_wecom = channel is Channel.WECOM
    return Question(
        (look_up.wecom_id or "") if on_wecom else seal.open(look_up.phone_sealed),
        look_up.body,
        f"{look_up.school_id}-{look_up.id.hex}",
        look_up.provider_id or "",
        look_up.tried_at or look_up.changed_at,
    )


def settle(connection: Connection, look_up: LookUp, report: Report, now: datetime) -> None:
    """Write down what a carrier said of an unclear message."""
    if report.fate is Fate.UNSURE:
        _ask_later(connection, look_up, now)
        return
    state, values = _follows(look_up, report, now)
    values |= {"state": state, "look_up_at": None, "changed_at": now}
    changed = connection.execute(_still_asked(look_up).values(values)).rowcount
    if changed and report.is_number_bad:
        flag_number(connection, look_up.school_id, look_up.phone_hash, report.sentence, now)
    if changed and state in SETTLED:
        tell_of_messages(connection, [MessageKey(look_up.school_id, look_up.id)], now)


def _follows(
    look_up: LookUp, report: Report, now: datetime
) -> tuple[MessageState, dict[str, object]]:
    """The state that follows, and what else changes."""
    if report.fate is not Fate.ABSENT:
        said: dict[str, object] = {"error": report.sentence[:300] or None}
        named = {"provider_id": report.provider_id} if report.provider_id else {}
        return _STATES[report.fate], said | named
    if look_up.expires_at <= now:
        return MessageState.FAILED, {"error": TOO_LATE}
    return MessageState.QUEUED, {"error": None, "due_at": now}


def _ask_later(connection: Connection, look_up: LookUp, now: datetime) -> None:
    is_last = look_up.look_ups >= len(LOOK_UPS)
    later = None if is_last else now + LOOK_UPS[look_up.look_ups]
    connection.execute(_still_asked(look_up).values(look_up_at=later))


def _still_asked(look_up: LookUp) -> Update:
    """A change of its row, unless that moved on or was looked up again meanwhile.

    An answer that was held up may tell of an earlier try: by it a later one would be sent again.
    """
    return update(Message).where(
        Message.school_id == look_up.school_id,
        Message.id == look_up.id,
        Message.state == MessageState.UNKNOWN,
        Message.look_ups == look_up.look_ups,
    )

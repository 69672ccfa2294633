"""Unclear messages: their carrier is asked what became of them, before anything is sent again.

A carrier that says that it never had a message lets it be sent again, if it is still worth it. One
that cannot tell is asked a few times more; then a person decides. It is asked by the number that
the message went to, whatever number the guardian has by now.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Connection, Update, case, select, tuple_, update

from card_server.errors import AppError
from card_server.messages.costs import MOVED, Moved, keep_costs
from card_server.messages.limits import Sending, give_back
from card_server.messages.standing import flag_number
from card_server.sending.choosing import Carriers
from card_server.sending.claiming import UNKNOWN
from card_server.sending.outcomes import LOOK_UPS
from card_server.storage.sealing import Seal
from card_server.webhooks.outbox import SETTLED, MessageKey, tell_of_messages
from integrations.sms.protocol import Channel, Fate, Question, Report, SendError
from schema.tables.messages import Message, MessageKind, MessageState
from schema.tables.people import Guardian

_STATES: Final = {
    Fate.ACCEPTED: MessageState.ACCEPTED,
    Fate.DELIVERED: MessageState.DELIVERED,
    Fate.UNDELIVERED: MessageState.UNDELIVERED,
}
TOO_LATE: Final = "The carrier never had it, and it is too late to send it now."
NOBODY_TO_ASK_FOR: Final = (
    "Its carrier cannot be asked any more: the number was deleted with its guardian, or changed."
)
_ERASED: Final = 0
"""The student of a message whose own was erased."""
_FORGOTTEN: Final = {"to_sealed": None, "to_hash": None}

_log = structlog.get_logger()


class LookUp(NamedTuple):
    """An unclear message that this notifier asks about."""

    school_id: int
    id: UUID
    kind: MessageKind
    student_id: int
    guardian_id: int
    price: int
    attempts: int
    body: str
    provider: str
    provider_id: str | None
    tried_at: datetime | None
    tried_on: date | None
    expires_at: datetime
    look_ups: int
    """With this one."""
    changed_at: datetime
    to_sealed: bytes | None
    """The number that it went to; None on WeCom, and once its guardian was deleted."""
    to_hash: bytes | None
    wecom_id: str = ""

    @property
    def can_be_asked(self) -> bool:
        """Whether there is anything by which its carrier would find it."""
        return bool(self.to_sealed or self.wecom_id or self.provider_id)

    @property
    def counted(self) -> Sending | None:
        """As what it counts against the limits of the day on which it was taken."""
        if self.tried_on is None or self.to_hash is None:
            return None
        number, of_school = self.to_hash.hex(), (self.school_id, self.tried_on)
        return Sending(*of_school, number, self.kind, self.student_id, self.price)


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
        .returning(*(getattr(Message, name) for name in LookUp._fields[:-1]))
    ).all()
    taken = _name_on_wecom(connection, [LookUp(*row) for row in rows])
    lost = [one for one in taken if not one.can_be_asked]
    if lost:
        _leave_to_people(connection, lost, now)
    return [one for one in taken if one.can_be_asked]


def _name_on_wecom(connection: Connection, taken: Sequence[LookUp]) -> list[LookUp]:
    """The same, with what WeCom calls the guardians of those that went there."""
    ids = {one.guardian_id for one in taken if one.to_sealed is None}
    if not ids:
        return [*taken]
    wanted = select(Guardian.id, Guardian.wecom_id).where(Guardian.id.in_(ids))
    names = {row.id: row.wecom_id or "" for row in connection.execute(wanted)}
    return [
        one if one.to_sealed else one._replace(wecom_id=names.get(one.guardian_id, ""))
        for one in taken
    ]


def _leave_to_people(connection: Connection, lost: Sequence[LookUp], now: datetime) -> None:
    """Nobody can be asked, so a person decides; of an erased student there is nothing to decide."""
    is_erased = Message.student_id == _ERASED
    connection.execute(
        update(Message)
        .where(tuple_(Message.school_id, Message.id).in_([(one[0], one[1]) for one in lost]))
        .values(
            state=case((is_erased, MessageState.UNDELIVERED), else_=Message.state),
            error=NOBODY_TO_ASK_FOR,
            look_up_at=None,
            changed_at=now,
            **_FORGOTTEN,
        )
    )


def ask(carriers: Carriers, seal: Seal, look_up: LookUp) -> Report:
    """What its carrier says; UNSURE when it cannot be asked."""
    if look_up.provider not in carriers:
        return Report(Fate.UNSURE)
    carrier = carriers[look_up.provider]
    by_number = carrier.channel is Channel.SMS and not look_up.provider_id
    if by_number and not look_up.to_sealed:
        return Report(Fate.UNSURE)
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
    number = seal.open(look_up.to_sealed) if look_up.to_sealed else ""
    return Question(
        look_up.wecom_id if channel is Channel.WECOM else number,
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
    values |= {"state_before": Message.state, "state": state, "look_up_at": None}
    values |= {"changed_at": now, **_FORGOTTEN}
    found = connection.execute(_still_asked(look_up).values(values).returning(*MOVED))
    moved = [Moved(*row) for row in found]
    if not moved:
        return
    if report.is_number_bad and look_up.to_hash:
        flag_number(connection, look_up.school_id, look_up.to_hash, report.sentence, now)
    if state in SETTLED:
        tell_of_messages(connection, [MessageKey(look_up.school_id, look_up.id)], now)
    if report.fate is Fate.ABSENT and (counted := look_up.counted):
        give_back(connection, [counted])
    keep_costs(connection, moved)


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
    forgotten = _FORGOTTEN if is_last else {}
    connection.execute(_still_asked(look_up).values(look_up_at=later, **forgotten))


def _still_asked(look_up: LookUp) -> Update:
    """A change of its row, unless that moved on or was looked up again meanwhile.

    An answer that was held up may tell of an earlier try: by it a later one would be sent again.
    """
    return update(Message).where(
        Message.school_id == look_up.school_id,
        Message.id == look_up.id,
        Message.state == MessageState.UNKNOWN,
        Message.look_ups == look_up.look_ups,
        Message.attempts == look_up.attempts,
    )

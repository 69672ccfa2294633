"""Taking the messages that are due: each by one notifier, once, and only if it may go out.

What is taken stands as `sending` with a lease before any carrier is called. All that is judged is
judged here, in one transaction that also counts the message against the limits of the day.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Update, bindparam, exists, func, select, text, update

from card_server.figures import notify as figures
from card_server.messages.costs import MOVED, Moved, keep_costs
from card_server.messages.judging import judge_sending
from card_server.messages.limits import Sending, lock_counts
from card_server.sending.choosing import Carriers, Choice, Wanted
from card_server.sending.due import (
    QUEUED,
    Due,
    Price,
    Templates,
    TextKey,
    read_due,
    read_templates,
)
from card_server.webhooks.limits import tell_of_limit
from card_server.webhooks.outbox import tell_of_messages
from integrations.sms.protocol import Channel, SmsCarrier
from schema.tables.messages import (
    LimitScope,
    Message,
    MessageKind,
    MessageState,
    Suppression,
)

LEASE: Final = timedelta(minutes=2)
"""Far longer than a call can take: nothing depends on it but how soon a death is seen."""

SENDING: Final = text("message.state = 'sending'")
UNKNOWN: Final = text("message.state = 'unknown'")
"""Spelt as in the partial indexes: with a parameter there, no database would use them."""


class Claim(NamedTuple):
    """One message that this notifier, and no other, may send once."""

    school_id: int
    id: UUID
    kind: MessageKind
    attempt: int
    carrier: str
    refused_by: frozenset[str]
    wanted: Wanted
    to_sealed: bytes
    """The number; empty where `wecom_id` says who gets it."""
    wecom_id: str
    counted: Sending
    """As what it counts against the limits of this day."""
    body: str
    slots: tuple[tuple[str, str], ...]
    code_sealed: bytes | None
    """Of a message of kind `code`: the digits for which its body has stars."""
    signature: str
    template: str
    created_at: datetime
    expires_at: datetime
    lease_until: datetime
    """From then on others may look it up, and send it again."""

    @property
    def reference(self) -> str:
        """Our name for it at carriers."""
        return f"{self.school_id}-{self.id.hex}"


class Taken(NamedTuple):
    """What one round took."""

    claims: list[Claim]
    judged: int
    """How many messages were due, those included that do not go out."""


class Waiting(NamedTuple):
    """What there is to do for a notifier."""

    is_due: bool
    is_lost: bool
    """A notifier died with messages under way."""
    is_unclear: bool
    """A carrier is to be asked about a message."""


def look_for_work(connection: Connection, now: datetime) -> Waiting:
    """What there is to do; reads the three small indexes alone."""
    oldest, is_lost, is_unclear = connection.execute(_LOOK, {"now": now}).one()
    is_due = oldest is not None and oldest <= now
    figures.QUEUE_AGE.set((now - oldest).total_seconds() if is_due else 0)
    return Waiting(is_due, is_lost, is_unclear)


_LOOK = select(
    select(func.min(Message.due_at)).where(QUEUED).scalar_subquery(),
    exists().where(SENDING, Message.lease_until < bindparam("now")),
    exists().where(UNKNOWN, Message.look_up_at <= bindparam("now")),
)


def give_up_lost(connection: Connection, now: datetime) -> None:
    """What a notifier took with it when it died may have been accepted: it is looked up."""
    lost = connection.execute(
        update(Message)
        .where(SENDING, Message.lease_until < now)
        .values(
            state_before=Message.state,
            state=MessageState.UNKNOWN,
            lease_until=None,
            look_up_at=now,
            changed_at=now,
            error="The notifier ended in the middle of sending: it may have been accepted.",
        )
        .returning(*MOVED)
    )
    moved = [Moved(*row) for row in lost]
    figures.MESSAGES.labels(MessageState.UNKNOWN).inc(len(moved))
    if moved:
        tell_of_messages(connection, [one.key for one in moved], now)
        keep_costs(connection, moved)


def claim_due(connection: Connection, carriers: Carriers, now: datetime, most: int) -> Taken:
    """Up to `most` due messages that may go out, oldest first; the rest of them is settled."""
    due = read_due(connection, now, most)
    if not due:
        return Taken([], 0)
    templates = read_templates(connection, due, carriers.needing_template)
    work = _Work(connection, carriers, templates, now)
    wanting = [one for one in due if work.may_go_out(one)]
    claims = work.admit(wanting)
    work.write()
    return Taken(claims, len(due))


class _Work:
    """One round: what is judged of each due message, and the rows' changes."""

    def __init__(
        self, connection: Connection, carriers: Carriers, templates: Templates, now: datetime
    ) -> None:
        self._connection = connection
        self._carriers = carriers
        self._templates = templates
        self._now = now
        self._changes: list[dict[str, Any]] = []

    def may_go_out(self, one: Due) -> bool:
        """Whether nothing but limits keeps it back; else its row is changed."""
        judged = judge_sending(one.facts(), self._now)
        if judged.suppression:
            self._suppress(one, judged.suppression)
        elif judged.wait_until:
            self._wait(one, judged.wait_until)
        return judged == (None, None)

    def admit(self, wanting: Sequence[Due]) -> list[Claim]:
        """Those for which there is a carrier and room within the limits of the day."""
        prices = [one.price() for one in wanting]
        sendings = [
            one.sending(price.money, self._now) for one, price in zip(wanting, prices, strict=True)
        ]
        tally = lock_counts(self._connection, sendings)
        claims = []
        for one, price, sending in zip(wanting, prices, sendings, strict=True):
            wanted = one.wanted(self._templates)
            choice = self._carriers.choose(wanted)
            if choice.carrier is None:
                self._wait_for_carrier(one, choice)
            elif reached := tally.admit(sending, one.most()):
                self._suppress(one, Suppression.LIMIT, LIMITS[reached])
            else:
                claims.append(self._take(one, wanted, choice.carrier, price, sending))
        for key in tally.save(self._connection, self._now):
            tell_of_limit(self._connection, key.school_id, key.scope, self._now)
        return claims

    def write(self) -> None:
        """All rows' changes, row by row in one statement."""
        by_shape: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for change in self._changes:
            by_shape.setdefault(tuple(change), []).append(change)
        for names, changes in by_shape.items():
            self._connection.execute(_change(names), changes)

    def _take(
        self, one: Due, wanted: Wanted, carrier: SmsCarrier, price: Price, counted: Sending
    ) -> Claim:
        attempt, on_wecom = one.attempts + 1, carrier.channel is Channel.WECOM
        self._change(
            one,
            state=MessageState.SENDING,
            provider=carrier.name,
            attempts=attempt,
            segments=price.segments,
            price=price.money,
            to_sealed=None if on_wecom else one.phone_sealed,
            to_hash=one.phone_hash,
            lease_until=self._now + LEASE,
            tried_at=self._now,
            tried_on=counted.day,
            homeroom_id=one.homeroom_id,
        )
        text_key = TextKey(one.school_id, carrier.name, one.kind, one.language)
        return Claim(
            one.school_id,
            one.id,
            one.kind,
            attempt,
            carrier.name,
            frozenset(one.refused_by.split()),
            wanted,
            b"" if on_wecom else one.phone_sealed or b"",
            one.wecom_id if on_wecom else "",
            counted,
            one.body,
            tuple((name, value) for name, value in json.loads(one.slots)),
            one.code_sealed if one.kind is MessageKind.CODE else None,
            one.signature,
            self._templates.get(text_key, ""),
            one.created_at,
            one.expires_at,
            self._now + LEASE,
        )

    def _suppress(self, one: Due, why: Suppression, sentence: str | None = None) -> None:
        figures.MESSAGES.labels(MessageState.SUPPRESSED).inc()
        said = {"error": sentence} if sentence else {}
        self._change(one, state=MessageState.SUPPRESSED, suppression=why, **said)

    def _wait_for_carrier(self, one: Due, choice: Choice) -> None:
        if one.refused_by:
            # Whoever is left rests, or is in the settings no more: all are asked anew, and the
            # first may be well again by then.
            self._change(one, refused_by="", due_at=min(self._now + _NEW_ROUND, one.expires_at))
        elif choice.again_at:
            self._wait(one, choice.again_at)
        else:
            self._wait(one, self._now + _NO_CARRIER, _NO_TEXT)

    def _wait(self, one: Due, until: datetime, sentence: str | None = None) -> None:
        said = {"error": sentence} if sentence else {}
        self._change(one, due_at=min(until, one.expires_at), **said)

    def _change(self, one: Due, **values: Any) -> None:
        values["changed_at"] = self._now
        changes = {f"new_{name}": value for name, value in values.items()}
        self._changes.append({"of_school_id": one.school_id, "of_id": one.id} | changes)


@cache
def _change(names: tuple[str, ...]) -> Update:
    """An update of one message by its key, with these parameters."""
    changed = [name for name in names if name.startswith("new_")]
    return (
        update(Message)
        .where(Message.school_id == bindparam("of_school_id"), Message.id == bindparam("of_id"))
        .values({name.removeprefix("new_"): bindparam(name) for name in changed})
    )


_NEW_ROUND: Final = timedelta(seconds=5)
_NO_CARRIER: Final = timedelta(minutes=1)
_NO_TEXT: Final = "No carrier can send this text: the code of its approved template is missing."
LIMITS: Final = {
    LimitScope.NUMBER: "The number has had as many messages today as it may get.",
    LimitScope.NUMBER_AND_KIND: "The number has had as many messages of this kind as it may get.",
    LimitScope.STUDENT: "As many messages about this student were sent today as may be.",
    LimitScope.SCHOOL: "The school's limit of messages or money for today is reached.",
}
"""What staff read of a message that a limit kept back."""

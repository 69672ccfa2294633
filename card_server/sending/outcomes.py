"""What follows from one try to send a message, and its recording: only forward."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, TextualSelect, bindparam, text, update

from card_server.messages.costs import MOVED, Moved, keep_costs
from card_server.messages.limits import Sending, give_back
from card_server.messages.standing import flag_number
from card_server.messages.states import states_before
from card_server.sending.claiming import Claim
from card_server.storage.bulk import encode_rows, given_clause
from card_server.webhooks.outbox import SETTLED, tell_of_messages
from integrations.sms.protocol import SendError, Verdict
from schema.tables.messages import Message, MessageState

LOOK_UPS: Final = tuple(timedelta(minutes=minutes) for minutes in (1.1, 3, 10, 30, 120))
"""After so long each a message that is unclear is looked up at its carrier; then people decide."""


class Outcome(NamedTuple):
    """What became of one try."""

    state: MessageState
    due_at: datetime | None = None
    """When to try again; None for never."""
    provider_id: str | None = None
    error: str | None = None
    is_number_bad: bool = False
    refused_by: frozenset[str] = frozenset()
    """The carriers that are not asked again in this round."""
    is_spent: bool = False
    """Of a message that did not go out: its carrier counts and may charge it all the same."""

    @property
    def is_given_back(self) -> bool:
        """Whether it counts against no limit: it surely reached nobody and cost nothing."""
        return self.state in (MessageState.QUEUED, MessageState.FAILED) and not self.is_spent


class Tried(NamedTuple):
    """A try and its outcome."""

    claim: Claim
    outcome: Outcome


def judge(
    error: SendError, claim: Claim, now: datetime, chance: float, *, may_another_take: bool
) -> Outcome:
    """What follows from a failed try; `chance` in [0, 1) spreads the next ones. Pure."""
    if error.verdict is Verdict.AMBIGUOUS:
        return Outcome(MessageState.UNKNOWN, error=error.message)
    refused = Outcome(
        MessageState.FAILED,
        error=error.message,
        is_number_bad=error.is_number_bad,
        is_spent=error.is_spent,
    )
    if error.verdict is Verdict.PERMANENT:
        return refused
    waits = refused._replace(state=MessageState.QUEUED)
    if may_another_take:
        return waits._replace(due_at=now, refused_by=claim.refused_by | {claim.carrier})
    # Once expired it is not sent: being due then lets it be marked stale, with this error.
    due_at = now + _wait_after(error, claim.attempt, chance)
    return waits._replace(due_at=min(due_at, claim.expires_at))


def _wait_after(error: SendError, attempt: int, chance: float) -> timedelta:
    """How long a message waits that nobody takes now."""
    if error.retry_after_s is not None:
        return timedelta(seconds=max(error.retry_after_s, 1.0))
    first_s = _NUMBERS_WAIT_S if error.verdict is Verdict.NUMBER_QUOTA else _FIRST_WAIT_S
    longest_s = min(first_s * 2 ** min(attempt - 1, 10), _LONGEST_WAIT_S)
    return timedelta(seconds=longest_s * (0.5 + chance / 2))


_FIRST_WAIT_S: Final = 5.0
_NUMBERS_WAIT_S: Final = 60.0
"""The shortest time over which carriers count what a number gets is half a minute or a minute."""
_LONGEST_WAIT_S: Final = 300.0


def record(connection: Connection, tries: Sequence[Tried], now: datetime) -> None:
    """Write these outcomes; each for that very try alone."""
    ordered = sorted(tries, key=lambda one: (one.claim.school_id, one.claim.id))
    taken = [one for one in ordered if one.outcome.state is MessageState.ACCEPTED]
    moved = _record_taken(connection, taken, now) if taken else []
    refused: list[Sending] = []
    for claim, outcome in ordered:
        if outcome.state is MessageState.ACCEPTED:
            continue
        changed = _record_other(connection, claim, outcome, now)
        moved += changed
        if changed and outcome.is_number_bad:
            number = bytes.fromhex(claim.counted.number)
            flag_number(connection, claim.school_id, number, outcome.error or "", now)
        if changed and outcome.is_given_back:
            refused.append(claim.counted)
    if settled := [one.key for one in moved if one.state in SETTLED]:
        tell_of_messages(connection, settled, now)
    give_back(connection, refused)
    keep_costs(connection, moved)


class _Taken(Struct):
    """A message that a carrier took (columns of `message`)."""

    school_id: int
    id: UUID
    attempts: int
    provider_id: str


def _record_taken(connection: Connection, tries: Sequence[Tried], now: datetime) -> list[Moved]:
    """What nearly all tries come to, in one statement for all of them; those that it changed."""
    rows = [
        _Taken(claim.school_id, claim.id, claim.attempt, outcome.provider_id or "")
        for claim, outcome in tries
    ]
    found = connection.execute(
        _taken_update(connection.dialect.name), {"given": encode_rows(rows), "now": now}
    )
    return [Moved(*row) for row in found]


@cache
def _taken_update(dialect: str) -> TextualSelect:
    given = given_clause(dialect, Message, _Taken.__struct_fields__)
    before = ", ".join(f"'{state}'" for state in states_before(MessageState.ACCEPTED))
    statement = text(
        "UPDATE message SET state_before = message.state, state = 'accepted',"  # noqa: S608 - our own names
        " provider_id = given.provider_id,"
        " error = NULL, lease_until = NULL, look_up_at = NULL, refused_by = '',"
        " to_sealed = NULL, to_hash = NULL, changed_at = :now"
        f" FROM {given} WHERE message.school_id = given.school_id AND message.id = given.id"
        f" AND message.attempts = given.attempts AND message.state IN ({before})"
        f" RETURNING {', '.join(f'message.{name}' for name in Moved._fields)}"
    ).bindparams(bindparam("now", type_=Message.changed_at.type))
    return statement.columns(*MOVED)


def _record_other(
    connection: Connection, claim: Claim, outcome: Outcome, now: datetime
) -> list[Moved]:
    """The message itself, if that changed it."""
    found = connection.execute(
        update(Message)
        .where(
            Message.school_id == claim.school_id,
            Message.id == claim.id,
            Message.attempts == claim.attempt,
            Message.state.in_(states_before(outcome.state)),
        )
        .values(_values(outcome, now))
        .returning(*MOVED)
    )
    return [Moved(*row) for row in found]


def _values(outcome: Outcome, now: datetime) -> dict[str, object]:
    is_unclear = outcome.state is MessageState.UNKNOWN
    values: dict[str, object] = {
        "state_before": Message.state,
        "state": outcome.state,
        "error": outcome.error and outcome.error[:300],
        "lease_until": None,
        "refused_by": " ".join(sorted(outcome.refused_by)),
        "look_up_at": now + LOOK_UPS[0] if is_unclear else None,
        "changed_at": now,
    }
    if not is_unclear:
        values |= {"to_sealed": None, "to_hash": None}
    if outcome.provider_id is not None:
        values["provider_id"] = outcome.provider_id
    if outcome.due_at:
        values["due_at"] = outcome.due_at
    return values

"""What follows from one try to send a message, and its recording: only forward."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, TextualSelect, bindparam, text, update

from card_server.messages.standing import flag_number
from card_server.messages.states import states_before
from card_server.sending.claiming import Claim
from card_server.storage.bulk import encode_rows, given_clause
from card_server.webhooks.outbox import SETTLED, MessageKey, tell_of_messages
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
    if error.verdict is Verdict.PERMANENT:
        bad = error.is_number_bad
        return Outcome(MessageState.FAILED, error=error.message, is_number_bad=bad)
    if may_another_take:
        refused_by = claim.refused_by | {claim.carrier}
        return Outcome(MessageState.QUEUED, now, error=error.message, refused_by=refused_by)
    back_off_s = min(5.0 * 2 ** min(claim.attempt - 1, 10), 300.0) * (0.5 + chance / 2)
    wait_s = back_off_s if error.retry_after_s is None else max(error.retry_after_s, 1.0)
    due_at = now + timedelta(seconds=wait_s)
    # Once expired it is not sent: being due then lets it be marked stale, with this error.
    return Outcome(MessageState.QUEUED, min(due_at, claim.expires_at), error=error.message)


def record(connection: Connection, tries: Sequence[Tried], now: datetime) -> None:
    """Write these outcomes; each for that very try alone."""
    ordered = sorted(tries, key=lambda one: (one.claim.school_id, one.claim.id))
    taken = [one for one in ordered if one.outcome.state is MessageState.ACCEPTED]
    settled = _record_taken(connection, taken, now) if taken else []
    for claim, outcome in ordered:
        if outcome.state is MessageState.ACCEPTED:
            continue
        is_changed = _record_other(connection, claim, outcome, now)
        if is_changed and outcome.is_number_bad:
            flag_number(connection, claim.school_id, claim.phone_hash, outcome.error or "", now)
        if is_changed and outcome.state in SETTLED:
            settled.append(MessageKey(claim.school_id, claim.id))
    if settled:
        tell_of_messages(connection, settled, now)


class _Taken(Struct):
    """A message that a carrier took (columns of `message`)."""

    school_id: int
    id: UUID
    attempts: int
    provider_id: str


def _record_taken(
    connection: Connection, tries: Sequence[Tried], now: datetime
) -> list[MessageKey]:
    """What nearly all tries come to, in one statement for all of them; those that it changed."""
    rows = [
        _Taken(claim.school_id, claim.id, claim.attempt, outcome.provider_id or "")
        for claim, outcome in tries
    ]
    found = connection.execute(
        _taken_update(connection.dialect.name), {"given": encode_rows(rows), "now": now}
    )
    return [MessageKey(*row) for row in found]


@cache
def _taken_update(dialect: str) -> TextualSelect:
    given = given_clause(dialect, Message, _Taken.__struct_fields__)
    before = ", ".join(f"'{state}'" for state in states_before(MessageState.ACCEPTED))
    statement = text(
        f"UPDATE message SET state = 'accepted', provider_id = given.provider_id,"  # noqa: S608 - our own names
        " error = NULL, lease_until = NULL, look_up_at = NULL, refused_by = '', changed_at = :now"
        f" FROM {given} WHERE message.school_id = given.school_id AND message.id = given.id"
        f" AND message.attempts = given.attempts AND message.state IN ({before})"
        " RETURNING message.school_id, message.id"
    ).bindparams(bindparam("now", type_=Message.changed_at.type))
    return statement.columns(Message.school_id, Message.id)


def _record_other(connection: Connection, claim: Claim, outcome: Outcome, now: datetime) -> bool:
    changed = connection.execute(
        update(Message)
        .where(
            Message.school_id == claim.school_id,
            Message.id == claim.id,
            Message.attempts == claim.attempt,
            Message.state.in_(states_before(outcome.state)),
        )
        .values(_values(claim, outcome, now))
    )
    return changed.rowcount > 0


def _values(claim: Claim, outcome: Outcome, now: datetime) -> dict[str, object]:
    is_unclear = outcome.state is MessageState.UNKNOWN
    values: dict[str, object] = {
        "state": outcome.state,
        "error": outcome.error and outcome.error[:300],
        "lease_until": None,
        "refused_by": " ".join(sorted(outcome.refused_by)),
        "look_up_at": now + LOOK_UPS[0] if is_unclear else None,
        "changed_at": now,
    }
    if outcome.provider_id is not None:
        values["provider_id"] = outcome.provider_id
    if outcome.due_at:
        values["due_at"] = outcome.due_at
    return values

"""Whose turn it is: claiming a webhook with what waits for it, and what follows from each try.

A claim holds a webhook, not an event: one event at a time goes to a receiver, in the order in which
things happened. It lasts as long as its lease, so that the events of a process that died are sent
again, under the same ids, by another one.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, exists, func, select, text, tuple_, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.audit.writing import SYSTEM
from card_server.webhooks.post import Answer
from card_server.webhooks.webhook import end_gone_webhook
from schema.tables.webhooks import DeliveryState, Trouble, Webhook, WebhookDelivery

LEASE: Final = timedelta(minutes=2)
"""Far longer than one try can take; it begins anew with each."""
KEPT: Final = timedelta(days=30)
"""How long staff can look an event up, and send it again."""
_AT_ONCE: Final = 50
_LONGEST_REST_S: Final = 60.0
"""A receiver that comes back is found so soon, however long it was away."""
_LONGEST_WAIT_S: Final = 3600.0
_GONE: Final = 410
_FORGET_AT_ONCE: Final = 5_000


class Waiting(NamedTuple):
    """An event that is due."""

    id: UUID
    body: str
    attempts: int
    give_up_at: datetime


class Claim(NamedTuple):
    """A webhook that this process, and no other, sends to until its lease runs out."""

    webhook_id: int
    school_id: int
    url: str
    secret_sealed: bytes
    lease: UUID
    events: list[Waiting]


class Tried(NamedTuple):
    """How one try ended."""

    event: Waiting
    answer: Answer | None
    trouble: Trouble | None
    """None when the event was taken."""


class Next(NamedTuple):
    """What follows from a try."""

    state: DeliveryState
    due_at: datetime | None = None
    resume_at: datetime | None = None
    is_gone: bool = False


def judge(tried: Tried, failures: int, now: datetime, chance: float) -> Next:
    """What follows from a try, after so many failures in a row; `chance` in [0, 1). Pure.

    The webhook rests as long as its event waits, at first: the event goes first again, and order is
    kept. From a minute on the event waits longer than the webhook rests, and the others go by: one
    event that a receiver chokes on does not hold up the rest.
    """
    if tried.trouble is None:
        return Next(DeliveryState.DELIVERED)
    if tried.answer and tried.answer.status == _GONE:
        return Next(DeliveryState.FAILED, is_gone=True)
    asked_s = (tried.answer.retry_after_s if tried.answer else None) or 0.0
    share = 0.5 + chance / 2
    rest_s = max(_back_off_s(failures + 1, _LONGEST_REST_S) * share, asked_s)
    wait_s = max(_back_off_s(tried.event.attempts + 1, _LONGEST_WAIT_S) * share, asked_s)
    due_at, resume_at = now + timedelta(seconds=wait_s), now + timedelta(seconds=rest_s)
    if due_at >= tried.event.give_up_at:
        return Next(DeliveryState.FAILED, resume_at=resume_at)
    return Next(DeliveryState.WAITING, due_at, resume_at)


def is_something_to_do(connection: Connection, now: datetime) -> bool:
    """Whether a claim would find anything; it only reads."""
    oldest = select(func.min(WebhookDelivery.give_up_at)).where(_WAITING).scalar_subquery()
    free, give_up_at = connection.execute(select(exists().where(*_is_free(now)), oldest)).one()
    return bool(free) or (give_up_at is not None and give_up_at <= now)


def claim(session: Session, now: datetime, most: int) -> list[Claim]:
    """Up to `most` webhooks that are free and have something due; longest untried first."""
    webhooks = session.scalars(
        select(Webhook)
        .where(*_is_free(now))
        .order_by(func.coalesce(Webhook.tried_at, Webhook.created_at))
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    claims = []
    for webhook in webhooks:
        events = _due_events(session, webhook, now)
        if events:
            webhook.lease, webhook.lease_until = uuid7(), now + LEASE
            claims.append(
                Claim(
                    webhook.id,
                    webhook.school_id,
                    webhook.url,
                    webhook.secret_sealed,
                    webhook.lease,
                    events,
                )
            )
    return claims


def record(session: Session, held: Claim, tried: Tried, now: datetime, chance: float) -> bool:
    """Record a try; whether the claim still stands and the next event may be sent."""
    webhook = session.scalars(
        select(Webhook).where(Webhook.id == held.webhook_id).with_for_update()
    ).one()
    follows = judge(tried, webhook.failures, now, chance)
    _record_event(session, held, tried, follows, now)
    if webhook.lease != held.lease:
        return False
    webhook.tried_at, webhook.lease_until = now, now + LEASE
    webhook.failures = 0 if tried.trouble is None else webhook.failures + 1
    if follows.resume_at:
        webhook.resume_at = follows.resume_at
    if follows.is_gone and webhook.disabled_at is None:
        end_gone_webhook(session, webhook, SYSTEM, now)
    is_to_go_on = tried.trouble is None and webhook.disabled_at is None
    if not is_to_go_on:
        webhook.lease = webhook.lease_until = None
    return is_to_go_on


def release(session: Session, held: Claim) -> None:
    """Let others send to this webhook."""
    session.execute(
        update(Webhook)
        .where(Webhook.id == held.webhook_id, Webhook.lease == held.lease)
        .values(lease=None, lease_until=None)
    )


def give_up_old(session: Session, now: datetime) -> int:
    """Events that nobody took in their time fail; how many."""
    return (
        session.connection()
        .execute(
            update(WebhookDelivery)
            .where(_WAITING, WebhookDelivery.give_up_at <= now)
            .values(
                state=DeliveryState.FAILED,
                trouble=func.coalesce(WebhookDelivery.trouble, Trouble.TIME_OVER.value),
            )
        )
        .rowcount
    )


def forget_old(session: Session, now: datetime) -> int:
    """Delete some of the events that are too old to be looked up; how many, 0 when none is left."""
    old = (
        select(WebhookDelivery.school_id, WebhookDelivery.id)
        .where(
            WebhookDelivery.created_at < now - KEPT,
            WebhookDelivery.state != DeliveryState.WAITING,
        )
        .limit(_FORGET_AT_ONCE)
    )
    key = tuple_(WebhookDelivery.school_id, WebhookDelivery.id)
    return session.connection().execute(delete(WebhookDelivery).where(key.in_(old))).rowcount


_WAITING = text("webhook_delivery.state = 'waiting'")
"""Spelt as in the partial indexes: with a parameter there, no database would use them."""


def _is_free(now: datetime) -> list[ColumnElement[bool]]:
    # Asked for the first event in order rather than for any: only one index can answer that, and
    # no database comes to read the whole table because most of it seems to wait.
    due = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.webhook_id == Webhook.id, _WAITING, WebhookDelivery.due_at <= now)
        .order_by(WebhookDelivery.id)
        .limit(1)
        .scalar_subquery()
    )
    return [
        Webhook.disabled_at.is_(None),
        Webhook.resume_at <= now,
        Webhook.lease_until.is_(None) | (Webhook.lease_until < now),
        due.is_not(None),
    ]


def _due_events(session: Session, webhook: Webhook, now: datetime) -> list[Waiting]:
    found = session.execute(
        select(
            WebhookDelivery.id,
            WebhookDelivery.body,
            WebhookDelivery.attempts,
            WebhookDelivery.give_up_at,
        )
        .where(
            WebhookDelivery.webhook_id == webhook.id,
            _WAITING,
            WebhookDelivery.due_at <= now,
            WebhookDelivery.give_up_at > now,
        )
        .order_by(WebhookDelivery.id)
        .limit(_AT_ONCE)
    )
    return [Waiting(*row) for row in found]


def _record_event(
    session: Session, held: Claim, tried: Tried, follows: Next, now: datetime
) -> None:
    """Only for this very try: whoever has been resent or given up meanwhile stays as it is."""
    values = {
        "state": follows.state,
        "attempts": tried.event.attempts + 1,
        "status": tried.answer.status if tried.answer else None,
        "trouble": tried.trouble,
        "tried_at": now,
    }
    if follows.due_at:
        values["due_at"] = follows.due_at
    session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.school_id == held.school_id,
            WebhookDelivery.id == tried.event.id,
            WebhookDelivery.attempts == tried.event.attempts,
            WebhookDelivery.state != DeliveryState.DELIVERED,
        )
        .values(values)
    )


def _back_off_s(times: int, most: float) -> float:
    """2, 4, 8 … seconds."""
    return float(min(2 ** min(times, 20), most))

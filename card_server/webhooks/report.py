"""What pages show of webhooks and of their deliveries."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.webhooks.webhook import OFFERED
from schema.tables.webhooks import DeliveryState, EventKind, Trouble, Webhook, WebhookDelivery


@dataclass(frozen=True)
class WebhookLine:
    """One webhook in the list."""

    id: int
    name: str
    host: str
    """Of its address only this: the rest may hold a password."""
    kinds: tuple[EventKind, ...]
    is_enabled: bool
    is_gone: bool
    failures: int
    waiting: int
    """Events that are still to be delivered."""
    tried_at: datetime | None
    resume_at: datetime
    """When it is tried again, after failures."""


@dataclass(frozen=True)
class Delivery:
    """One event on its way."""

    id: UUID
    kind: EventKind
    state: DeliveryState
    attempts: int
    status: int | None
    trouble: Trouble | None
    created_at: datetime
    tried_at: datetime | None
    due_at: datetime
    """While it waits: not before; also its webhook may rest longer."""


def list_webhooks(session: Session, school_id: int) -> list[WebhookLine]:
    """All webhooks of a school, those that work first, in two queries."""
    webhooks = session.scalars(select(Webhook).where(Webhook.school_id == school_id)).all()
    waiting = _count_waiting(session, school_id)
    lines = [describe(one, waiting.get(one.id, 0)) for one in webhooks]
    return sorted(lines, key=lambda line: (not line.is_enabled, line.id))


def describe(webhook: Webhook, waiting: int) -> WebhookLine:
    """A webhook's row as pages show it."""
    return WebhookLine(
        webhook.id,
        webhook.name,
        urlsplit(webhook.url).hostname or "",
        tuple(kind for kind in OFFERED if kind in webhook.wanted),
        webhook.disabled_at is None,
        webhook.is_gone,
        webhook.failures,
        waiting,
        webhook.tried_at,
        webhook.resume_at,
    )


def list_deliveries(
    session: Session,
    school_id: int,
    webhook_id: int,
    before: UUID | None,
    state: DeliveryState | None,
    limit: int,
) -> list[Delivery]:
    """The newest events of a webhook, older than `before`, of one state when that is asked."""
    query = select(
        WebhookDelivery.id,
        WebhookDelivery.kind,
        WebhookDelivery.state,
        WebhookDelivery.attempts,
        WebhookDelivery.status,
        WebhookDelivery.trouble,
        WebhookDelivery.created_at,
        WebhookDelivery.tried_at,
        WebhookDelivery.due_at,
    ).where(WebhookDelivery.school_id == school_id, WebhookDelivery.webhook_id == webhook_id)
    if before is not None:
        query = query.where(WebhookDelivery.id < before)
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    return [
        Delivery(*row)
        for row in session.execute(query.order_by(WebhookDelivery.id.desc()).limit(limit))
    ]


def _count_waiting(session: Session, school_id: int) -> dict[int, int]:
    rows = session.execute(
        select(WebhookDelivery.webhook_id, func.count())
        .where(
            WebhookDelivery.school_id == school_id,
            WebhookDelivery.state == DeliveryState.WAITING,
        )
        .group_by(WebhookDelivery.webhook_id)
    )
    return {row[0]: row[1] for row in rows}

"""The event that a limit of the day keeps messages back."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, insert, select

from card_server.webhooks.delivery import rows_of
from card_server.webhooks.events import LimitEvent, LimitReached
from schema.tables.messages import LimitScope
from schema.tables.school import School
from schema.tables.webhooks import EventKind, Webhook, WebhookDelivery, split_kinds


def tell_of_limit(connection: Connection, school_id: int, scope: LimitScope, now: datetime) -> None:
    """Tell the school's webhooks, once a limit and day."""
    found = connection.execute(
        select(School.code, Webhook.id, Webhook.kinds)
        .join(School, School.id == Webhook.school_id)
        .where(Webhook.school_id == school_id, Webhook.disabled_at.is_(None))
        .order_by(Webhook.id)
    ).all()
    wanting = [row for row in found if EventKind.LIMIT in split_kinds(row.kinds)]
    if not wanting:
        return
    event = LimitEvent(now, wanting[0].code, LimitReached(scope))
    rows = rows_of(school_id, [row.id for row in wanting], event)
    connection.execute(insert(WebhookDelivery), [msgspec.structs.asdict(row) for row in rows])

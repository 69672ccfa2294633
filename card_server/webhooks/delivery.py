"""An event on its way: a row for each webhook that is told of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from uuid_utils.compat import uuid7

from card_server.webhooks.events import Event
from schema.tables.webhooks import DeliveryState, EventKind

GIVE_UP_AFTER: Final = timedelta(hours=24)

_ENCODER = msgspec.json.Encoder()


class DeliveryRow(Struct, gc=False):
    """A new row of `webhook_delivery`."""

    school_id: int
    id: UUID
    webhook_id: int
    kind: EventKind
    body: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    due_at: datetime
    give_up_at: datetime


def rows_of(school_id: int, webhooks: Iterable[int], event: Event) -> list[DeliveryRow]:
    """One event for each of these webhooks; ids rise, so that order is kept."""
    now = event.timestamp
    body = _ENCODER.encode(event).decode()
    kind = EventKind(str(event.__struct_config__.tag))
    return [
        DeliveryRow(
            school_id,
            uuid7(),
            webhook_id,
            kind,
            body,
            DeliveryState.WAITING,
            0,
            now,
            now,
            now + GIVE_UP_AFTER,
        )
        for webhook_id in webhooks
    ]

"""What the API answers of webhooks and of the events on their way to them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from card_server.api.shapes import Next, Shape
from schema.tables.webhooks import DeliveryState, EventKind, Trouble


class WebhookState(Shape):
    """How a webhook is; of its address only the host, as the rest may hold a password."""

    id: int
    name: str
    host: str
    kinds: list[EventKind]
    is_enabled: bool
    is_gone: bool = Field(description="Whether the receiver itself ended it, by answering 410.")
    failures: int = Field(description="Tries in a row that failed.")
    waiting: int = Field(description="Events that are still to be delivered.")
    tried_at: datetime | None
    resume_at: datetime = Field(description="When it is tried again, after failures.")


class Webhooks(Shape):
    """All webhooks of the school, those that work first."""

    items: list[WebhookState]


class Webhook(Shape):
    """What is decided for a webhook."""

    id: int
    name: str
    url: str
    kinds: list[EventKind]
    is_disabled: bool


class WebhookSecret(Shape):
    """The secret by which a webhook's events are signed, which is told at this moment only."""

    id: int
    secret: str


class Delivery(Shape):
    """One event on its way to a webhook."""

    id: UUID
    kind: EventKind
    state: DeliveryState
    attempts: int
    status: int | None = Field(description="The HTTP status of the last answer.")
    trouble: Trouble | None = Field(description="Why the last try failed.")
    created_at: datetime
    tried_at: datetime | None
    due_at: datetime = Field(description="While it waits: not before.")


class Deliveries(Shape):
    """A part of a webhook's events, newest first."""

    items: list[Delivery]
    next: Next


class SentEvent(Shape):
    """An event that is on its way: `id` names it among the webhook's deliveries."""

    id: UUID

"""Webhooks: where other systems are told of events, and what was delivered."""

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint
from flask import current_app
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api import webhook_shapes as shapes
from card_server.api.changes import DeliveryPath, NewWebhook, WebhookChange, WebhookPath
from card_server.api.cursors import next_address, read_uuid, write_uuid
from card_server.api.inputs import DeliveriesQuery
from card_server.api.matching import if_match, lock_and_match
from card_server.storage.sealing import Seal
from card_server.webhooks import webhook as hooks
from card_server.webhooks.report import list_deliveries, list_webhooks
from schema.tables.staff import Role
from schema.tables.webhooks import Webhook

routes = APIBlueprint("webhooks", __name__, tag="Webhooks", url_prefix="/webhooks")
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)


@routes.get("")
@allow(*_ADMINS)
@routes.output(shapes.Webhooks)
def webhooks() -> Any:
    """How each of the school's webhooks is."""
    with school_session() as session:
        return {"items": list_webhooks(session, school_in_use().id)}


@routes.post("")
@allow(*_ADMINS)
@routes.input(NewWebhook, arg_name="sent")
@routes.output(shapes.WebhookSecret, status_code=201)
def make_webhook(sent: NewWebhook) -> Any:
    """Make a webhook; the answer has its secret, this once."""
    form = _read_form(sent.name, sent.url, sent.kinds)
    with changing_session() as session:
        id_, secret = hooks.make_webhook(
            session, school_in_use().id, form, _seal(), actor(), datetime.now(UTC)
        )
    return {"id": id_, "secret": secret}


@routes.get("/<webhook_id>")
@allow(*_ADMINS)
@routes.input(WebhookPath, location="path", arg_name="asked")
@routes.output(shapes.Webhook)
def webhook(webhook_id: str, asked: WebhookPath) -> Any:
    """What is decided for a webhook."""
    with school_session() as session:
        return _show(hooks.find_webhook(session, school_in_use().id, asked.webhook_id))


@routes.patch("/<webhook_id>")
@allow(*_ADMINS)
@if_match
@routes.input(WebhookPath, location="path", arg_name="asked")
@routes.input(WebhookChange, arg_name="sent")
@routes.output(shapes.Webhook)
def change_webhook(webhook_id: str, asked: WebhookPath, sent: WebhookChange) -> Any:
    """Change a webhook's name, address or kinds, let it rest, or let it go on."""
    school_id = school_in_use().id
    with changing_session() as session:
        found = hooks.find_webhook(session, school_id, asked.webhook_id)
        lock_and_match(session, shapes.Webhook, found, _show)
        if not (sent.name is None and sent.url is None and sent.kinds is None):
            form = _read_form(
                found.name if sent.name is None else sent.name,
                found.url if sent.url is None else sent.url,
                found.wanted if sent.kinds is None else sent.kinds,
            )
            hooks.change_webhook(session, school_id, found.id, form, actor())
        _rest_or_go_on(session, found, sent.is_disabled)
        return _show(found)


def _rest_or_go_on(session: Session, webhook: Webhook, is_disabled: bool | None) -> None:
    school_id, id_ = webhook.school_id, webhook.id
    if is_disabled is True:
        hooks.disable_webhook(session, school_id, id_, actor(), datetime.now(UTC))
    if is_disabled is False:
        hooks.enable_webhook(session, school_id, id_, actor())


@routes.post("/<webhook_id>/secret")
@allow(*_ADMINS)
@routes.input(WebhookPath, location="path", arg_name="asked")
@routes.output(shapes.WebhookSecret)
def renew_secret(webhook_id: str, asked: WebhookPath) -> Any:
    """Make a new secret, which counts at once; the answer has it, this once."""
    school_id = school_in_use().id
    with changing_session() as session:
        secret = hooks.renew_secret(session, school_id, asked.webhook_id, _seal(), actor())
    return {"id": asked.webhook_id, "secret": secret}


@routes.post("/<webhook_id>/test")
@allow(*_ADMINS)
@routes.input(WebhookPath, location="path", arg_name="asked")
@routes.output(shapes.SentEvent)
def try_webhook(webhook_id: str, asked: WebhookPath) -> Any:
    """Send a test event."""
    with changing_session() as session:
        sent = hooks.try_webhook(
            session, school_in_use().id, asked.webhook_id, actor(), datetime.now(UTC)
        )
    return {"id": sent}


@routes.get("/<webhook_id>/deliveries")
@allow(*_ADMINS)
@routes.input(WebhookPath, location="path", arg_name="asked")
@routes.input(DeliveriesQuery, location="query", arg_name="wanted")
@routes.output(shapes.Deliveries)
def deliveries(webhook_id: str, asked: WebhookPath, wanted: DeliveriesQuery) -> Any:
    """A webhook's events and what became of each, newest first."""
    school_id = school_in_use().id
    with school_session() as session:
        hooks.find_webhook(session, school_id, asked.webhook_id)
        before, most = read_uuid(wanted.cursor), wanted.limit + 1
        found = list_deliveries(session, school_id, asked.webhook_id, before, wanted.state, most)
    last = write_uuid(found[-2].id) if len(found) > wanted.limit else None
    return {"items": found[: wanted.limit], "next": next_address(last)}


@routes.post("/<webhook_id>/deliveries/<delivery_id>")
@allow(*_ADMINS)
@routes.input(DeliveryPath, location="path", arg_name="asked")
@routes.output(shapes.SentEvent)
def resend(webhook_id: str, delivery_id: str, asked: DeliveryPath) -> Any:
    """Send one of a webhook's events once more, under its own id."""
    school_id, now = school_in_use().id, datetime.now(UTC)
    with changing_session() as session:
        hooks.resend(session, school_id, asked.webhook_id, asked.delivery_id, actor(), now)
    return {"id": asked.delivery_id}


def _show(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "kinds": [kind for kind in hooks.OFFERED if kind in webhook.wanted],
        "is_disabled": webhook.disabled_at is not None,
    }


def _read_form(name: str, url: str, kinds: Any) -> hooks.Form:
    allow_private = bool(current_app.config["WEBHOOK_ALLOW_PRIVATE"])
    return hooks.read_form(name, url, kinds, allow_private=allow_private)


def _seal() -> Seal:
    found: Seal = current_app.extensions["webhook_seal"]
    return found

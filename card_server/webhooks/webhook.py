"""Making, changing, disabling and trying a school's webhooks."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from card_server.register.version import touch_register
from card_server.seen import changes, refuse_if_changed
from card_server.storage.sealing import Seal
from card_server.webhooks.address import check_url
from card_server.webhooks.delivery import GIVE_UP_AFTER
from card_server.webhooks.outbox import tell_for_trial
from card_server.webhooks.signing import new_secret
from schema.tables.school import School
from schema.tables.webhooks import (
    DeliveryState,
    EventKind,
    Webhook,
    WebhookDelivery,
    join_kinds,
)

OFFERED = (
    EventKind.TAP,
    EventKind.ATTENDANCE,
    EventKind.MESSAGE,
    EventKind.CARD,
    EventKind.STUDENT,
    EventKind.LIMIT,
)
"""What a webhook can be told of."""
MAX_NAME = 60
MOST = 20
"""Webhooks that work in one school: each writes a row for each event."""


class Form(NamedTuple):
    """What staff say of a webhook."""

    name: str
    url: str
    kinds: frozenset[EventKind]


def read_form(name: str, url: str, kinds: Iterable[str], *, allow_private: bool) -> Form:
    """What staff typed, checked. Raises FieldsError when it will not do."""
    problems = Problems()
    form = Form(
        problems.text("name", name, MAX_NAME),
        url.strip(),
        frozenset(one for one in OFFERED if one in set(kinds)),
    )
    try:
        check_url(form.url, allow_private)
    except AppError as error:
        problems.add("url", error.message)
    if not form.kinds:
        problems.add("kinds", _("Choose at least one kind of event."))
    problems.refuse()
    return form


def make_webhook(
    session: Session, school_id: int, form: Form, seal: Seal, actor: Actor, now: datetime
) -> tuple[int, str]:
    """A new webhook's id and its secret, which nobody sees again.

    Raises AppError(CONFLICT) when the school has as many as it may.
    """
    _need_room(session, school_id)
    secret = new_secret()
    webhook = Webhook(
        school_id=school_id,
        name=form.name,
        url=form.url,
        kinds=join_kinds(form.kinds),
        secret_sealed=seal.close(secret),
        created_at=now,
        resume_at=now,
    )
    session.add(webhook)
    session.flush()
    touch_register(session, {school_id})
    details = {name: [None, value] for name, value in values_of(webhook).items()}
    note(session, school_id, actor, "webhook.made", _subject(webhook), details=details)
    return webhook.id, secret


def change_webhook(
    session: Session, school_id: int, id_: int, form: Form, actor: Actor, seen: str | None = None
) -> None:
    """Give a webhook another name, address or choice of events.

    Raises AppError: NOT_FOUND, or CONFLICT when it is not any more as it was `seen`.
    """
    webhook = _lock(session, school_id, id_)
    before = values_of(webhook)
    refuse_if_changed(before, seen)
    if webhook.url != form.url:
        _forget_failures(webhook)
    webhook.name, webhook.url, webhook.kinds = form.name, form.url, join_kinds(form.kinds)
    details = changes(before, values_of(webhook))
    if details:
        touch_register(session, {school_id})
        note(session, school_id, actor, "webhook.changed", _subject(webhook), details=details)


def renew_secret(session: Session, school_id: int, id_: int, seal: Seal, actor: Actor) -> str:
    """A new secret, at once instead of the old one. Raises AppError(NOT_FOUND)."""
    webhook = _lock(session, school_id, id_)
    secret = new_secret()
    webhook.secret_sealed = seal.close(secret)
    note(session, school_id, actor, "webhook.secret_renewed", _subject(webhook))
    return secret


def disable_webhook(
    session: Session, school_id: int, id_: int, actor: Actor, now: datetime
) -> None:
    """Send nothing any more; what waits is kept for its day. Raises AppError(NOT_FOUND)."""
    webhook = _lock(session, school_id, id_)
    if webhook.disabled_at is None:
        webhook.disabled_at = now
        touch_register(session, {school_id})
        note(session, school_id, actor, "webhook.disabled", _subject(webhook))


def end_gone_webhook(session: Session, webhook: Webhook, actor: Actor, now: datetime) -> None:
    """The receiver answered 410: it wants nothing any more."""
    webhook.disabled_at, webhook.is_gone = now, True
    touch_register(session, {webhook.school_id})
    note(session, webhook.school_id, actor, "webhook.gone", _subject(webhook))


def enable_webhook(session: Session, school_id: int, id_: int, actor: Actor) -> None:
    """Send again, also what waits. Raises AppError: NOT_FOUND, or CONFLICT for one too many."""
    webhook = _lock(session, school_id, id_)
    if webhook.disabled_at is not None:
        _need_room(session, school_id)
        webhook.disabled_at, webhook.is_gone = None, False
        _forget_failures(webhook)
        touch_register(session, {school_id})
        note(session, school_id, actor, "webhook.enabled", _subject(webhook))


def try_webhook(session: Session, school_id: int, id_: int, actor: Actor, now: datetime) -> UUID:
    """Send a test event, now. Raises AppError: NOT_FOUND, or CONFLICT for a disabled webhook."""
    webhook = _lock(session, school_id, id_)
    _need_enabled(webhook)
    _forget_failures(webhook)
    school = session.get_one(School, school_id)
    note(session, school_id, actor, "webhook.tried", _subject(webhook))
    return tell_for_trial(session, webhook, school.code, now)


def resend(
    session: Session, school_id: int, id_: int, delivery_id: UUID, actor: Actor, now: datetime
) -> None:
    """Send one of a webhook's events once more under its own id, now.

    Raises AppError: NOT_FOUND, or CONFLICT for a disabled webhook.
    """
    webhook = _lock(session, school_id, id_)
    delivery = session.scalar(
        select(WebhookDelivery)
        .where(
            WebhookDelivery.school_id == school_id,
            WebhookDelivery.webhook_id == id_,
            WebhookDelivery.id == delivery_id,
        )
        .with_for_update()
    )
    if delivery is None:
        raise AppError(Code.NOT_FOUND, "There is no such event any more.")
    _need_enabled(webhook)
    _forget_failures(webhook)
    if delivery.state is not DeliveryState.WAITING:
        delivery.state = DeliveryState.WAITING
        delivery.attempts = 0
        delivery.give_up_at = now + GIVE_UP_AFTER
    delivery.due_at = now
    details = {"event": str(delivery_id)}
    note(session, school_id, actor, "webhook.resent", _subject(webhook), details=details)


def find_webhook(session: Session, school_id: int, id_: int) -> Webhook:
    """One webhook of a school. Raises AppError(NOT_FOUND)."""
    found = session.scalar(select(Webhook).where(Webhook.id == id_, Webhook.school_id == school_id))
    if found is None:
        raise AppError(Code.NOT_FOUND, "There is no such webhook.")
    return found


def values_of(webhook: Webhook) -> dict[str, object]:
    """What staff can change of it."""
    return {"name": webhook.name, "url": webhook.url, "kinds": webhook.kinds}


def _lock(session: Session, school_id: int, id_: int) -> Webhook:
    webhook = find_webhook(session, school_id, id_)
    session.refresh(webhook, with_for_update=True)
    return webhook


def _need_enabled(webhook: Webhook) -> None:
    if webhook.disabled_at is not None:
        raise AppError(Code.CONFLICT, "This webhook is disabled. Enable it first.")


def _need_room(session: Session, school_id: int) -> None:
    count = session.scalar(
        select(func.count())
        .select_from(Webhook)
        .where(Webhook.school_id == school_id, Webhook.disabled_at.is_(None))
    )
    if (count or 0) >= MOST:
        raise AppError(Code.CONFLICT, "A school may have 20 webhooks. Disable one first.")


def _forget_failures(webhook: Webhook) -> None:
    webhook.failures = 0
    webhook.resume_at = webhook.created_at


def _subject(webhook: Webhook) -> str:
    return f"webhook:{webhook.id}"

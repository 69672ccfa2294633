"""Webhooks (事件推送): where other systems are told of events, and what was delivered."""

from datetime import UTC, datetime
from uuid import UUID

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import actor, allow, school_in_use, school_session
from card_server.config import Settings
from card_server.storage.sealing import Seal
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.fragments import render_part
from card_server.web.history import show_history
from card_server.web.tables import PAGE_ROWS, Asked, Column, key_page, read_asked
from card_server.webhooks import webhook as hooks
from card_server.webhooks.report import describe, list_deliveries, list_webhooks
from card_server.words.webhooks import kind_hint, webhook_word
from schema.tables.staff import Role
from schema.tables.webhooks import DeliveryState

pages = Blueprint("webhooks", __name__)

_COLUMNS = (
    Column(lazy_gettext("Time")),
    Column(lazy_gettext("Event")),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Tries"), is_number=True),
    Column(lazy_gettext("Answer")),
    Column(lazy_gettext("Last try"), is_minor=True),
    Column(lazy_gettext("What you can do")),
)


def open_webhooks(app: Flask, settings: Settings) -> None:
    """Give the application what these pages need of the settings."""
    app.extensions["webhook_seal"] = Seal(settings.data_key)
    app.config["WEBHOOK_ALLOW_PRIVATE"] = settings.webhook_allow_private


@pages.get("/settings/webhooks")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show() -> ResponseReturnValue:
    """All webhooks of the school."""
    with school_session() as session:
        found = list_webhooks(session, school_in_use().id)
    return render_template(
        "webhooks.html", webhooks=found, now=datetime.now(UTC), webhook_word=webhook_word
    )


@pages.get("/settings/webhooks/new")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_new() -> ResponseReturnValue:
    """The form for a new one."""
    return _show_new(NOTHING_WRONG)


@pages.post("/settings/webhooks/new")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def make() -> ResponseReturnValue:
    """Make a webhook and show its secret, this once."""
    made: list[tuple[int, str]] = []
    wrong = try_change(
        lambda session: made.append(
            hooks.make_webhook(
                session, school_in_use().id, _read_form(), _seal(), actor(), datetime.now(UTC)
            )
        )
    )
    if wrong.errors:
        return _show_new(wrong)
    return _show_secret(*made[0])


@pages.get("/settings/webhooks/<int:webhook_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_webhook(webhook_id: int) -> ResponseReturnValue:
    """One webhook: what it is told, and its deliveries."""
    return _show_webhook(webhook_id, NOTHING_WRONG)


@pages.post("/settings/webhooks/<int:webhook_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def change(webhook_id: int) -> ResponseReturnValue:
    """Change a webhook's name, address and choice of events."""
    seen = request.form.get("seen", "")
    wrong = try_change(
        lambda session: hooks.change_webhook(
            session, school_in_use().id, webhook_id, _read_form(), actor(), seen
        )
    )
    if wrong.errors:
        return _show_webhook(webhook_id, wrong, has_typed=True)
    flash(gettext("Saved."), "good")
    return redirect(url_for("webhooks.show_webhook", webhook_id=webhook_id))


@pages.post("/settings/webhooks/<int:webhook_id>/secret")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def renew_secret(webhook_id: int) -> ResponseReturnValue:
    """Make a new secret and show it, this once."""
    made: list[str] = []
    try_change(
        lambda session: made.append(
            hooks.renew_secret(session, school_in_use().id, webhook_id, _seal(), actor())
        )
    )
    return _show_secret(webhook_id, made[0])


@pages.post("/settings/webhooks/<int:webhook_id>/disable")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def disable(webhook_id: int) -> ResponseReturnValue:
    """Send nothing any more."""
    now = datetime.now(UTC)
    wrong = try_change(
        lambda session: hooks.disable_webhook(session, school_in_use().id, webhook_id, actor(), now)
    )
    return _back(webhook_id, wrong, gettext("The webhook is disabled."))


@pages.post("/settings/webhooks/<int:webhook_id>/enable")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def enable(webhook_id: int) -> ResponseReturnValue:
    """Send again."""
    wrong = try_change(
        lambda session: hooks.enable_webhook(session, school_in_use().id, webhook_id, actor())
    )
    return _back(webhook_id, wrong, gettext("The webhook is enabled."))


@pages.post("/settings/webhooks/<int:webhook_id>/test")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def test(webhook_id: int) -> ResponseReturnValue:
    """Send a test event."""
    now = datetime.now(UTC)
    wrong = try_change(
        lambda session: hooks.try_webhook(session, school_in_use().id, webhook_id, actor(), now)
    )
    return _back(webhook_id, wrong, gettext("A test event is on its way. See below."))


@pages.post("/settings/webhooks/<int:webhook_id>/deliveries/<uuid:delivery_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def resend(webhook_id: int, delivery_id: UUID) -> ResponseReturnValue:
    """Send an event once more."""
    now = datetime.now(UTC)
    wrong = try_change(
        lambda session: hooks.resend(
            session, school_in_use().id, webhook_id, delivery_id, actor(), now
        )
    )
    return _back(webhook_id, wrong, gettext("The event is on its way again. See below."))


def _show_new(wrong: Wrong) -> ResponseReturnValue:
    page = render_template(
        "webhook_new.html",
        values=request.form.to_dict(),
        kinds=_kinds(set(request.form.getlist("kinds"))),
        errors=wrong.errors,
    )
    return page, wrong.status


def _show_secret(webhook_id: int, secret: str) -> ResponseReturnValue:
    response = Response(
        render_template("webhook_secret.html", webhook_id=webhook_id, secret=secret)
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _show_webhook(webhook_id: int, wrong: Wrong, *, has_typed: bool = False) -> ResponseReturnValue:
    school_id, asked = school_in_use().id, read_asked(filters=("state",))
    wanted = asked.filters.get("state")
    state = DeliveryState(wanted) if wanted in list(DeliveryState) else None
    with school_session() as session:
        found = hooks.find_webhook(session, school_id, webhook_id)
        rows = list_deliveries(
            session, school_id, webhook_id, _read_before(asked), state, PAGE_ROWS + 1
        )
        history = show_history(session, school_id, [f"webhook:{webhook_id}"])
    stored = hooks.values_of(found)
    typed = request.form.to_dict() if has_typed else None
    chosen = set(request.form.getlist("kinds") if has_typed else found.wanted)
    response = render_part(
        "webhook.html",
        "webhook_part.html",
        webhook=describe(found, 0),
        values=typed or stored,
        kinds=_kinds(chosen),
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
        page=key_page(rows, asked, lambda one: (one.id,)),
        is_moving=any(one.state is DeliveryState.WAITING for one in rows),
        asked=asked,
        state=state,
        states=list(DeliveryState),
        columns=_COLUMNS,
        history=history,
        webhook_word=webhook_word,
        now=datetime.now(UTC),
    )
    response.status_code = wrong.status
    return response


def _back(webhook_id: int, wrong: Wrong, done: str) -> ResponseReturnValue:
    said = wrong.errors.get("")
    flash(said or done, "bad" if said else "good")
    return redirect(url_for("webhooks.show_webhook", webhook_id=webhook_id))


def _read_form() -> hooks.Form:
    form = request.form
    return hooks.read_form(
        form.get("name", ""),
        form.get("url", ""),
        form.getlist("kinds"),
        allow_private=bool(current_app.config["WEBHOOK_ALLOW_PRIVATE"]),
    )


def _kinds(chosen: set[str]) -> list[tuple[str, str, str, bool]]:
    """Each kind of event: its word in the form, its name, what it tells, whether it is chosen."""
    return [
        (kind.value, webhook_word(kind), kind_hint(kind), kind in chosen) for kind in hooks.OFFERED
    ]


def _read_before(asked: Asked) -> UUID | None:
    try:
        return UUID(asked.after[0]) if asked.after else None
    except ValueError:
        return None


def _seal() -> Seal:
    found: Seal = current_app.extensions["webhook_seal"]
    return found

"""Limits, prices and quiet hours of messages, and the switch that stops them (短信限额)."""

from dataclasses import asdict

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import actor, allow, school_in_use, school_session
from card_server.messages import switch
from card_server.messages.rules import (
    CURRENCIES,
    limits_of,
    read_limits,
    rules_of,
    save_rules,
    subject_of,
    write_limits,
)
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.formats import currency_name
from card_server.web.history import show_history
from card_server.web.message_text_pages import ADMINS

pages = Blueprint("message_rules", __name__)


@pages.get("/settings/messages/limits")
@allow(*ADMINS)
def show() -> ResponseReturnValue:
    """The rules in force."""
    return _show(NOTHING_WRONG)


@pages.post("/settings/messages/limits")
@allow(*ADMINS)
def change() -> ResponseReturnValue:
    """Settle other rules."""
    form = request.form
    wrong = try_change(
        lambda session: save_rules(
            session, actor(), school_in_use().id, read_limits(form), form.get("seen", "")
        )
    )
    if wrong.errors:
        return _show(wrong, typed=form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("message_rules.show"))


@pages.post("/settings/messages/limits/stop")
@allow(*ADMINS)
def stop() -> ResponseReturnValue:
    """Send nothing any more."""
    reason = request.form.get("reason", "")
    wrong = try_change(
        lambda session: switch.stop_sending(session, actor(), school_in_use().id, reason)
    )
    if wrong.errors:
        return _show(wrong, reason=reason)
    flash(gettext("Nothing is sent any more. Messages wait until you let them go on."), "warn")
    return redirect(url_for("message_rules.show"))


@pages.post("/settings/messages/limits/resume")
@allow(*ADMINS)
def resume() -> ResponseReturnValue:
    """Send again."""
    reason = request.form.get("reason", "")
    wrong = try_change(
        lambda session: switch.resume_sending(session, actor(), school_in_use().id, reason)
    )
    if wrong.errors:
        return _show(wrong, reason=reason)
    flash(gettext("Messages are sent again."), "good")
    return redirect(url_for("message_rules.show"))


def _show(
    wrong: Wrong, *, typed: dict[str, str] | None = None, reason: str | None = None
) -> ResponseReturnValue:
    """`reason` is what was typed at the switch, when that is where something is wrong."""
    school_id = school_in_use().id
    with school_session() as session:
        rules = rules_of(session, school_id)
        limits = limits_of(rules)
        stopped_at, stopped_by = rules.stopped_at, rules.stopped_by
        is_by_district = rules.district_stopped_at is not None
        history = show_history(session, school_id, [subject_of(school_id)])
    page = render_template(
        "message_rules.html",
        values=typed or write_limits(limits),
        errors={} if reason is not None else wrong.errors,
        seen=seen_by_form(asdict(limits), typed, wrong),
        currencies=[(one, currency_name(one)) for one in CURRENCIES],
        stopped_at=stopped_at,
        stopped_by=stopped_by,
        is_by_district=is_by_district,
        switch_values={"reason": reason or ""},
        switch_errors=wrong.errors if reason is not None else {},
        history=history,
    )
    return page, wrong.status

"""How sending does (发送状况): carriers, limits, numbers that get nothing, what must be decided."""

import time
from datetime import datetime, timedelta

from flask import (
    Blueprint,
    Flask,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import (
    actor,
    allow,
    changing_session,
    may,
    now,
    school_in_use,
    school_session,
)
from card_server.config import Settings
from card_server.messages import attention
from card_server.messages.rules import rules_of
from card_server.reports.sending_health import (
    Alerts,
    list_carriers,
    list_limits,
    list_numbers,
    list_undecided,
    read_alerts,
)
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.outbox_pages import ADMINS

pages = Blueprint("sending", __name__)

_LIMIT_DAYS = 7
_KEPT_S = 15.0
"""Every page of an administrator shows the alerts: they are asked for now and then."""


class _Kept:
    """The alerts of each school, as they were a moment ago."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[float, Alerts]] = {}

    def read(self, school_id: int) -> Alerts:
        at, alerts = self._found.get(school_id, (0.0, None))
        if alerts is None or time.monotonic() - at > _KEPT_S:
            with school_session() as session:
                alerts = read_alerts(session, school_id, now())
            self._found[school_id] = (time.monotonic(), alerts)
        return alerts

    def forget(self, school_id: int) -> None:
        self._found.pop(school_id, None)


def open_sending(app: Flask, settings: Settings) -> None:
    """Give the application the carriers' order, and every page of administrators the alerts."""
    app.config["SMS_PROVIDERS"] = settings.sms_providers
    app.extensions["sending_alerts"] = _Kept()
    app.jinja_env.globals["sending_alerts"] = sending_alerts


def sending_alerts() -> Alerts | None:
    """What the caller should look at; None for whoever cannot do anything about it."""
    # Pages of the district are about no school, whichever one its people have entered.
    if "school" not in g or not may("sending.show"):
        return None
    kept: _Kept = current_app.extensions["sending_alerts"]
    return kept.read(school_in_use().id)


@pages.get("/messages/sending")
@allow(*ADMINS)
def show() -> ResponseReturnValue:
    """All of it."""
    return _show(NOTHING_WRONG)


@pages.post("/messages/sending/limits/seen")
@allow(*ADMINS)
def note_limits_seen() -> ResponseReturnValue:
    """Take note of the limits that the page showed."""
    school_id = school_in_use().id
    until = _read_moment(request.form.get("until", ""))
    with changing_session() as session:
        attention.note_limits_seen(session, actor(), school_id, until or now())
    return _back(gettext("Noted."))


@pages.post("/messages/sending/numbers/<int:guardian_id>/seen")
@allow(*ADMINS)
def note_number_seen(guardian_id: int) -> ResponseReturnValue:
    """Take note that nothing goes to a guardian's number."""
    with changing_session() as session:
        attention.note_number_seen(session, actor(), school_in_use().id, guardian_id)
    return _back(gettext("Noted."))


@pages.post("/messages/sending/numbers/<int:guardian_id>/free")
@allow(*ADMINS)
def free_number(guardian_id: int) -> ResponseReturnValue:
    """Let messages go to a guardian's number again."""
    reason = request.form.get("reason", "")
    wrong = try_change(
        lambda session: attention.free_number(
            session, actor(), school_in_use().id, guardian_id, reason
        )
    )
    if wrong.errors:
        return _show(wrong, guardian_id)
    return _back(gettext("Messages go to this number again."))


def _show(wrong: Wrong, wrong_at: int = 0) -> ResponseReturnValue:
    school_id, moment = school_in_use().id, now()
    with school_session() as session:
        rules = rules_of(session, school_id)
        page = render_template(
            "sending.html",
            carriers=list_carriers(session, current_app.config["SMS_PROVIDERS"]),
            rules=rules,
            limits=list_limits(session, school_id, moment - timedelta(days=_LIMIT_DAYS)),
            numbers=list_numbers(session, school_id),
            undecided=list_undecided(session, school_id),
            days=_LIMIT_DAYS,
            now=moment,
            errors=wrong.errors,
            wrong_at=wrong_at,
        )
    return page, wrong.status


def _back(said: str) -> ResponseReturnValue:
    kept: _Kept = current_app.extensions["sending_alerts"]
    kept.forget(school_in_use().id)
    flash(said, "good")
    return redirect(url_for("sending.show"))


def _read_moment(written: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.tzinfo else None

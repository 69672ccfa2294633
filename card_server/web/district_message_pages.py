"""The district's switch over all schools' messages: which are stopped, stopping all, going on."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow_anywhere, reading, writing
from card_server.audit.writing import Actor
from card_server.messages import switch
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from schema.tables.staff import Role

pages = Blueprint("district_messages", __name__)


@pages.get("/district/messages")
@allow_anywhere(Role.DISTRICT_ADMIN)
def show() -> ResponseReturnValue:
    """Every school's switch."""
    return _show(NOTHING_WRONG)


@pages.post("/district/messages/stop")
@allow_anywhere(Role.DISTRICT_ADMIN)
def stop() -> ResponseReturnValue:
    """Send nothing of any school any more."""
    return _turn(switch.stop_everywhere, gettext("No school sends anything any more."), "warn")


@pages.post("/district/messages/resume")
@allow_anywhere(Role.DISTRICT_ADMIN)
def resume() -> ResponseReturnValue:
    """Let the schools go on that have not stopped for themselves."""
    return _turn(switch.resume_everywhere, gettext("The schools' messages go on."), "good")


def _turn(
    change: Callable[[Session, Actor, str], int], done: str, tone: str
) -> ResponseReturnValue:
    reason = request.form.get("reason", "")
    wrong = try_change(lambda session: change(session, actor(), reason), writing().begin)
    if wrong.errors:
        return _show(wrong)
    flash(done, tone)
    return redirect(url_for("district_messages.show"))


def _show(wrong: Wrong) -> ResponseReturnValue:
    with reading()() as session:
        schools = switch.list_switches(session)
    page = render_template(
        "district_messages.html",
        schools=schools,
        is_stopped=any(one.is_by_district for one in schools),
        values=request.form.to_dict(),
        errors=wrong.errors,
    )
    return page, wrong.status

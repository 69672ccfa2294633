"""The roster from a OneRoster service (在线同步): where it is, and fetching it now."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import actor, allow, school_in_use, school_session
from card_server.imports.roster import pull
from card_server.imports.roster.job import FETCH
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.downloads import ask_in_background
from card_server.web.roster_pages import seal_in_use
from schema.tables.staff import Role

pages = Blueprint("roster_service", __name__)


@pages.get("/roster/service")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show() -> ResponseReturnValue:
    """Where the roster is fetched from."""
    return _show(NOTHING_WRONG)


@pages.post("/roster/service")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def send() -> ResponseReturnValue:
    """Say where it is fetched from."""
    form, school_id, now = request.form, school_in_use().id, datetime.now(UTC)
    with school_session() as session:
        is_new = pull.find_service(session, school_id) is None
    wrong = try_change(
        lambda session: pull.keep_service(
            session,
            actor(),
            school_id,
            pull.read_settings(form, is_new=is_new),
            now,
            seal_in_use(),
        )
    )
    if wrong.errors:
        return _show(wrong, form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("roster_service.show"))


@pages.post("/roster/service/remove")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def remove() -> ResponseReturnValue:
    """Fetch from nowhere any more."""
    try_change(lambda session: pull.remove_service(session, actor(), school_in_use().id))
    return redirect(url_for("roster_service.show"))


@pages.post("/roster/service/fetch")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def fetch() -> ResponseReturnValue:
    """Fetch it in the background; nothing of the school changes by that."""
    job_id = ask_in_background(FETCH, {})
    return redirect(url_for("jobs.show_job", job_id=job_id))


def _show(wrong: Wrong, typed: dict[str, str] | None = None) -> ResponseReturnValue:
    with school_session() as session:
        service = pull.find_service(session, school_in_use().id)
    stored = {"version": pull.VERSIONS[0]}
    if service is not None:
        stored = {
            "url": service.url,
            "token_url": service.token_url,
            "client_id": service.client_id,
            "version": service.version,
        }
    page = render_template(
        "roster_service.html",
        service=service,
        values=typed or stored,
        errors=wrong.errors,
        versions=[(one, f"OneRoster {one}") for one in pull.VERSIONS],
    )
    return page, wrong.status

"""What a school decides for itself (设置): its name and rules, its logo, its homerooms."""

from dataclasses import asdict
from datetime import UTC, datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.exceptions import NotFound

from card_server.access import actor, allow, school_in_use, school_session
from card_server.register import campuses, homerooms, logos, schools
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.history import show_history
from schema.tables.school import School, SchoolLogo
from schema.tables.staff import Role

ZONES = (
    "Asia/Shanghai",
    "Asia/Urumqi",
    "Asia/Hong_Kong",
    "Asia/Macau",
    "Asia/Taipei",
    "Asia/Singapore",
    "UTC",
)
"""What is suggested; any other name of the time zone database will do as well."""
_MAX_UPLOAD = 1024 * 1024
"""More than a logo may have, so that a picture that is too large is answered with a sentence."""

_DAY_S = 24 * 3600

pages = Blueprint("settings", __name__)


@pages.url_value_preprocessor
def _allow_upload(endpoint: str | None, _values: object) -> None:
    """Before anything reads the form, which the check of its token does first of all."""
    if endpoint == "settings.send_logo":
        request.max_content_length = _MAX_UPLOAD


@pages.get("/settings")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show() -> ResponseReturnValue:
    """The school's own settings."""
    return _show_school(NOTHING_WRONG)


@pages.post("/settings")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def send() -> ResponseReturnValue:
    """Change the school's own settings."""
    form, school_id = request.form, school_in_use().id
    wrong = try_change(
        lambda session: schools.change_school(
            session, actor(), school_id, schools.read_settings(form), form.get("seen", "")
        )
    )
    if wrong.errors:
        return _show_school(wrong, form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("settings.show"))


def _show_school(wrong: Wrong, typed: dict[str, str] | None = None) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        stored = asdict(schools.settings_of(session.get_one(School, school_id)))
        logo = session.get(SchoolLogo, school_id)
        logo_at = logo.changed_at if logo else None
        history = show_history(session, school_id, [f"school:{school_id}"])
    page = render_template(
        "settings_school.html",
        values=typed or stored,
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
        zones=ZONES,
        logo_at=logo_at,
        history=history,
    )
    return page, wrong.status


@pages.get("/settings/logo")
@allow(*Role)
def show_logo() -> ResponseReturnValue:
    """The school's logo, with the type that its bytes have and nothing else.

    The browser keeps it for a day under an address that names the school and the picture
    (`logo_address`), and asks by its tag whether it is still the same.
    """
    with school_session() as session:
        logo = logos.find_logo(session, school_in_use().id)
    if logo is None:
        raise NotFound
    response = Response(logo.body, mimetype=logo.media_type)
    response.cache_control.private = True
    response.cache_control.max_age = _DAY_S
    response.add_etag()
    return response.make_conditional(request)


@pages.post("/settings/logo")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def send_logo() -> ResponseReturnValue:
    """Take a picture as the school's logo."""
    sent, now = request.files.get("logo"), datetime.now(UTC)
    body = sent.read() if sent else b""
    wrong = try_change(
        lambda session: logos.keep_logo(
            session, actor(), school_in_use().id, logos.read_logo(body), now
        )
    )
    if wrong.errors:
        return _show_school(wrong)
    flash(gettext("Saved."), "good")
    return redirect(url_for("settings.show"))


@pages.post("/settings/logo/remove")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def remove_logo() -> ResponseReturnValue:
    """Leave the school without a logo of its own."""
    try_change(lambda session: logos.remove_logo(session, actor(), school_in_use().id))
    return redirect(url_for("settings.show"))


@pages.get("/settings/homerooms")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_homerooms() -> ResponseReturnValue:
    """All homerooms, and a form for one more."""
    return _show_homerooms(NOTHING_WRONG)


@pages.post("/settings/homerooms")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def add_homeroom() -> ResponseReturnValue:
    """Make one more homeroom."""
    form, school_id = request.form, school_in_use().id
    wrong = try_change(
        lambda session: homerooms.add_homeroom(
            session, actor(), school_id, homerooms.read_settings(form)
        )
    )
    if wrong.errors:
        return _show_homerooms(wrong, form.to_dict())
    flash(gettext("The homeroom is there."), "good")
    return redirect(url_for("settings.show_homerooms"))


def _show_homerooms(wrong: Wrong, typed: dict[str, str] | None = None) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        found = homerooms.list_homerooms(session, school_id)
        past = homerooms.list_past_homerooms(session, school_id)
        places = campuses.list_campuses(session, school_id)
        history = show_history(session, school_id, [f"homeroom:{one.id}" for one in found])
    page = render_template(
        "settings_homerooms.html",
        homerooms=found,
        past=past,
        campuses=places,
        campus_choices=[(one.id, one.name) for one in places],
        values=typed or {},
        errors=wrong.errors,
        history=history,
    )
    return page, wrong.status


@pages.get("/settings/homerooms/<int:homeroom_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_homeroom(homeroom_id: int) -> ResponseReturnValue:
    """One homeroom's name and grade."""
    return _show_homeroom(homeroom_id, NOTHING_WRONG)


@pages.post("/settings/homerooms/<int:homeroom_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def change_homeroom(homeroom_id: int) -> ResponseReturnValue:
    """Rename a homeroom or put it into another grade."""
    form, school_id = request.form, school_in_use().id
    wrong = try_change(
        lambda session: homerooms.change_homeroom(
            session,
            actor(),
            school_id,
            homeroom_id,
            homerooms.read_settings(form),
            form.get("seen", ""),
        )
    )
    if wrong.errors:
        return _show_homeroom(homeroom_id, wrong, form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("settings.show_homerooms"))


def _show_homeroom(
    homeroom_id: int, wrong: Wrong, typed: dict[str, str] | None = None
) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        found = homerooms.find_homeroom(session, school_id, homeroom_id)
        stored = asdict(homerooms.settings_of(found))
        is_past = found.is_past
        places = campuses.list_campuses(session, school_id)
        history = show_history(session, school_id, [f"homeroom:{homeroom_id}"])
    page = render_template(
        "settings_homeroom.html",
        homeroom_id=homeroom_id,
        is_past=is_past,
        campuses=places,
        campus_choices=[(one.id, one.name) for one in places],
        values=typed or stored,
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
        history=history,
    )
    return page, wrong.status

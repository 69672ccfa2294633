"""School years, terms and campuses (学期, 校区) under the settings."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, now, school_in_use, school_session
from card_server.register import campuses, terms
from card_server.school_time import day_of
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.student_pages import ADMINS

pages = Blueprint("terms", __name__)


@pages.get("/settings/terms")
@allow(*ADMINS)
def show() -> ResponseReturnValue:
    """All terms and campuses, and a form for one more of each."""
    return _show(NOTHING_WRONG)


@pages.post("/settings/terms")
@allow(*ADMINS)
def add() -> ResponseReturnValue:
    """Make one more term."""
    form = request.form
    return _do(
        "term",
        gettext("The term is there."),
        lambda session: terms.add_term(
            session, actor(), school_in_use().id, terms.read_settings(form), now()
        ),
    )


@pages.post("/settings/terms/<int:term_id>/remove")
@allow(*ADMINS)
def remove(term_id: int) -> ResponseReturnValue:
    """Take a term away."""
    return _do(
        "",
        gettext("The term is gone."),
        lambda session: terms.remove_term(session, actor(), school_in_use().id, term_id, now()),
    )


@pages.post("/settings/campuses")
@allow(*ADMINS)
def add_campus() -> ResponseReturnValue:
    """Make one more campus."""
    form = request.form
    return _do(
        "campus",
        gettext("The campus is there."),
        lambda session: campuses.add_campus(
            session, actor(), school_in_use().id, campuses.read_name(form)
        ),
    )


@pages.post("/settings/campuses/<int:campus_id>/remove")
@allow(*ADMINS)
def remove_campus(campus_id: int) -> ResponseReturnValue:
    """Take a campus away that no homeroom ever was of."""
    return _do(
        "",
        gettext("The campus is gone."),
        lambda session: campuses.remove_campus(session, actor(), school_in_use().id, campus_id),
    )


def _do(part: str, said: str, change: Callable[[Session], object]) -> ResponseReturnValue:
    """One of the page's forms; what is wrong stands in that one."""
    wrong = try_change(change)
    if wrong.errors:
        return _show(wrong, part, request.form.to_dict())
    flash(said, "good")
    return redirect(url_for("terms.show"))


def _show(
    wrong: Wrong, part: str = "", typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    school = school_in_use()
    today = day_of(datetime.now(UTC), school.zone)
    with school_session() as session:
        found = terms.list_terms(session, school.id)
        places = campuses.list_campuses(session, school.id)
    shown = {"term": {"school_year": terms.school_year_of(found, today)}, "campus": {}}
    page = render_template(
        "settings_terms.html",
        terms=found,
        campuses=places,
        now=terms.term_of(found, today),
        shown=shown | ({part: typed} if part else {}),
        errors={part: wrong.errors},
    )
    return page, wrong.status


@pages.get("/settings/terms/<int:term_id>")
@allow(*ADMINS)
def show_term(term_id: int) -> ResponseReturnValue:
    """One term's name and days."""
    return _show_term(term_id, NOTHING_WRONG)


@pages.post("/settings/terms/<int:term_id>")
@allow(*ADMINS)
def change(term_id: int) -> ResponseReturnValue:
    """Change one term."""
    form, school_id = request.form, school_in_use().id
    wrong = try_change(
        lambda session: terms.change_term(
            session,
            actor(),
            school_id,
            term_id,
            terms.read_settings(form),
            now(),
            form.get("seen", ""),
        )
    )
    if wrong.errors:
        return _show_term(term_id, wrong, form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("terms.show"))


def _show_term(
    term_id: int, wrong: Wrong, typed: dict[str, str] | None = None
) -> ResponseReturnValue:
    with school_session() as session:
        term = terms.find_term(session, school_in_use().id, term_id)
        stored = asdict(terms.settings_of(term))
    page = render_template(
        "settings_term.html",
        term=term,
        values=typed or stored,
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
    )
    return page, wrong.status


@pages.get("/settings/campuses/<int:campus_id>")
@allow(*ADMINS)
def show_campus(campus_id: int) -> ResponseReturnValue:
    """One campus's name."""
    return _show_campus(campus_id, NOTHING_WRONG)


@pages.post("/settings/campuses/<int:campus_id>")
@allow(*ADMINS)
def rename_campus(campus_id: int) -> ResponseReturnValue:
    """Rename a campus."""
    form, school_id = request.form, school_in_use().id
    wrong = try_change(
        lambda session: campuses.rename_campus(
            session,
            actor(),
            school_id,
            campus_id,
            campuses.read_name(form),
            form.get("seen", ""),
        )
    )
    if wrong.errors:
        return _show_campus(campus_id, wrong, form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("terms.show"))


def _show_campus(
    campus_id: int, wrong: Wrong, typed: dict[str, str] | None = None
) -> ResponseReturnValue:
    with school_session() as session:
        stored = {"name": campuses.find_campus(session, school_in_use().id, campus_id).name}
    page = render_template(
        "settings_campus.html",
        campus_id=campus_id,
        values=typed or stored,
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
    )
    return page, wrong.status

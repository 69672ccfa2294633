"""The district (区级): all schools at a glance, entering one, and adding another."""

from datetime import UTC, datetime

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import actor, allow_anywhere, caller, reading, writing
from card_server.audit.writing import note
from card_server.reports.district import SchoolToday, StudentCounts, read_district
from card_server.staff.administration import Made, open_school
from card_server.staff.sessions import enter_school
from card_server.web.changing import NOTHING_WRONG, Wrong, administrator, try_change
from card_server.web.tables import Column, cut_page, read_asked
from schema.tables.staff import Role

SCHOOLS_A_PAGE = 500
_COUNTS = "district_counts"
_SORTS = (
    "name",
    "students",
    "arrived",
    "late",
    "inside",
    "silent",
    "waiting",
    "failed",
    "heard_at",
)

pages = Blueprint("district", __name__)


@pages.get("/district")
@allow_anywhere(Role.DISTRICT_ADMIN)
def show() -> ResponseReturnValue:
    """All schools with what each has today."""
    now, asked = datetime.now(UTC), read_asked(_SORTS, default="name")
    counts: StudentCounts = current_app.extensions.setdefault(_COUNTS, StudentCounts())
    with reading()() as session:
        found = read_district(session, counts, now)
    columns = [
        Column(gettext("School"), "name"),
        Column(gettext("Students"), "students", is_number=True),
        Column(gettext("Came in"), "arrived", is_number=True),
        Column(gettext("Late"), "late", is_number=True),
        Column(gettext("On campus"), "inside", is_number=True),
        Column(gettext("Silent readers"), "silent", is_number=True),
        Column(gettext("Messages waiting"), "waiting", is_number=True),
        Column(gettext("Messages failed"), "failed", is_number=True),
        Column(gettext("Last heard"), "heard_at"),
        Column(gettext("Enter")),
    ]
    return render_template(
        "district.html",
        page=cut_page(asked.sorted(found, _KEYS), asked, SCHOOLS_A_PAGE),
        total=_total(found),
        asked=asked,
        columns=columns,
        now=now,
    )


_KEYS = {
    "name": lambda one: one.name,
    "students": lambda one: one.students,
    "arrived": lambda one: one.arrived,
    "late": lambda one: one.late,
    "inside": lambda one: one.inside,
    "silent": lambda one: one.silent,
    "waiting": lambda one: one.waiting,
    "failed": lambda one: one.failed,
    "heard_at": lambda one: one.heard_at.timestamp() if one.heard_at else 0.0,
}


def _total(found: list[SchoolToday]) -> dict[str, int]:
    names = ("students", "arrived", "late", "inside", "silent", "waiting", "failed")
    return {name: sum(getattr(one, name) for one in found) for name in names}


@pages.post("/district/enter/<int:school_id>")
@allow_anywhere(Role.DISTRICT_ADMIN)
def enter(school_id: int) -> ResponseReturnValue:
    """Work in one school from now on, as its administrator would."""
    with writing().begin() as session:
        enter_school(session, caller(), school_id)
        note(session, school_id, actor(), "school.entered", f"school:{school_id}")
    return redirect(url_for("board.show"))


@pages.post("/district/leave")
@allow_anywhere(Role.DISTRICT_ADMIN)
def leave() -> ResponseReturnValue:
    """Go back to all schools."""
    who = caller()
    with writing().begin() as session:
        enter_school(session, who, None)
        if who.school:
            note(session, who.school.id, actor(), "school.left", f"school:{who.school.id}")
    return redirect(url_for("district.show"))


@pages.get("/district/schools/new")
@allow_anywhere(Role.DISTRICT_ADMIN)
def show_new() -> ResponseReturnValue:
    """The form for a new school and its first administrator."""
    return _show_new(NOTHING_WRONG)


@pages.post("/district/schools/new")
@allow_anywhere(Role.DISTRICT_ADMIN)
def add() -> ResponseReturnValue:
    """Make a school, and show the one-time password of its administrator."""
    form, made = request.form, list[Made]()
    wrong = try_change(
        lambda session: made.append(
            open_school(
                session,
                administrator(),
                code=form.get("code", ""),
                name=form.get("name", ""),
                signature=form.get("signature", ""),
                zone=form.get("zone", ""),
                login=form.get("login", ""),
                admin_name=form.get("admin_name", ""),
            )[1]
        ),
        writing().begin,
    )
    if wrong.errors:
        return _show_new(wrong)
    return render_template("district_password.html", made=made[0])


def _show_new(wrong: Wrong) -> ResponseReturnValue:
    values = request.form.to_dict() or {"zone": "Asia/Shanghai"}
    page = render_template("district_school.html", values=values, errors=wrong.errors)
    return page, wrong.status

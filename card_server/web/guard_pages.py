"""The guard's page (门卫): who was held at the gate, whom to call, and letting out all the same."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.access import allow, now, school_in_use, school_session
from card_server.attendance.noting_passages import read_passage, record_passage
from card_server.errors import AppError, Code
from card_server.leave.callers import at_gate
from card_server.reports.held import HeldState, HeldStudent, list_held
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.fragments import render_part
from card_server.web.tables import Column, Page, read_asked
from schema.tables.readers import Direction
from schema.tables.staff import Role

pages = Blueprint("guard", __name__)
_ROLES = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.GATE_GUARD)
_STATES = {
    HeldState.WAITING: lazy_gettext("at the gate"),
    HeldState.LET_OUT: lazy_gettext("let out by the guard"),
    HeldState.LEFT: lazy_gettext("left with the card"),
    HeldState.STAYED: lazy_gettext("stayed"),
}
_COLUMNS = (
    Column(lazy_gettext("Time")),
    Column(lazy_gettext("Student")),
    Column(lazy_gettext("Homeroom")),
    Column(lazy_gettext("Gate")),
    Column(lazy_gettext("How it ended")),
)


@pages.get("/gate/held")
@allow(*_ROLES)
def show() -> ResponseReturnValue:
    """Who stands at a gate and may not leave, and who was held before."""
    school = school_in_use()
    with school_session() as session:
        held = list_held(session, school.id, school.zone, now())
    waiting = [one for one in held if one.state is HeldState.WAITING]
    return render_part(
        "guard.html",
        "guard_part.html",
        waiting=waiting,
        page=Page([one for one in held if one.state is not HeldState.WAITING]),
        columns=_COLUMNS,
        asked=read_asked(),
        states=_STATES,
    )


@pages.get("/gate/held/<int:student_id>")
@allow(*_ROLES)
def show_student(student_id: int) -> ResponseReturnValue:
    """One student who was held, to be let out with a reason."""
    return _show_student(student_id, NOTHING_WRONG, {})


@pages.post("/gate/held/<int:student_id>/let-out")
@allow(*_ROLES)
def let_out(student_id: int) -> ResponseReturnValue:
    """Write down that the guard let the student out now, and why."""
    doing = at_gate()

    def change(session: Session) -> None:
        _find(session, student_id)
        typed = {"direction": Direction.OUT, "reason": request.form.get("reason", "")}
        record_passage(session, doing, student_id, read_passage(typed, doing.zone, doing.now))

    wrong = try_change(change)
    if wrong.errors:
        return _show_student(student_id, wrong, request.form)
    flash(gettext("Written down: let out by hand."), "good")
    return redirect(url_for("guard.show"))


def _show_student(student_id: int, wrong: Wrong, values: Mapping[str, str]) -> ResponseReturnValue:
    with school_session() as session:
        held = _find(session, student_id)
    page = render_template(
        "guard_student.html", held=held, errors=wrong.errors, values=values, states=_STATES
    )
    return page, wrong.status


def _find(session: Session, student_id: int) -> HeldStudent:
    """A student who was held today. Raises AppError(NOT_FOUND)."""
    school = school_in_use()
    found = list_held(session, school.id, school.zone, now(), student_id)
    if not found:
        raise AppError(Code.NOT_FOUND, "This student was not held at a gate today.")
    return found[0]

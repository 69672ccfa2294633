"""Leave on the parents' page: asking, and taking back what is not decided."""

from collections.abc import Mapping
from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import now
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.leave import slips
from card_server.leave.lists import SlipLine, read_slip, slips_of_student
from card_server.leave.steps import WAITING
from card_server.leave.wishes import MAX_REASON, read_wish
from card_server.parent_access import (
    for_consenting_parents,
    parent,
    parent_actor,
    parent_change,
    parent_session,
)
from card_server.school_time import day_of
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.entering import seal
from card_server.web.leave_pages import TONES
from card_server.web.parent_entering import parents_pages
from card_server.words.choices import word
from card_server.words.leave import leave_time, overlap_sentence
from schema.tables.leave import LeaveKind

pages = parents_pages("parent_leave", __name__)
_NOON = 12


@pages.get("/parent/children/<int:student_id>/leave")
@for_consenting_parents
def show(student_id: int) -> ResponseReturnValue:
    """The child's leave slips, and the form for another one: today, or from noon on tomorrow."""
    local = now().astimezone(parent().school.zone)
    first = local.date() + timedelta(days=local.hour >= _NOON)
    return _show(student_id, NOTHING_WRONG, {"kind": LeaveKind.SICK, "from_on": first.isoformat()})


@pages.post("/parent/children/<int:student_id>/leave")
@for_consenting_parents
def ask(student_id: int) -> ResponseReturnValue:
    """Ask for leave; it waits for the homeroom teacher."""
    form, doing, who = request.form, _doing(), parent()

    def change(session: Session) -> None:
        wish = read_wish(form, doing.zone, doing.now)
        try:
            slips.ask(session, doing, student_id, wish, seal(), who.guardian_id)
        except slips.OverlapError as error:
            said = overlap_sentence(error.from_at, error.until_at, doing.zone)
            raise FieldsError({"from_on": said}, Code.CONFLICT) from error

    wrong = try_change(change, parent_change)
    if wrong.errors:
        return _show(student_id, wrong, form.to_dict())
    flash(gettext("Your request is with the homeroom teacher."), "good")
    return redirect(url_for("parent_leave.show", student_id=student_id))


@pages.post("/parent/children/<int:student_id>/leave/<int:leave_slip_id>/withdraw")
@for_consenting_parents
def withdraw(student_id: int, leave_slip_id: int) -> ResponseReturnValue:
    """Take back one's own request while nobody has decided it."""

    def change(session: Session) -> None:
        line = read_slip(session, parent().school.id, leave_slip_id)
        if line is None or line.student_id != student_id or not is_own(line):
            raise AppError(Code.NOT_FOUND, "There is no such leave slip.")
        if line.state not in WAITING:
            raise AppError(
                Code.CONFLICT, "This request is decided. Call the homeroom teacher to change it."
            )
        why = gettext("The guardian took it back.")
        slips.withdraw(session, _doing(), leave_slip_id, why)

    wrong = try_change(change, parent_change)
    if wrong.errors:
        return _show(student_id, wrong, {})
    flash(gettext("Your request is taken back."), "good")
    return redirect(url_for("parent_leave.show", student_id=student_id))


def is_own(line: SlipLine) -> bool:
    """Whether it was this guardian who asked, and not the other one or the school."""
    return line.guardian_id == parent().guardian_id


def _show(student_id: int, wrong: Wrong, values: Mapping[str, str]) -> ResponseReturnValue:
    school = parent().school
    with parent_session() as session:
        found = slips_of_student(session, school.id, student_id, limit=50)
    page = render_template(
        "parent_leave.html",
        errors=wrong.errors,
        is_own=is_own,
        kinds=[(one.value, word(one)) for one in LeaveKind],
        most=MAX_REASON,
        slips=found,
        student_id=student_id,
        today=day_of(now(), school.zone).isoformat(),
        tones=TONES,
        values=values,
        waiting=WAITING,
        written=lambda one: leave_time(one.from_at, one.until_at, school.zone),
    )
    return page, wrong.status


def _doing() -> slips.Doing:
    school = parent().school
    return slips.Doing(parent_actor(), school.id, school.zone, now())

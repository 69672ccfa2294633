"""Exemptions (免考勤): of whom nothing is expected, from when until when."""

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, now, school_in_use, school_session
from card_server.attendance.exempting import end_exemption, exempt, read_exempt_time
from card_server.attendance.exemptions import find_exemption, list_exemptions
from card_server.field_errors import Problems
from card_server.leave.callers import SCHOOL
from card_server.people.students import find_student
from card_server.register.terms import read_day
from card_server.school_time import day_of
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change

pages = Blueprint("exemptions", __name__)
_DAY = timedelta(days=1)


@pages.get("/students/<int:student_id>/exemptions")
@allow(*SCHOOL)
def show(student_id: int) -> ResponseReturnValue:
    """A student's exemptions, and the form for another one."""
    return _show(student_id, NOTHING_WRONG, {"from_on": _today()})


@pages.post("/students/<int:student_id>/exemptions")
@allow(*SCHOOL)
def add(student_id: int) -> ResponseReturnValue:
    """Expect nothing of the student for a time."""
    form, school, moment = request.form, school_in_use(), now()

    def change(session: Session) -> None:
        find_student(session, school.id, student_id)
        wanted = read_exempt_time(form)
        exempt(session, actor(), school.id, student_id, wanted, moment, school.zone)

    wrong = try_change(change)
    if wrong.errors:
        return _show(student_id, wrong, form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("exemptions.show", student_id=student_id))


@pages.post("/exemptions/<int:exemption_id>/end")
@allow(*SCHOOL)
def end(exemption_id: int) -> ResponseReturnValue:
    """Expect the student again, from a day on."""
    form, school, moment = request.form, school_in_use(), now()
    with school_session() as session:
        student_id = find_exemption(session, school.id, exemption_id).student_id

    def change(session: Session) -> None:
        wrong = Problems()
        on = read_day(wrong, "on", form.get("on", ""))
        wrong.refuse()
        end_exemption(session, actor(), school.id, exemption_id, on, moment, school.zone)

    wrong = try_change(change)
    if wrong.errors:
        return _show(student_id, wrong, form.to_dict(), exemption_id)
    flash(gettext("Saved."), "good")
    return redirect(url_for("exemptions.show", student_id=student_id))


def _show(
    student_id: int, wrong: Wrong, values: Mapping[str, str], ended_id: int = 0
) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        student = find_student(session, school_id, student_id)
        found = list_exemptions(session, school_id, student_id)
    page = render_template(
        "correction_exemptions.html",
        ended_id=ended_id,
        errors=wrong.errors,
        exemptions=found,
        last_days={one.id: one.until_on - _DAY for one in found if one.until_on},
        student=student,
        today=_today(),
        values=values,
    )
    return page, wrong.status


def _today() -> str:
    return day_of(now(), school_in_use().zone).isoformat()

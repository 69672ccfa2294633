"""All that is kept on a student, to take away or to erase (查阅、复制与删除个人信息)."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import actor, allow, caller, changing_session, school_in_use, school_session
from card_server.errors import HTTP_STATUS, Code
from card_server.people.student_status import AWAY_FOR_GOOD
from card_server.people.students import find_student
from card_server.personal.erasure import Erasing, erase_student
from card_server.personal.giving import Taking
from card_server.personal.giving import give_out as give_out_package
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.entering import seal
from card_server.web.export import send_bytes
from card_server.web.reasons import read_reason
from schema.tables.staff import Role

pages = Blueprint("personal", __name__)
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)


@pages.get("/students/<int:student_id>/data")
@allow(*_ADMINS)
def show(student_id: int) -> ResponseReturnValue:
    """The two forms."""
    return _show(student_id, NOTHING_WRONG)


@pages.post("/students/<int:student_id>/data/export")
@allow(*_ADMINS)
def give_out(student_id: int) -> ResponseReturnValue:
    """The zip of everything, to whoever says why; that is noted."""
    reason, school = read_reason(), school_in_use()
    if not reason:
        said = {"reason": gettext("Write the reason: the audit log keeps it.")}
        return _show(student_id, Wrong(said, HTTP_STATUS[Code.INVALID], is_conflict=False), "give")
    with changing_session() as session:
        taking = Taking(actor(), caller().name, reason)
        package = give_out_package(session, school, student_id, taking, seal())
    response = send_bytes(iter([package.body]), "application/zip", package.name)
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post("/students/<int:student_id>/data/erase")
@allow(Role.SCHOOL_ADMIN)
def erase(student_id: int) -> ResponseReturnValue:
    """Erase the student, who must have left; the number is typed again."""
    doing = Erasing(
        actor(),
        school_in_use().id,
        student_id,
        request.form.get("number", "")[:40],
        read_reason(),
        datetime.now(UTC),
    )
    wrong = try_change(lambda session: erase_student(session, doing))
    if wrong.errors:
        return _show(student_id, wrong, "erase")
    flash(gettext("The student is erased. The counts of past days stay as they were."), "good")
    return redirect(url_for("students.show_search"))


def _show(student_id: int, wrong: Wrong, form: str = "") -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        student = find_student(session, school_id, student_id)
    page = render_template(
        "student_data.html",
        student=student,
        has_left=student.status in AWAY_FOR_GOOD,
        errors=wrong.errors,
        form_in_error=form,
        values=request.form,
    )
    return page, wrong.status

"""Without a card (手工放行): the guard's page, for a phone in one hand."""

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import allow, caller, now, school_in_use, school_session
from card_server.attendance.hand_passages import list_passages
from card_server.attendance.noting_passages import read_passage, record_passage, take_back
from card_server.errors import AppError, Code
from card_server.leave.callers import SCHOOL, at_gate, is_school
from card_server.leave.lists import leave_of_now
from card_server.people.photos import find_photo
from card_server.people.student_search import MAX_FOUND, search_students
from card_server.people.students import find_student
from card_server.reports.desk import find_desk_student
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.entering import seal
from card_server.web.fragments import render_part
from card_server.words.leave import leave_time
from schema.tables.staff import Role

pages = Blueprint("hand_passages", __name__)
_AT_GATE = (*SCHOOL, Role.GATE_GUARD)
_LIST_TIME = timedelta(hours=24)
_MOST_LISTED = 30


@pages.get("/by-hand")
@allow(*_AT_GATE)
def show() -> ResponseReturnValue:
    """The search, and what was written down since yesterday."""
    return _show(NOTHING_WRONG)


@pages.post("/by-hand")
@allow(*_AT_GATE)
def find() -> ResponseReturnValue:
    """Students to choose from; by POST, because a name must not stand in an address."""
    return _show(NOTHING_WRONG, request.form.get("words", "")[:100])


def _show(wrong: Wrong, words: str = "") -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        found = search_students(session, school_id, words)
        recent = list_passages(session, school_id, now() - _LIST_TIME, _MOST_LISTED)
    page = render_part(
        "correction_gate.html",
        "correction_gate_found.html",
        errors=wrong.errors,
        found=found,
        may_take_back=is_school(),
        most=MAX_FOUND,
        recent=recent,
        own_id=caller().staff_id,
        words=words,
    )
    page.status_code = wrong.status
    return page


@pages.get("/by-hand/<int:student_id>")
@allow(*_AT_GATE)
def show_student(student_id: int) -> ResponseReturnValue:
    """The face to compare, and the two ways."""
    return _show_student(student_id, NOTHING_WRONG, {})


@pages.post("/by-hand/<int:student_id>")
@allow(*_AT_GATE)
def record(student_id: int) -> ResponseReturnValue:
    """Write down that the student was let in or out."""
    form, doing = request.form, at_gate()

    def change(session: Session) -> None:
        find_student(session, doing.school_id, student_id)
        reason = form.get("reason", "").strip() or form.get("preset", "")
        wanted = read_passage({**form, "reason": reason}, doing.zone, doing.now)
        record_passage(session, doing, student_id, wanted)

    wrong = try_change(change)
    if wrong.errors:
        return _show_student(student_id, wrong, form.to_dict())
    flash(gettext("Written down."), "good")
    return redirect(url_for("hand_passages.show"))


@pages.post("/by-hand/passages/<int:hand_passage_id>/undo")
@allow(*_AT_GATE)
def undo(hand_passage_id: int) -> ResponseReturnValue:
    """Take back what was written down."""
    doing = at_gate()
    wrong = try_change(lambda session: take_back(session, doing, hand_passage_id))
    if wrong.errors:
        return _show(wrong)
    flash(gettext("Taken back."), "good")
    return redirect(url_for("hand_passages.show"))


@pages.get("/by-hand/<int:student_id>/photo")
@allow(*_AT_GATE)
def show_photo(student_id: int) -> ResponseReturnValue:
    """The face, for whoever stands at the gate."""
    with school_session() as session:
        photo = find_photo(session, school_in_use().id, student_id, seal())
    answer = Response(photo.body, mimetype=photo.media_type)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _show_student(student_id: int, wrong: Wrong, values: Mapping[str, str]) -> ResponseReturnValue:
    school = school_in_use()
    with school_session() as session:
        student = find_desk_student(session, school.id, student_id)
        if student is None:
            raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
        leave = leave_of_now(session, school.id, student_id, now())
    reasons = [
        gettext("forgot the card"),
        gettext("the card does not work"),
        gettext("lost the card"),
        gettext("the reader does not work"),
    ]
    page = render_template(
        "correction_gate_student.html",
        errors=wrong.errors,
        leave=leave,
        leave_time=leave_time(leave.from_at, leave.until_at, school.zone) if leave else "",
        reasons=[(one, one) for one in reasons],
        student=student,
        values=values,
    )
    return page, wrong.status

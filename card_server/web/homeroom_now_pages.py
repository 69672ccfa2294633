"""The homeroom teacher's list (本班今日): who is not there, whom to call, one click to mend it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import allow, grants_in_use, now, school_in_use, school_session
from card_server.attendance.correcting import Mark, correct, read_position
from card_server.exports.enrolment import read_id
from card_server.field_errors import Problems
from card_server.leave.callers import SEEING, about_days
from card_server.people.students import find_student
from card_server.reports.homeroom_now import read_homeroom_now
from card_server.reports.student_list import list_rooms
from card_server.school_time import day_of
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.fragments import render_part
from schema.tables.attendance import SessionStatus

pages = Blueprint("homeroom_now", __name__)


@pages.get("/attendance/today/mine")
@allow(*SEEING)
def show() -> ResponseReturnValue:
    """The homeroom that `homeroom` names, or else the caller's own, or the first."""
    return _show(NOTHING_WRONG)


@pages.post("/attendance/today/mine")
@allow(*SEEING)
def mark_here() -> ResponseReturnValue:
    """One student is here, without a card: a correction of the session that goes on."""
    doing, form = about_days(), request.form
    student_id = read_id(form, "student") or 0
    room = read_id(request.args, "homeroom")

    reason = str(gettext("here, without a card"))

    def change(session: Session) -> None:
        find_student(session, doing.school_id, student_id)
        wrong = Problems()
        at = read_position(wrong, form.get("position", ""))
        wrong.refuse()
        today = day_of(doing.now, doing.zone)
        correct(session, doing, student_id, today, Mark(at, SessionStatus.PRESENT, None, reason))

    wrong = try_change(change)
    if wrong.errors:
        return _show(wrong)
    flash(gettext("Marked present: here, without a card."), "good")
    return redirect(url_for("homeroom_now.show", homeroom=room))


def _show(wrong: Wrong) -> ResponseReturnValue:
    school, moment = school_in_use(), now()
    with school_session() as session:
        rooms = list_rooms(session, school.id)
        homeroom_id = _choose(rooms)
        if homeroom_id is None:
            return render_template("homeroom_now_none.html")
        found = read_homeroom_now(session, school, homeroom_id, moment)
    page = render_part(
        "homeroom_now.html",
        "homeroom_now_part.html",
        S=SessionStatus,
        errors=wrong.errors,
        found=found,
        now=moment,
        rooms=rooms,
    )
    page.status_code = wrong.status
    return page


def _choose(rooms: list[tuple[int, str]]) -> int | None:
    """The asked homeroom, the one that the caller teaches, or the first within reach."""
    asked = read_id(request.args, "homeroom")
    if asked is not None:
        return asked
    own = {one.homeroom_id for one in grants_in_use()}
    ids = [room for room, _name in rooms]
    return next((room for room in ids if room in own), ids[0] if ids else None)

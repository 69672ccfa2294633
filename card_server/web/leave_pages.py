"""Leave slips (请假条): what waits, what is coming, what is past; asking, and deciding."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.access import allow, now, school_in_use, school_session
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.leave import slips
from card_server.leave.callers import SEEING, about_leave, is_school
from card_server.leave.lists import Group, SlipLine, count_slips, list_slips, slips_of_student
from card_server.leave.lists import read_slip as read_line
from card_server.leave.steps import STANDING
from card_server.leave.wishes import read_end, read_wish
from card_server.looks import note_look
from card_server.people.student_search import MAX_FOUND, search_students
from card_server.people.students import find_student
from card_server.school_time import day_of
from card_server.seen import fingerprint
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.entering import seal
from card_server.web.fragments import render_part
from card_server.web.tables import PAGE_ROWS, Column, count_page, read_asked
from card_server.words.choices import word
from card_server.words.leave import leave_time, overlap_sentence
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState

pages = Blueprint("leave", __name__)
TONES = {
    LeaveState.ASKED: "warn",
    LeaveState.FIRST_APPROVED: "warn",
    LeaveState.APPROVED: "good",
    LeaveState.REFUSED: "bad",
    LeaveState.WITHDRAWN: "",
}
_COLUMNS = (
    Column(lazy_gettext("Student")),
    Column(lazy_gettext("Homeroom")),
    Column(lazy_gettext("Leave")),
    Column(lazy_gettext("When")),
    Column(lazy_gettext("State")),
    Column(lazy_gettext("Asked by"), is_minor=True),
)


@pages.get("/leave")
@allow(*SEEING)
def show() -> ResponseReturnValue:
    """The slips that wait for the caller; others when `group` names them."""
    asked = read_asked(filters=("group",))
    wanted = asked.filters.get("group", "")
    group = Group(wanted) if wanted in list(Group) else Group.WAITING
    school_id, moment, for_school = school_in_use().id, now(), is_school()
    with school_session() as session:
        counts = {
            one: count_slips(session, school_id, one, moment, is_school=for_school)
            for one in (Group.WAITING, Group.COMING, group)
        }
        number = min(asked.page, max(1, -(-counts[group] // PAGE_ROWS)))
        first = (number - 1) * PAGE_ROWS
        found = list_slips(
            session,
            school_id,
            group,
            moment,
            is_school=for_school,
            first=first,
            limit=PAGE_ROWS,
        )
    return render_part(
        "leave.html",
        "leave_part.html",
        asked=asked,
        columns=_COLUMNS,
        counts=counts,
        group=group,
        groups=group_words(),
        page=count_page(found, asked, number, counts[group]),
        tones=TONES,
        written=_written,
    )


def group_words() -> list[tuple[Group, str]]:
    """The lists of slips, as their tabs name them."""
    return [
        (Group.WAITING, gettext("Waiting for me")),
        (Group.COMING, gettext("Coming and current")),
        (Group.PAST, gettext("Past")),
    ]


def _written(slip: SlipLine) -> str:
    return leave_time(slip.from_at, slip.until_at, school_in_use().zone)


@pages.get("/leave/new")
@allow(*SEEING)
def show_new() -> ResponseReturnValue:
    """Whom the leave is for."""
    return render_template("leave_for_whom.html", words="", found=[], most=MAX_FOUND)


@pages.post("/leave/new")
@allow(*SEEING)
def find() -> ResponseReturnValue:
    """Students to choose from; by POST, because a name must not stand in an address."""
    words = request.form.get("words", "")[:100]
    with school_session() as session:
        found = search_students(session, school_in_use().id, words)
    return render_part(
        "leave_for_whom.html", "leave_found_part.html", words=words, found=found, most=MAX_FOUND
    )


@pages.get("/students/<int:student_id>/leave")
@allow(*SEEING)
def show_student(student_id: int) -> ResponseReturnValue:
    """One student's slips, and the form for another one."""
    today = day_of(now(), school_in_use().zone).isoformat()
    return _show_student(student_id, NOTHING_WRONG, {"from_on": today})


@pages.post("/students/<int:student_id>/leave")
@allow(*SEEING)
def ask(student_id: int) -> ResponseReturnValue:
    """Ask for leave for a student."""
    form, doing, made = request.form, about_leave(), list[int]()

    def change(session: Session) -> None:
        find_student(session, doing.school_id, student_id)
        wish = read_wish(form, doing.zone, doing.now)
        try:
            made.append(slips.ask(session, doing, student_id, wish, seal()).id)
        except slips.OverlapError as error:
            said = overlap_sentence(error.from_at, error.until_at, doing.zone)
            raise FieldsError({"from_on": said}, Code.CONFLICT) from error

    wrong = try_change(change)
    if wrong.errors:
        return _show_student(student_id, wrong, form.to_dict())
    flash(gettext("The leave slip is written. It counts when it is approved."), "good")
    return redirect(url_for("leave.show_slip", leave_slip_id=made[0]))


def _show_student(student_id: int, wrong: Wrong, values: Mapping[str, str]) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        student = find_student(session, school_id, student_id)
        found = slips_of_student(session, school_id, student_id)
    page = render_template(
        "leave_student.html",
        errors=wrong.errors,
        kinds=[("", gettext("Choose")), *((one.value, word(one)) for one in LeaveKind)],
        slips=found,
        student=student,
        tones=TONES,
        values=values,
        written=_written,
    )
    return page, wrong.status


@pages.get("/leave/<int:leave_slip_id>")
@allow(*SEEING)
def show_slip(leave_slip_id: int) -> ResponseReturnValue:
    """One slip with its reason and its course; the look is noted."""
    return _show_slip(leave_slip_id, NOTHING_WRONG)


@pages.post("/leave/<int:leave_slip_id>/approve")
@allow(*SEEING)
def approve(leave_slip_id: int) -> ResponseReturnValue:
    """Approve it: for the homeroom, or for the school; and say whether the gate lets out."""
    doing, form = about_leave(), request.form
    seen, ticked = form.get("seen", ""), form.getlist("lets_out")
    lets_out = "1" in ticked if ticked else None

    def change(session: Session) -> LeaveSlip:
        return slips.approve(session, doing, leave_slip_id, seen, lets_out)

    return _decide(leave_slip_id, change)


@pages.post("/leave/<int:leave_slip_id>/refuse")
@allow(*SEEING)
def refuse(leave_slip_id: int) -> ResponseReturnValue:
    """Refuse it, and say why."""
    doing, form = about_leave(), request.form
    why, seen = form.get("why", ""), form.get("seen", "")
    return _decide(
        leave_slip_id, lambda session: slips.refuse(session, doing, leave_slip_id, why, seen)
    )


@pages.post("/leave/<int:leave_slip_id>/withdraw")
@allow(*SEEING)
def withdraw(leave_slip_id: int) -> ResponseReturnValue:
    """Take it back, and say why."""
    doing, form = about_leave(), request.form
    why, seen = form.get("why", ""), form.get("seen", "")
    return _decide(
        leave_slip_id, lambda session: slips.withdraw(session, doing, leave_slip_id, why, seen)
    )


@pages.post("/leave/<int:leave_slip_id>/shorten")
@allow(*SEEING)
def shorten(leave_slip_id: int) -> ResponseReturnValue:
    """The student came back early: the leave ends there."""
    doing, form = about_leave(), request.form
    why, seen = form.get("why", ""), form.get("seen", "")

    def change(session: Session) -> LeaveSlip:
        end = read_end(form, doing.zone)
        return slips.shorten(session, doing, leave_slip_id, end, why, seen)

    return _decide(leave_slip_id, change)


def _decide(slip_id: int, change: Callable[[Session], LeaveSlip]) -> ResponseReturnValue:
    wrong = try_change(change)
    if wrong.errors:
        return _show_slip(slip_id, wrong, request.form.to_dict())
    with school_session() as session:
        state = slips.find_slip(session, school_in_use().id, slip_id).state
    flash(gettext("The leave slip is now: %(state)s.", state=word(state)), "good")
    return redirect(url_for("leave.show_slip", leave_slip_id=slip_id))


def _show_slip(
    slip_id: int, wrong: Wrong, typed: dict[str, Any] | None = None
) -> ResponseReturnValue:
    school_id, step = school_in_use().id, (request.endpoint or "").rpartition(".")[2]
    with school_session() as session:
        line = read_line(session, school_id, slip_id)
        if line is None:
            raise AppError(Code.NOT_FOUND, "There is no such leave slip.")
        row = slips.find_slip(session, school_id, slip_id)
        reason, seen = seal().open(row.reason_sealed), fingerprint(slips.shown_of(row))
    note_look("leave.seen", f"student:{line.student_id}", {"slip": str(slip_id)})
    for_school = is_school()
    page = render_template(
        "leave_slip.html",
        can_approve=line.state is LeaveState.ASKED
        or (line.state is LeaveState.FIRST_APPROVED and for_school),
        can_shorten=line.state is LeaveState.APPROVED and line.until_at > line.from_at,
        can_withdraw=line.state in STANDING,
        errors=wrong.errors,
        for_school=for_school,
        is_over=line.until_at <= now(),
        reason=reason,
        seen=seen,
        slip=line,
        step=step,
        today=_today(now()),
        tones=TONES,
        values=typed or {},
        written=_written,
    )
    return page, wrong.status


def _today(moment: datetime) -> str:
    return day_of(moment, school_in_use().zone).isoformat()

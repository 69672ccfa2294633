"""Corrections (更正) and notes of one student's day, or of a whole homeroom that had no cards."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from card_server.access import allow, caller, now, school_in_use, school_session
from card_server.attendance.correcting import (
    MOST_MINUTES,
    STATUSES,
    correct,
    end_correction,
    read_mark,
    read_position,
)
from card_server.attendance.corrections import find_correction
from card_server.attendance.day_notes import find_day_note, note_day, read_note, take_note_back
from card_server.attendance.facts import ALL_DAY
from card_server.attendance.markings import end_marking, last_marking
from card_server.attendance.student_sheet import StudentSheet, read_sheet
from card_server.attendance.whole_homeroom import (
    begun_sessions,
    list_missing,
    mark_homeroom,
    plan_of,
)
from card_server.field_errors import Problems
from card_server.leave.callers import SEEING, about_days, is_school
from card_server.looks import note_day_look
from card_server.people.students import find_student
from card_server.register.homerooms import find_homeroom
from card_server.reports.student_day import read_student_day
from card_server.school_time import day_of
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.day_range import asked_day
from card_server.words.attendance import TONES
from card_server.words.choices import word
from schema.tables.leave import LeaveKind

pages = Blueprint("corrections", __name__)


@pages.get("/students/<int:student_id>/corrections")
@allow(*SEEING)
def show(student_id: int) -> ResponseReturnValue:
    """One student's day and the form to correct it; today unless `day` names another."""
    return _show(student_id, asked_day(), NOTHING_WRONG, {})


@pages.post("/students/<int:student_id>/corrections")
@allow(*SEEING)
def send(student_id: int) -> ResponseReturnValue:
    """Say what a session of the day, or all of it, was."""
    form, doing, day = request.form, about_days(), asked_day()

    def change(session: Session) -> None:
        find_student(session, doing.school_id, student_id)
        correct(session, doing, student_id, day, read_mark(form))

    wrong = try_change(change)
    if wrong.errors:
        return _show(student_id, day, wrong, form.to_dict())
    flash(gettext("The correction stands."), "good")
    return _go_to_day(student_id, day)


@pages.post("/corrections/<int:correction_id>/end")
@allow(*SEEING)
def end(correction_id: int) -> ResponseReturnValue:
    """Take a correction back: the taps decide again."""
    doing = about_days()
    wrong = try_change(lambda session: end_correction(session, doing, correction_id))
    with school_session() as session:
        row = find_correction(session, doing.school_id, correction_id)
    if wrong.errors:
        return _show(row.student_id, row.day, wrong, {})
    flash(gettext("The correction is taken back; the taps decide again."), "good")
    return _go_to_day(row.student_id, row.day)


@pages.post("/students/<int:student_id>/day-notes")
@allow(*SEEING)
def write_note(student_id: int) -> ResponseReturnValue:
    """Note something beside the day; its status stays what it is."""
    form, doing, day = request.form, about_days(), asked_day()

    def change(session: Session) -> None:
        find_student(session, doing.school_id, student_id)
        note_day(session, doing, student_id, day, read_note(form.get("body", "")))

    wrong = try_change(change)
    if wrong.errors:
        return _show(student_id, day, NOTHING_WRONG, form.to_dict(), wrong)
    flash(gettext("The note stands beside the day."), "good")
    return _go_to_day(student_id, day)


@pages.post("/day-notes/<int:day_note_id>/end")
@allow(*SEEING)
def end_note(day_note_id: int) -> ResponseReturnValue:
    """Take a note back."""
    doing = about_days()
    wrong = try_change(lambda session: take_note_back(session, doing, day_note_id))
    with school_session() as session:
        row = find_day_note(session, doing.school_id, day_note_id)
    if wrong.errors:
        return _show(row.student_id, row.day, NOTHING_WRONG, {}, wrong)
    flash(gettext("The note is taken back."), "good")
    return _go_to_day(row.student_id, row.day)


def _go_to_day(student_id: int, day: date) -> ResponseReturnValue:
    return redirect(url_for("corrections.show", student_id=student_id, day=day.isoformat()))


def _show(
    student_id: int,
    day: date,
    wrong: Wrong,
    values: Mapping[str, str],
    wrong_note: Wrong = NOTHING_WRONG,
) -> ResponseReturnValue:
    school = school_in_use()
    with school_session() as session:
        sheet = read_sheet(session, school.id, student_id, day, school.zone)
        found = read_student_day(session, school.id, student_id, day, school.zone)
    note_day_look(student_id, day)
    page = render_template(
        "correction.html",
        day=day,
        errors=wrong.errors,
        note_errors=wrong_note.errors,
        may_take_back=is_school(),
        own_id=caller().staff_id,
        kinds=[("", gettext("Choose")), *((one.value, word(one)) for one in LeaveKind)],
        names=_names(sheet),
        most_minutes=MOST_MINUTES,
        positions=_choices(sheet),
        sheet=sheet,
        statuses=[(one.value, word(one)) for one in STATUSES],
        taps=found.taps,
        today=day_of(now(), school.zone),
        tones=TONES,
        values=values,
    )
    return page, max(wrong.status, wrong_note.status)


def _choices(sheet: StudentSheet) -> list[tuple[int, str]]:
    """What can be corrected; a day that has no timetable is one session, which is all of it."""
    names = _names(sheet)
    if len(sheet.sessions) == 1 and not sheet.sessions[0].name:
        del names[ALL_DAY]
    return list(names.items())


def _names(sheet: StudentSheet) -> dict[int, str]:
    """What each position is called, in the list of corrections."""
    whole = gettext("the whole day")
    return {ALL_DAY: whole, **{one.position: one.name or whole for one in sheet.sessions}}


@pages.get("/homerooms/<int:homeroom_id>/corrections")
@allow(*SEEING)
def show_homeroom(homeroom_id: int) -> ResponseReturnValue:
    """Who of a homeroom is not there by the taps; today unless `day` names another."""
    return _show_homeroom(homeroom_id, asked_day(), NOTHING_WRONG, {})


@pages.post("/homerooms/<int:homeroom_id>/corrections")
@allow(*SEEING)
def send_homeroom(homeroom_id: int) -> ResponseReturnValue:
    """All of them were there."""
    form, doing, day, marked = request.form, about_days(), asked_day(), list[int]()

    def change(session: Session) -> None:
        wrong = Problems()
        position = read_position(wrong, form.get("position", ""))
        reason = wrong.text("reason", form.get("reason", ""), 200)
        wrong.refuse()
        made = mark_homeroom(session, doing, homeroom_id, day, position, reason)
        marked.append(made.students)

    wrong = try_change(change)
    if wrong.errors:
        return _show_homeroom(homeroom_id, day, wrong, form.to_dict())
    [count] = marked
    said = ngettext(
        "%(num)s student is marked present.", "%(num)s students are marked present.", count
    )
    flash(said, "good")
    return _go_to_homeroom(homeroom_id, day)


@pages.post("/homerooms/<int:homeroom_id>/corrections/end")
@allow(*SEEING)
def end_homeroom(homeroom_id: int) -> ResponseReturnValue:
    """Take back all that still stands of one click: the taps decide again."""
    marking_id, doing, day = request.form.get("marking", type=UUID), about_days(), asked_day()
    ended = list[int]()

    def change(session: Session) -> None:
        ended.append(end_marking(session, doing, homeroom_id, day, marking_id))

    wrong = try_change(change)
    if wrong.errors:
        return _show_homeroom(homeroom_id, day, wrong, {})
    [count] = ended
    said = ngettext(
        "Taken back of %(num)s student; the taps decide again.",
        "Taken back of %(num)s students; the taps decide again.",
        count,
    )
    flash(said, "good")
    return _go_to_homeroom(homeroom_id, day)


def _go_to_homeroom(homeroom_id: int, day: date) -> ResponseReturnValue:
    address = url_for("corrections.show_homeroom", homeroom_id=homeroom_id, day=day.isoformat())
    return redirect(address)


def _show_homeroom(
    homeroom_id: int, day: date, wrong: Wrong, values: Mapping[str, str]
) -> ResponseReturnValue:
    school, doing = school_in_use(), about_days()
    with school_session() as session:
        room = find_homeroom(session, school.id, homeroom_id)
        plan = plan_of(session, school.id, homeroom_id, day)
        begun = begun_sessions(plan, day, doing)
        missing = list_missing(session, doing, homeroom_id, day, begun)
        marking = last_marking(session, school.id, homeroom_id, day)
    names = {one.position: one.name for one in begun}
    page = render_template(
        "correction_homeroom.html",
        day=day,
        errors=wrong.errors,
        marking=marking,
        missing=missing,
        names=names,
        positions=[(ALL_DAY, gettext("all that have begun")), *names.items()],
        room=room,
        today=day_of(now(), school.zone),
        values=values,
    )
    return page, wrong.status

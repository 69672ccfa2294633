"""Adding a student, and changing one (学籍管理): who, which homeroom, status, boarding, numbers."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, school_in_use, school_session
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from card_server.people import students
from card_server.people.boarding import AHEAD, boarding_on, list_boardings, set_boarding
from card_server.people.stays import list_stays, move_student
from card_server.people.student_status import StatusChange, change_status
from card_server.register.terms import read_day
from card_server.reports.student_list import list_rooms
from card_server.school_time import day_of
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.entering import seal
from card_server.web.student_pages import ADMINS
from card_server.words.choices import word
from schema.tables.people import Sex, StudentStatus

pages = Blueprint("student_forms", __name__)


@pages.get("/students/new")
@allow(*ADMINS)
def show_new() -> ResponseReturnValue:
    """The form for one more student."""
    room = request.args.get("homeroom", "")
    return _show_new(NOTHING_WRONG, {"on": _today().isoformat(), "homeroom_id": room})


@pages.post("/students/new")
@allow(*ADMINS)
def add() -> ResponseReturnValue:
    """Add a student."""
    form, made = request.form, []

    def change(session: Session) -> None:
        wrong = Problems()
        room, on = _read_id(wrong, form), read_day(wrong, "on", form.get("on", ""))
        wanted = _read_both(wrong, form)
        student = students.add_student(
            session, actor(), school_in_use().id, wanted, room, on, _today(), seal()
        )
        made.append(student.id)

    wrong = try_change(change)
    if wrong.errors:
        return _show_new(wrong, form.to_dict())
    flash(gettext("The student is there. Add the guardians next."), "good")
    return redirect(url_for("students.show_student", student_id=made[0]))


def _show_new(wrong: Wrong, values: Mapping[str, str]) -> ResponseReturnValue:
    with school_session() as session:
        rooms = list_rooms(session, school_in_use().id)
    page = render_template(
        "student_new.html",
        values=values,
        errors=wrong.errors,
        rooms=[("", gettext("Choose")), *rooms],
        sexes=_sexes(),
        today=_today(),
    )
    return page, wrong.status


@pages.get("/students/<int:student_id>/edit")
@allow(*ADMINS)
def show(student_id: int) -> ResponseReturnValue:
    """The forms that change a student."""
    return _show(student_id, NOTHING_WRONG)


@pages.post("/students/<int:student_id>/edit")
@allow(*ADMINS)
def change(student_id: int) -> ResponseReturnValue:
    """Change who the student is."""
    form = request.form
    return _do(
        student_id,
        "who",
        lambda session: students.change_student(
            session,
            actor(),
            school_in_use().id,
            student_id,
            students.read_settings(form),
            seal(),
            form.get("seen", ""),
        ),
    )


@pages.post("/students/<int:student_id>/move")
@allow(*ADMINS)
def move(student_id: int) -> ResponseReturnValue:
    """Bring the student into another homeroom."""
    form, school = request.form, school_in_use()

    def change(session: Session) -> object:
        wrong = Problems()
        room, on = _read_id(wrong, form), read_day(wrong, "on", form.get("on", ""))
        wrong.refuse()
        return move_student(
            session, actor(), school.id, student_id, room, on, datetime.now(UTC), school.zone
        )

    return _do(student_id, "move", change)


@pages.post("/students/<int:student_id>/status")
@allow(*ADMINS)
def change_state(student_id: int) -> ResponseReturnValue:
    """Suspend, transfer, graduate, or enrol again."""
    form, school, now = request.form, school_in_use(), datetime.now(UTC)

    def change(session: Session) -> object:
        wrong = Problems()
        status, on = form.get("status", ""), read_day(wrong, "on", form.get("on", ""))
        if status not in list(StudentStatus):
            wrong.add("status", _("Choose from the list."))
        reason = wrong.text("reason", form.get("reason", "") or "–", 200)
        room = _read_id(wrong, form) if form.get("homeroom_id") else None
        wrong.refuse()
        wanted = StatusChange(StudentStatus(status), on, reason.strip("–"), room)
        return change_status(session, actor(), school.id, student_id, wanted, now, school.zone)

    return _do(student_id, "status", change)


@pages.post("/students/<int:student_id>/boarding")
@allow(*ADMINS)
def change_boarding(student_id: int) -> ResponseReturnValue:
    """Let the student board, or live at home again, from a day on that may be a coming one."""
    form, school, now = request.form, school_in_use(), datetime.now(UTC)

    def change(session: Session) -> object:
        wrong = Problems()
        on = read_day(wrong, "on", form.get("on", ""))
        if form.get("boards") not in ("yes", "no"):
            wrong.add("boards", _("Choose from the list."))
        wrong.refuse()
        is_boarding = form.get("boards") == "yes"
        return set_boarding(
            session, actor(), school.id, student_id, is_boarding, on, now, school.zone
        )

    return _do(student_id, "boarding", change)


@pages.post("/students/<int:student_id>/numbers/remove")
@allow(*ADMINS)
def forget_numbers(student_id: int) -> ResponseReturnValue:
    """Keep the identity and registry numbers no longer."""
    return _do(
        student_id,
        "who",
        lambda session: students.forget_numbers(session, actor(), school_in_use().id, student_id),
    )


def _do(student_id: int, part: str, change: Callable[[Session], object]) -> ResponseReturnValue:
    """One of the page's forms; what is wrong stands in that one."""
    wrong = try_change(change)
    if wrong.errors:
        return _show(student_id, wrong, part)
    flash(gettext("Saved."), "good")
    return redirect(url_for("students.show_student", student_id=student_id))


def _show(student_id: int, wrong: Wrong, part: str = "") -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        student = students.find_student(session, school_id, student_id)
        stored = students.settings_of(student)
        stays = list_stays(session, school_id, student_id)
        boarding = boarding_on(list_boardings(session, school_id, student_id), _today())
        rooms = list_rooms(session, school_id)
    typed = request.form.to_dict() if part else None
    fresh = {"on": _today().isoformat()}
    shown: dict[str, Mapping[str, Any]] = {
        "who": _without_numbers(stored),
        "move": fresh | {"homeroom_id": student.homeroom_id},
        "status": fresh | {"status": student.status},
        "boarding": fresh | {"boards": "no" if boarding.since or boarding.begins_on else "yes"},
    }
    if typed is not None:
        shown[part] = typed
    page = render_template(
        "student_edit.html",
        student=student,
        stays=stays,
        boarding=boarding,
        last_day=_today() + AHEAD,
        shown=shown,
        errors={part: wrong.errors},
        seen=seen_by_form(stored, typed if part == "who" else None, wrong),
        rooms=rooms,
        sexes=_sexes(),
        statuses=[(one.value, word(one)) for one in StudentStatus],
        today=_today(),
    )
    return page, wrong.status


def _without_numbers(stored: Mapping[str, object]) -> dict[str, object]:
    """What a form begins with: a number that is left empty stays as it is."""
    return {**stored, "identity": "", "registry": ""}


def _read_both(wrong: Problems, form: Mapping[str, str]) -> students.StudentSettings:
    """Say all that is wrong at once, of the student and of the place."""
    wanted = students.read_settings_into(wrong, form)
    wrong.refuse()
    return wanted


def _read_id(wrong: Problems, form: Mapping[str, str]) -> int:
    typed = form.get("homeroom_id", "")
    if typed.isascii() and typed.isdigit() and len(typed) <= 9:
        return int(typed)
    wrong.add("homeroom_id", _("Choose from the list."))
    return 0


def _sexes() -> list[tuple[str, str]]:
    return [(one.value, word(one)) for one in (Sex.UNKNOWN, Sex.FEMALE, Sex.MALE)]


def _today() -> date:
    return day_of(datetime.now(UTC), school_in_use().zone)

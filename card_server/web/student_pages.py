"""Finding a student, and one student's day (学生的一天)."""

from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from card_server.access import allow, school_in_use, school_session
from card_server.looks import note_look
from card_server.register.student_search import MAX_FOUND, search_students
from card_server.reports.student_day import read_student_day
from card_server.school_time import day_of
from card_server.web.fragments import render_part
from schema.tables.staff import Role

pages = Blueprint("students", __name__)
FINDING = tuple(role for role in Role if role is not Role.AUDITOR)
"""Whoever meets students may find one; what is kept on a child is shown to fewer."""


@pages.get("/students")
@allow(*FINDING)
def show_search() -> ResponseReturnValue:
    """The empty search."""
    return render_part("students.html", "students_part.html", found=None, words="")


@pages.post("/students")
@allow(*FINDING)
def search() -> ResponseReturnValue:
    """Who matches; by POST, because a name must not stand in an address."""
    words = request.form.get("words", "")[:100]
    with school_session() as session:
        found = search_students(session, school_in_use().id, words)
    return render_part(
        "students.html", "students_part.html", found=found, words=words, most=MAX_FOUND
    )


@pages.get("/students/<int:student_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER)
def show_day(student_id: int) -> ResponseReturnValue:
    """One student's day; today unless `day` names another."""
    school = school_in_use()
    today = day_of(datetime.now(UTC), school.zone)
    day = _read_day(request.args.get("day"), today)
    with school_session() as session:
        found = read_student_day(session, school.id, student_id, day, school.zone)
    note_look("student.day_seen", f"student:{student_id}", {"day": day.isoformat()})
    return render_part(
        "student_day.html",
        "student_day_part.html",
        student=found,
        day=day,
        today=today,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
    )


def _read_day(text: str | None, today: date) -> date:
    """The day that was asked for; today for anything that is no day of the calendar."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return today
    return day if date(2000, 1, 1) <= day <= today else today

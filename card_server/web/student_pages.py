"""Students (学生): the list, the search, one student's record and one of their days."""

from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import (
    actor,
    allow,
    changing_session,
    may,
    now,
    school_in_use,
    school_session,
)
from card_server.audit.writing import note
from card_server.exports.students import ALL, FILTERS, STUDENTS, read_wanted
from card_server.looks import note_day_look, note_look
from card_server.people.notes import add_note, remove_note
from card_server.people.student_numbers import open_numbers
from card_server.reports.cards import cards_of_student
from card_server.reports.on_campus import Part
from card_server.reports.student_day import read_student_day
from card_server.reports.student_list import (
    MOST_FOUND,
    SORTS,
    count_students,
    list_rooms,
    list_students,
)
from card_server.reports.student_record import read_record
from card_server.school_time import day_of
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.day_range import asked_day
from card_server.web.downloads import send_list
from card_server.web.entering import seal
from card_server.web.export import asked_export
from card_server.web.fragments import render_part
from card_server.web.reasons import read_reason
from card_server.web.tables import PAGE_ROWS, Column, Page, count_page, read_asked
from card_server.words.choices import word
from schema.tables.people import StudentStatus
from schema.tables.staff import Role

pages = Blueprint("students", __name__)
FINDING = tuple(role for role in Role if role is not Role.AUDITOR)
"""Whoever meets students may find one; what is kept on a child is shown to fewer."""
ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
SEEING = (*ADMINS, Role.HOMEROOM_TEACHER)
_COLUMNS = (
    Column(lazy_gettext("Full name"), "name"),
    Column(lazy_gettext("Student number"), "number"),
    Column(lazy_gettext("Homeroom"), "homeroom"),
    Column(lazy_gettext("Boarding"), is_minor=True),
    Column(lazy_gettext("Status"), "status"),
)


@pages.get("/students")
@allow(*FINDING)
def show_search() -> ResponseReturnValue:
    """The list, by homeroom unless another order is asked; those who are enrolled at first."""
    return _show_list("")


@pages.post("/students")
@allow(*FINDING)
def search() -> ResponseReturnValue:
    """Who answers to the words; by POST, because a name must not stand in an address."""
    return _show_list(request.form.get("words", "")[:100])


def _show_list(words: str) -> ResponseReturnValue:
    asked = read_asked(SORTS, FILTERS, "homeroom")
    if (kind := asked_export()) and may("students.show_student"):
        return send_list(kind, STUDENTS, asked.filters)
    school = school_in_use()
    school_id, today = school.id, day_of(now(), school.zone)
    wanted = read_wanted(asked.filters)
    with school_session() as session:
        rooms = list_rooms(session, school_id)
        if words.strip():
            status = wanted.status if "status" in asked.filters else None
            wanted = replace(wanted, status=status, words=words)
            part = Part(asked.sort, asked.is_descending, limit=MOST_FOUND)
            page = Page(list_students(session, school_id, wanted, today, part))
        else:
            total = count_students(session, school_id, wanted, today)
            number = min(asked.page, max(1, -(-total // PAGE_ROWS)))
            first = (number - 1) * PAGE_ROWS
            part = Part(asked.sort, asked.is_descending, first, PAGE_ROWS)
            found = list_students(session, school_id, wanted, today, part)
            page = count_page(found, asked, number, total)
    return render_part(
        "students.html",
        "students_part.html",
        page=page,
        asked=asked,
        columns=_COLUMNS,
        words=words,
        most=MOST_FOUND,
        rooms=rooms,
        statuses=_status_choices(),
        enrolled=word(StudentStatus.ENROLLED),
        is_filtered=any(asked.filters.values()),
    )


def _status_choices() -> list[tuple[str, str]]:
    """Enrolled is what an address without a status means."""
    others = [one for one in StudentStatus if one is not StudentStatus.ENROLLED]
    return [*((one.value, word(one)) for one in others), (ALL, gettext("all"))]


@pages.get("/students/<int:student_id>")
@allow(*SEEING)
def show_student(student_id: int) -> ResponseReturnValue:
    """All that is kept on one student; the day of today comes by itself."""
    return _show_record(student_id, NOTHING_WRONG)


def _show_record(student_id: int, wrong: Wrong, typed: str = "") -> ResponseReturnValue:
    school = school_in_use()
    today = day_of(now(), school.zone)
    with school_session() as session:
        found = read_record(session, school.id, student_id, today)
        cards = cards_of_student(session, school.id, student_id)
    note_look("student.seen", f"student:{student_id}", {})
    page = render_template(
        "student.html",
        student=found,
        cards=cards,
        errors=wrong.errors,
        values={"body": typed},
        today=today,
    )
    return page, wrong.status


@pages.get("/students/<int:student_id>/day")
@allow(*SEEING)
def show_day(student_id: int) -> ResponseReturnValue:
    """One student's day; today unless `day` names another."""
    school = school_in_use()
    day = asked_day()
    with school_session() as session:
        found = read_student_day(session, school.id, student_id, day, school.zone)
    note_day_look(student_id, day)
    return render_part(
        "student_day.html",
        "student_day_part.html",
        student=found,
        day=day,
        today=day_of(now(), school.zone),
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
    )


@pages.post("/students/<int:student_id>/notes")
@allow(*SEEING)
def write_note(student_id: int) -> ResponseReturnValue:
    """Write a note on a student."""
    typed, school_id, moment = request.form.get("body", ""), school_in_use().id, now()
    wrong = try_change(
        lambda session: add_note(session, actor(), school_id, student_id, typed, moment)
    )
    if wrong.errors:
        return _show_record(student_id, wrong, typed)
    flash(gettext("The note is kept."), "good")
    return redirect(url_for("students.show_student", student_id=student_id, _anchor="notes"))


@pages.post("/students/<int:student_id>/notes/<int:note_id>/remove")
@allow(*ADMINS)
def drop_note(student_id: int, note_id: int) -> ResponseReturnValue:
    """Take a note away."""
    school_id = school_in_use().id
    with changing_session() as session:
        remove_note(session, actor(), school_id, student_id, note_id)
    flash(gettext("The note is gone."), "good")
    return redirect(url_for("students.show_student", student_id=student_id, _anchor="notes"))


@pages.post("/students/<int:student_id>/numbers")
@allow(*ADMINS)
def show_numbers(student_id: int) -> ResponseReturnValue:
    """The identity and the registry number, to whoever says why; the look is noted."""
    reason, school_id = read_reason(), school_in_use().id
    with changing_session() as session:
        name, numbers = open_numbers(session, school_id, student_id, seal())
        if reason:
            subject = f"student:{student_id}"
            note(session, school_id, actor(), "student.numbers_seen", subject, reason=reason)
    address = url_for("students.show_numbers", student_id=student_id)
    return render_part(
        "revealed.html",
        "revealed_part.html",
        name=name,
        student_id=student_id,
        address=address,
        reason=reason,
        numbers=[
            (label, number)
            for label, number in (
                (gettext("Identity number"), numbers.identity),
                (gettext("Registry number"), numbers.registry),
            )
            if number
        ]
        if reason
        else [],
    )

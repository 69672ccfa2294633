"""Registration for the term (入学注册): who has come, who has not, and writing it down by hand."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import actor, allow, school_in_use, school_session
from card_server.exports.enrolment import FILTERS, NOT_REGISTERED, read_id
from card_server.people import registrations
from card_server.people.student_search import MAX_FOUND, search_students
from card_server.register.terms import list_terms, term_of
from card_server.reports.enrolment import (
    Expected,
    count_missing,
    count_rooms,
    list_missing,
    list_newest,
    read_registration,
)
from card_server.school_time import day_of
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.fragments import render_part
from card_server.web.reasons import read_reason
from card_server.web.tables import PAGE_ROWS, Asked, Column, Page, count_page, read_asked
from schema.tables.school import Term
from schema.tables.staff import Role

pages = Blueprint("enrolment", __name__)
_SEEING = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER)


class _Asked(Asked):
    """The list's own address, on a form that came back as well."""

    def address(self, **changes: str | int) -> str:
        wanted: dict[str, Any] = {**self.filters, **changes}
        kept = {name: value for name, value in wanted.items() if value not in ("", 1)}
        return url_for("enrolment.show", **kept)


_COLUMNS = (
    Column(lazy_gettext("Full name")),
    Column(lazy_gettext("Student number")),
    Column(lazy_gettext("Homeroom")),
)


@pages.get("/enrolment")
@allow(*_SEEING)
def show() -> ResponseReturnValue:
    """The term's numbers by homeroom, and who has not come."""
    return _show(NOTHING_WRONG)


@pages.post("/enrolment")
@allow(*_SEEING)
def find() -> ResponseReturnValue:
    """The students that answer to a name or number, to register by hand.

    By POST, because a name must not stand in an address.
    """
    return _show(NOTHING_WRONG, words=request.form.get("words", "")[:100])


@pages.post("/enrolment/<int:term_id>/students/<int:student_id>")
@allow(*_SEEING)
def register(term_id: int, student_id: int) -> ResponseReturnValue:
    """Register a student by hand, with the reason why."""
    reason, now, school_id = read_reason(), datetime.now(UTC), school_in_use().id
    wrong = try_change(
        lambda session: registrations.register_by_hand(
            session, actor(), school_id, term_id, student_id, reason, now
        )
    )
    if wrong.errors:
        return _show(wrong, student_id=student_id)
    flash(gettext("The student is registered."), "good")
    return redirect(url_for("enrolment.show", term=term_id))


@pages.post("/enrolment/<int:term_id>/students/<int:student_id>/remove")
@allow(*_SEEING)
def take_back(term_id: int, student_id: int) -> ResponseReturnValue:
    """Take a registration back, with the reason why."""
    reason, school_id = read_reason(), school_in_use().id
    wrong = try_change(
        lambda session: registrations.take_back(
            session, actor(), school_id, term_id, student_id, reason
        )
    )
    if wrong.errors:
        return _show(wrong, student_id=student_id)
    flash(gettext("The registration is taken back."), "good")
    return redirect(url_for("enrolment.show", term=term_id))


def _show(wrong: Wrong, words: str = "", student_id: int | None = None) -> ResponseReturnValue:
    plain = read_asked((), FILTERS)
    school, now = school_in_use(), datetime.now(UTC)
    with school_session() as session:
        terms = list_terms(session, school.id)
        current = term_of(terms, day_of(now, school.zone))
        term = _choose(terms, current, plain)
        named = {"term": str(term.id)} if term else {}
        asked = _Asked("", False, plain.page, (), {**plain.filters, **named})
        if term and (kind := asked_export()):
            return send_list(kind, NOT_REGISTERED, asked.filters)
        rooms = count_rooms(session, school.id, term.id) if term else []
        page = Page[Expected]([])
        if term:
            homeroom_id = read_id(asked.filters, "homeroom")
            total = count_missing(session, school.id, term.id, homeroom_id)
            number = min(asked.page, max(1, -(-total // PAGE_ROWS)))
            first = (number - 1) * PAGE_ROWS
            missing = list_missing(session, school.id, term.id, homeroom_id, PAGE_ROWS, first)
            page = count_page(missing, asked, number, total)
        ids = [one.id for one in search_students(session, school.id, words)]
        ids += [student_id] if student_id is not None else []
        found = [read_registration(session, school.id, term.id, one) for one in ids if term]
        newest = list_newest(session, school.id, term.id) if term else []
    response = render_part(
        "enrolment.html",
        "enrolment_part.html",
        asked=asked,
        columns=_COLUMNS,
        current=current,
        errors=wrong.errors,
        found=[one for one in found if one],
        most=MAX_FOUND,
        newest=newest,
        page=page,
        room_choices=[(one.id, one.name) for one in rooms],
        rooms=rooms,
        term=term,
        term_choices=[
            (one.id, f"{one.school_year}–{one.school_year + 1} {one.name}") for one in terms
        ],
        typed_reason=request.form.get("reason", ""),
        words=words,
    )
    response.status_code = wrong.status
    return response


def _choose(terms: list[Term], current: Term | None, asked: Asked) -> Term | None:
    """The term that was asked for; today's, or in the holidays the newest, when none was."""
    wanted = read_id(asked.filters, "term")
    named = next((one for one in terms if one.id == wanted), None)
    return named or current or (terms[0] if terms else None)

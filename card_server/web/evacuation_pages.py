"""Evacuations (疏散): beginning one, ticking off on a phone, the record that prints."""

from collections.abc import Iterable, Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import actor, allow, caller, now, school_in_use, school_session
from card_server.attendance import evacuating
from card_server.attendance.evacuating import MOST_TICKS, Tick, Warden
from card_server.errors import AppError, Code
from card_server.exports.enrolment import read_id
from card_server.leave.callers import is_school
from card_server.reports.evacuation import (
    MOST_NAMES,
    NOBODY,
    Person,
    RoomProgress,
    find_evacuation,
    find_running,
    gates_then,
    list_evacuations,
    list_people,
    read_progress,
)
from card_server.reports.evacuation_others import list_others
from card_server.reports.sheet_rooms import SheetRoom, read_rooms
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.downloads import send_noted
from card_server.web.export import Cell, asked_export
from card_server.web.fragments import render_part
from card_server.web.tables import Column, Page, read_asked
from schema.tables.evacuation import Evacuation
from schema.tables.staff import Role

pages = Blueprint("evacuations", __name__)
TAKING_PART = tuple(role for role in Role if role is not Role.AUDITOR)
"""Whoever stands on the yard with students counts them; the auditor reads the log alone."""
_MOST_LISTED = 50
_BY_SCRIPT = "X-Sent-By-Script"
"""A header that only the page's own script sends: it wants no page back."""
_COLUMNS = (
    Column(lazy_gettext("Reason")),
    Column(lazy_gettext("Began")),
    Column(lazy_gettext("Begun by")),
    Column(lazy_gettext("Ended")),
)
_RECORD = (
    Column(lazy_gettext("Full name")),
    Column(lazy_gettext("Student number")),
    Column(lazy_gettext("Homeroom")),
    Column(lazy_gettext("What became of them")),
    Column(lazy_gettext("Ticked by")),
    Column(lazy_gettext("When")),
)


def warden() -> Warden:
    """Who takes part, as the rules want it."""
    return Warden(actor(), caller().staff_id, school_in_use().id, now(), is_school())


@pages.get("/campus/evacuation")
@allow(*TAKING_PART)
def show() -> ResponseReturnValue:
    """The one that goes on, or the form to begin one; and those before."""
    return _show(NOTHING_WRONG, {})


@pages.post("/campus/evacuation")
@allow(*TAKING_PART)
def start() -> ResponseReturnValue:
    """Begin one: the list is frozen now."""
    doing, begun = warden(), list[int]()
    reason = request.form.get("reason", "")
    wrong = try_change(lambda session: begun.append(evacuating.start(session, doing, reason).id))
    if wrong.errors:
        return _show(wrong, request.form)
    [evacuation_id] = begun
    return redirect(url_for("evacuations.show_evacuation", evacuation_id=evacuation_id))


def _show(wrong: Wrong, values: Mapping[str, str]) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        running = find_running(session, school_id)
        found = list_evacuations(session, school_id, _MOST_LISTED)
    page = render_template(
        "evacuations.html",
        asked=read_asked(),
        columns=_COLUMNS,
        errors=wrong.errors,
        page=Page([one for one in found if one.ended_at is not None]),
        running=running,
        values=values,
    )
    return page, wrong.status


@pages.get("/campus/evacuation/<int:evacuation_id>")
@allow(*TAKING_PART)
def show_evacuation(evacuation_id: int) -> ResponseReturnValue:
    """The overview, or a homeroom's list to tick off; the missing first."""
    return _show_evacuation(evacuation_id, NOTHING_WRONG)


@pages.post("/campus/evacuation/<int:evacuation_id>/ticks")
@allow(*TAKING_PART)
def mark(evacuation_id: int) -> ResponseReturnValue:
    """Tick off one student by the button, or several that a phone has kept."""
    doing = warden()
    ticks = read_ticks(request.form.getlist("tick"))
    wrong = try_change(lambda session: evacuating.mark(session, doing, evacuation_id, ticks))
    if _BY_SCRIPT in request.headers:
        return Response(status=wrong.status if wrong.errors else 204)
    if wrong.errors:
        return _show_evacuation(evacuation_id, wrong)
    room = read_id(request.args, "homeroom")
    return redirect(
        url_for("evacuations.show_evacuation", evacuation_id=evacuation_id, homeroom=room)
    )


def read_ticks(sent: Iterable[str]) -> list[Tick]:
    """Ticks as the page sends them: student:found:seconds ago. Raises AppError(INVALID)."""
    try:
        ticks = [_read_tick(one) for one in sent]
    except ValueError as error:
        raise AppError(Code.INVALID, "This is no tick.") from error
    if len(ticks) > MOST_TICKS:
        raise AppError(Code.INVALID, "These are too many ticks at once.")
    return ticks


def _read_tick(sent: str) -> Tick:
    student, found, age = sent.split(":")
    return Tick(int(student[:9]), {"0": False, "1": True}.get(found, True), float(int(age[:9])))


@pages.post("/campus/evacuation/<int:evacuation_id>/end")
@allow(*TAKING_PART)
def end(evacuation_id: int) -> ResponseReturnValue:
    """Close the record."""
    doing = warden()
    wrong = try_change(lambda session: evacuating.end(session, doing, evacuation_id))
    if wrong.errors:
        return _show_evacuation(evacuation_id, wrong)
    flash(gettext("The evacuation has ended; this is its record."), "good")
    return redirect(url_for("evacuations.show_record", evacuation_id=evacuation_id))


def _show_evacuation(evacuation_id: int, wrong: Wrong) -> ResponseReturnValue:
    homeroom_id = read_id(request.args, "homeroom")
    with school_session() as session:
        evacuation = find_evacuation(session, school_in_use().id, evacuation_id)
        progress = read_progress(session, evacuation)
        choices = _choices(progress, read_rooms(session, school_in_use().id))
        if homeroom_id is None and len(choices) == 1:
            homeroom_id = choices[0][0]
        others = list_others(session, evacuation, homeroom_id) if homeroom_id else []
        people = list_people(
            session,
            evacuation,
            homeroom_id,
            is_missing_only=homeroom_id is None,
            limit=MOST_NAMES if homeroom_id is None else None,
        )
    rooms = [one for one in progress if homeroom_id in (None, one.homeroom_id)]
    names = dict(choices)
    page = render_part(
        "evacuation.html",
        "evacuation_part.html",
        **_groups(people),
        errors=wrong.errors,
        evacuation=evacuation,
        homeroom_id=homeroom_id,
        may_end=_may_end(evacuation),
        choices=choices,
        others=others,
        progress=progress,
        room_name=names.get(homeroom_id, "") if homeroom_id else "",
        staff_id=caller().staff_id,
        total=sum(rooms, NOBODY),
    )
    page.status_code = wrong.status
    return page


def _choices(progress: Iterable[RoomProgress], rooms: Iterable[SheetRoom]) -> list[tuple[int, str]]:
    """The homerooms within reach, those too that have nobody on the list, by grade."""
    found = {one.id: (one.grade, one.id, one.name) for one in rooms}
    found |= {one.homeroom_id: (one.grade, one.homeroom_id, one.homeroom) for one in progress}
    return [(room_id, name) for _grade, room_id, name in sorted(found.values())]


def _groups(people: Iterable[Person]) -> dict[str, list[Person]]:
    """In the order in which somebody must be looked for."""
    groups: dict[str, list[Person]] = {
        name: [] for name in ("missing", "later", "marked", "unsure", "left", "found")
    }
    for one in people:
        if one.is_found:
            groups["found"].append(one)
        elif one.left_at is not None:
            groups["left"].append(one)
        elif one.is_marked:
            groups["marked"].append(one)
        elif one.is_unsure:
            groups["unsure"].append(one)
        else:
            groups["later" if one.is_later else "missing"].append(one)
    return groups


def _may_end(evacuation: Evacuation) -> bool:
    return is_school() or evacuation.started_by_id == caller().staff_id


@pages.get("/campus/evacuation/<int:evacuation_id>/record")
@allow(*TAKING_PART)
def show_record(evacuation_id: int) -> ResponseReturnValue:
    """Who was found by whom and when, and who was missing, for paper."""
    with school_session() as session:
        evacuation = find_evacuation(session, school_in_use().id, evacuation_id)
        progress = read_progress(session, evacuation)
        people = list_people(session, evacuation)
    if kind := asked_export():
        heads = [str(column.label) for column in _RECORD]
        return send_noted(kind, "evacuation", heads, [_cells(one) for one in people])
    return render_template(
        "evacuation_record.html",
        asked=read_asked(),
        columns=_RECORD,
        evacuation=evacuation,
        gates=gates_then(evacuation),
        outcome=outcome,
        page=Page(people, total=len(people)),
        total=sum(progress, NOBODY),
    )


def outcome(one: Person) -> str:
    """What became of a student, in a few words."""
    if one.is_found:
        return str(gettext("found, was on no list") if one.is_added else gettext("found"))
    if one.left_at is not None:
        return str(gettext("left by a gate"))
    if one.is_marked:
        return str(gettext("marked present by a teacher, no tap, not found"))
    if one.is_unsure:
        return str(gettext("perhaps here, nobody saw them leave"))
    return str(gettext("came later, missing") if one.is_later else gettext("missing"))


def _cells(one: Person) -> tuple[Cell, ...]:
    return (one.name, one.number, one.homeroom, outcome(one), one.marked_by, one.marked_at)

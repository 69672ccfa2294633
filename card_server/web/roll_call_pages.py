"""The dormitory's roll call (晚点名): by homeroom, on a phone from room to room."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import allow, now, school_in_use, school_session
from card_server.attendance.roll_call import (
    MOST_MARKS,
    Called,
    call_roll,
    evening_of,
    is_open,
    night_of,
)
from card_server.errors import HTTP_STATUS, AppError, Code
from card_server.exports.enrolment import read_id
from card_server.leave.callers import SEEING, about_days
from card_server.reports.roll_call import (
    NO_BOARDERS,
    Boarder,
    count_rooms,
    list_boarders,
)
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.downloads import send_noted
from card_server.web.export import Cell, asked_export
from card_server.web.fragments import render_part
from card_server.web.tables import read_asked
from card_server.words.choices import word
from schema.tables.staff import Role

pages = Blueprint("roll_call", __name__)
CALLING = (*SEEING, Role.GATE_GUARD)
"""Who watches over a dormitory works as a guard."""
_FILTERS = ("day", "homeroom")
_MOST_MISSING = 100
_FIRST = date(2000, 1, 1)
_SAID = {"1": True, "0": False, "": None}


@pages.get("/attendance/roll-call")
@allow(*CALLING)
def show() -> ResponseReturnValue:
    """The homerooms and who is missing, or one homeroom's boarders to call; of `day` or today."""
    return _show(NOTHING_WRONG)


@pages.post("/attendance/roll-call")
@allow(*CALLING)
def call() -> ResponseReturnValue:
    """Write down who is here and who is missing."""
    day, doing = _asked_evening(), about_days()
    marks, is_rest = _read_marks(request.form.getlist("mark")), "rest" in request.form
    wrong = _try(lambda session: call_roll(session, doing, day, marks, is_rest=is_rest))
    if wrong.errors:
        return _show(wrong)
    asked, is_newest = read_asked(filters=_FILTERS), day == evening_of(doing.now, doing.zone)
    return redirect(asked.address(day="" if is_newest else day.isoformat()))


def _try(change: Callable[[Session], object]) -> Wrong:
    """Like try_change; who is on the roll no more is a sentence on the page and no other page."""
    try:
        return try_change(change)
    except AppError as error:
        return Wrong({"": gettext(error.message)}, HTTP_STATUS[error.code], is_conflict=False)


def _read_marks(sent: Iterable[str]) -> dict[int, bool | None]:
    """As the page sends them: a student's id, and 1, 0 or nothing. Raises AppError(INVALID)."""
    marks: dict[int, bool | None] = {}
    try:
        for one in sent:
            student, said = one.split(":")
            marks[_read_student(student)] = _SAID[said]
    except (ValueError, KeyError) as error:
        raise AppError(Code.INVALID, "This is no call.") from error
    if len(marks) > MOST_MARKS:
        raise AppError(Code.INVALID, "These are too many students at once.")
    return marks


def _read_student(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 9):
        raise ValueError(typed)
    return int(typed)


def _asked_evening() -> date:
    """The evening that the address names; the newest for anything that is none, or has not come."""
    newest = evening_of(now(), school_in_use().zone)
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return newest
    return day if _FIRST <= day <= newest else newest


def _show(wrong: Wrong) -> ResponseReturnValue:
    school, day = school_in_use(), _asked_evening()
    night, newest = night_of(day, school.zone), evening_of(now(), school.zone)
    asked = read_asked(filters=_FILTERS)
    homeroom_id = read_id(asked.filters, "homeroom")
    kind = asked_export()
    with school_session() as session:
        rooms = count_rooms(session, school.id, day, night)
        if homeroom_id is None and len(rooms) == 1:
            homeroom_id = rooms[0].homeroom_id
        boarders = list_boarders(
            session,
            school.id,
            day,
            night,
            homeroom_id=homeroom_id,
            is_missing_only=homeroom_id is None and not kind,
            limit=_MOST_MISSING if homeroom_id is None and not kind else None,
        )
    if kind:
        rows = [_row(one, is_newest=day == newest) for one in boarders]
        return send_noted(kind, f"roll-call-{day}", _heads(), rows)
    shown = [one for one in rooms if homeroom_id in (None, one.homeroom_id)]
    page = render_part(
        "roll_call.html",
        "roll_call_part.html",
        asked=asked,
        boarders=boarders,
        day=day,
        day_before=day - timedelta(days=1),
        day_after=day + timedelta(days=1),
        errors=wrong.errors,
        homeroom_id=homeroom_id,
        is_open=is_open(day, newest),
        is_newest=day == newest,
        newest=newest,
        rooms=rooms,
        room_name=shown[0].homeroom if homeroom_id and shown else "",
        total=sum(shown, NO_BOARDERS),
        Called=Called,
    )
    # HTMX shows no part that comes with an error's status.
    page.status_code = 200 if "HX-Request" in request.headers else wrong.status
    return page


def _heads() -> list[str]:
    return [
        gettext("Homeroom"),
        gettext("Student number"),
        gettext("Full name"),
        gettext("Roll call"),
        gettext("Leave"),
        gettext("On campus"),
        gettext("Called by"),
        gettext("When"),
    ]


def _row(one: Boarder, *, is_newest: bool) -> tuple[Cell, ...]:
    """Where somebody is now says nothing of an evening that is over."""
    inside = gettext("yes") if one.is_inside else gettext("no")
    return (
        one.homeroom,
        one.number,
        one.name,
        word(one.called),
        word(one.leave) if one.leave else "",
        inside if is_newest else "",
        one.made_by,
        one.made_at,
    )

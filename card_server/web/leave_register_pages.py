"""The register of leave slips (请假台账): who is, was or will be on leave, and taking it away."""

from typing import Final

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from card_server.access import allow, now, school_in_use, school_session
from card_server.exports.leave_register import (
    FILTERS,
    LEAVE_REGISTER,
    USUAL_SORT,
    read_wanted,
    week_of,
)
from card_server.leave.callers import SEEING
from card_server.leave.lists import SlipLine
from card_server.leave.register import SORTS, Wanted, list_counted
from card_server.register.terms import list_terms
from card_server.reports.sheet_rooms import SheetRoom, read_rooms
from card_server.school_time import day_of
from card_server.web.day_range import (
    LONGEST,
    DayRange,
    asked_coming,
    coming_choices,
    with_range,
)
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.formats import moment
from card_server.web.fragments import render_part
from card_server.web.leave_pages import TONES, group_words
from card_server.web.paper import MOST_ROWS, Line, asks_paper, choice, days_between, show_paper
from card_server.web.tables import Asked, Column, read_asked, read_page
from card_server.words.choices import word
from card_server.words.grades import grade_word
from card_server.words.leave import leave_time
from schema.tables.leave import LeaveKind, LeaveState

pages = Blueprint("leave_register", __name__)
_COLUMNS: Final = (
    Column(lazy_gettext("Student"), "name"),
    Column(lazy_gettext("Homeroom"), "homeroom"),
    Column(lazy_gettext("Leave"), "kind"),
    Column(lazy_gettext("When"), "from"),
    Column(lazy_gettext("State"), "state"),
    Column(lazy_gettext("Asked by"), "asked", is_minor=True),
    Column(lazy_gettext("Decided by"), is_minor=True),
)
_ON_PAPER: Final = (
    lazy_gettext("Homeroom"),
    lazy_gettext("Student number"),
    lazy_gettext("Full name"),
    lazy_gettext("Leave"),
    lazy_gettext("When"),
    lazy_gettext("May go out"),
    lazy_gettext("State"),
    lazy_gettext("Asked by"),
    lazy_gettext("Decided by"),
    lazy_gettext("Why refused, withdrawn or ended"),
)


@pages.get("/leave/register")
@allow(*SEEING)
def show() -> ResponseReturnValue:
    """The slips that lie over the chosen days; this week's where none are chosen."""
    return _show("")


@pages.post("/leave/register")
@allow(*SEEING)
def find() -> ResponseReturnValue:
    """Of those who answer to the words; by POST, because a name must not stand in an address."""
    return _show(request.form.get("words", "")[:100])


def _show(words: str) -> ResponseReturnValue:
    school = school_in_use()
    today = day_of(now(), school.zone)
    time = asked_coming(today, DayRange(*week_of(today)))
    asked = with_range(read_asked(SORTS, FILTERS, USUAL_SORT), time)
    if kind := asked_export():
        return send_list(kind, LEAVE_REGISTER, {**asked.filters, "sort": asked.wanted_sort})
    wanted = read_wanted(asked.filters, school, today, words)
    with school_session() as session:
        rooms = read_rooms(session, school.id)
        if asks_paper():
            return _show_paper(session, asked, wanted, time, rooms)
        choices = coming_choices(today, list_terms(session, school.id))
        page = read_page(
            asked,
            lambda first, limit: list_counted(
                session, school.id, wanted, asked.wanted_sort, first, limit
            ),
        )
    return render_part(
        "leave_register.html",
        "leave_register_part.html",
        asked=asked,
        choices=choices,
        columns=_COLUMNS,
        grades=_grades(rooms),
        groups=group_words(),
        kinds=_words_of(LeaveKind),
        latest=today + LONGEST,
        page=page,
        rooms=_names(rooms),
        states=_words_of(LeaveState),
        time=time,
        tones=TONES,
        words=words,
        written=_written,
    )


def _show_paper(
    session: Session, asked: Asked, wanted: Wanted, time: DayRange, rooms: list[SheetRoom]
) -> ResponseReturnValue:
    found, total = list_counted(
        session, school_in_use().id, wanted, asked.wanted_sort, 0, MOST_ROWS
    )
    about = [
        days_between(*time),
        *choice(gettext("Grade"), _grades(rooms), asked, "grade"),
        *choice(gettext("Homeroom"), _names(rooms), asked, "homeroom"),
        *choice(gettext("Leave"), _words_of(LeaveKind), asked, "kind"),
        *choice(gettext("State"), _words_of(LeaveState), asked, "state"),
    ]
    lines = [_line(one) for one in found]
    return show_paper(LEAVE_REGISTER.title, asked, about, _ON_PAPER, lines, total)


def _line(one: SlipLine) -> Line:
    decided = one.decided_by or one.first_by
    return (
        one.homeroom,
        one.number,
        one.name or gettext("deleted student"),
        word(one.kind),
        _written(one),
        gettext("yes") if one.lets_out else "",
        word(one.state),
        f"{one.asked_by} {moment(one.asked_at)[:16]}",
        f"{decided} {moment(one.decided_at or one.first_at)[:16]}" if decided else "",
        one.decision_reason,
    )


def _written(slip: SlipLine) -> str:
    return leave_time(slip.from_at, slip.until_at, school_in_use().zone)


def _grades(rooms: list[SheetRoom]) -> list[tuple[int, str]]:
    return [(one, grade_word(one)) for one in sorted({room.grade for room in rooms})]


def _names(rooms: list[SheetRoom]) -> list[tuple[int, str]]:
    return [(one.id, one.name) for one in rooms]


def _words_of(choices: type[LeaveKind] | type[LeaveState]) -> list[tuple[str, str]]:
    return [(one.value, word(one)) for one in choices]

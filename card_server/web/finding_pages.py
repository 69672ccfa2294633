"""Findings (异常): what is odd about students' days and cards, and who has looked at it."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, gettext, lazy_gettext
from werkzeug.datastructures import MultiDict

from card_server.access import actor, allow, changing_session, now, school_in_use, school_session
from card_server.attendance.looking import look_at, take_back
from card_server.exports.findings import FINDINGS, read_asked_findings
from card_server.leave.callers import SEEING
from card_server.register.terms import list_terms
from card_server.reports.findings import Odd, OddKind, count_kinds, read_findings
from card_server.reports.sheet_rooms import SheetRoom, read_rooms
from card_server.school_time import day_of
from card_server.web.day_range import DayRange, asked_range, quick_choices, with_range
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.formats import moment, second
from card_server.web.fragments import render_part
from card_server.web.paper import MOST_ROWS, Line, asks_paper, choice, days_between, show_paper
from card_server.web.room_choices import grade_choices, room_choices
from card_server.web.row_addresses import student_day_address
from card_server.web.tables import Asked, Column, cut_page, read_asked
from card_server.words.cards import card_number
from card_server.words.choices import word
from card_server.words.findings import MEANINGS, NAMES

pages = Blueprint("findings", __name__)
_USUAL = timedelta(days=6)
_LONGEST = timedelta(days=31)
_FILTERS = ("from", "to", "kind", "grade", "homeroom", "looked")
_COLUMNS = (
    Column(lazy_gettext("Day"), "day"),
    Column(lazy_gettext("Student"), "name"),
    Column(lazy_gettext("Finding"), "kind"),
    Column(lazy_gettext("What it means"), is_minor=True),
    Column(lazy_gettext("Looked at")),
)
_ON_PAPER = (
    lazy_gettext("Day"),
    lazy_gettext("Student number"),
    lazy_gettext("Full name"),
    lazy_gettext("Homeroom"),
    lazy_gettext("Finding"),
    lazy_gettext("Details"),
    lazy_gettext("Looked at"),
)


@pages.get("/attendance/findings")
@allow(*SEEING)
def show() -> ResponseReturnValue:
    """What nobody has looked at yet, of the last seven days unless others are asked."""
    return _show("")


@pages.post("/attendance/findings")
@allow(*SEEING)
def find() -> ResponseReturnValue:
    """Of those who answer to the words; by POST, because a name must not stand in an address."""
    return _show(request.form.get("words", "")[:100])


def _show(words: str) -> ResponseReturnValue:
    school = school_in_use()
    today = day_of(now(), school.zone)
    time = asked_range(today, DayRange(today - _USUAL, today), _LONGEST)
    asked = with_range(read_asked(("day", "name", "kind"), _FILTERS), time)
    if kind := asked_export():
        return send_list(kind, FINDINGS, asked.filters)
    wanted = read_asked_findings(asked.filters, today, words)
    with school_session() as session:
        choices = quick_choices(today, list_terms(session, school.id))
        found = read_findings(session, school.id, school.zone, wanted)
        rooms = read_rooms(session, school.id)
    rows = asked.sorted(
        found,
        {
            "day": lambda one: one.day,
            "name": lambda one: (one.name, one.number),
            "kind": lambda one: one.kind,
        },
    )
    if asks_paper():
        return _show_paper(asked, time, rows, rooms)
    return render_part(
        "findings.html",
        "findings_part.html",
        asked=asked,
        choices=[one for one in choices if one.range.last - one.range.first <= _LONGEST],
        columns=_COLUMNS,
        counts=count_kinds(found),
        details=finding_details,
        is_looked_at=wanted.is_looked_at,
        kinds=_kinds(),
        # Each row has them, so they are put into the page's language once.
        meanings={one: str(meaning) for one, meaning in MEANINGS.items()},
        names={one: str(name) for one, name in NAMES.items()},
        page=cut_page(rows, asked),
        grades=grade_choices(rooms),
        rooms=room_choices(rooms, asked.filters),
        see_day=student_day_address(),
        time=time,
        today=today,
        words=words,
    )


def _kinds() -> list[tuple[str, LazyString]]:
    return [(one.value, name) for one, name in NAMES.items()]


def _show_paper(
    asked: Asked, time: DayRange, rows: list[Odd], rooms: list[SheetRoom]
) -> ResponseReturnValue:
    about = [
        days_between(*time),
        *choice(gettext("Finding"), _kinds(), asked, "kind"),
        *choice(gettext("Grade"), grade_choices(rooms), asked, "grade"),
        *choice(gettext("Homeroom"), room_choices(rooms, asked.filters), asked, "homeroom"),
        *choice(gettext("Looked at"), [("yes", gettext("yes"))], asked, "looked"),
    ]
    lines = [_line(one) for one in rows[:MOST_ROWS]]
    return show_paper(FINDINGS.title, asked, about, _ON_PAPER, lines, len(rows))


def _line(one: Odd) -> Line:
    looked = f"{one.looked_by} {moment(one.looked_at)[:16]}" if one.looked_at else ""
    return (
        f"{one.day}",
        one.number,
        one.name if one.student_id else gettext("nobody's card"),
        one.homeroom,
        str(NAMES[one.kind]),
        finding_details(one),
        looked,
    )


def finding_details(one: Odd) -> str:
    """What a finding says beside its name; nothing where the name says it all."""
    if one.kind in (OddKind.TRAVEL, OddKind.TWO_CARDS):
        apart = gettext("%(seconds)s s apart", seconds=one.seconds)
        return f"{one.readers} · {apart} · {second(one.at)}"
    if one.kind is OddKind.ALWAYS_LATE:
        said = gettext(
            "%(times)s of 10 days, about %(minutes)s min", times=one.times, minutes=one.minutes
        )
        return str(said)
    if one.kind is OddKind.REFUSED_AGAIN:
        times = gettext("%(times)s times", times=one.times)
        return f"{card_number(one.uid)} · {word(one.reason)} · {times}"
    return ""


@pages.post("/attendance/findings/look")
@allow(*SEEING)
def look() -> ResponseReturnValue:
    """It was looked at, and stands among the open ones no more."""
    school_id = school_in_use().id
    with changing_session() as session:
        look_at(session, actor(), school_id, request.form.get("key", ""), now())
    flash(gettext("It stands among those that were looked at."), "good")
    return redirect(_back(request.form))


@pages.post("/attendance/findings/reopen")
@allow(*SEEING)
def reopen() -> ResponseReturnValue:
    """It stands among the open ones again."""
    school_id = school_in_use().id
    with changing_session() as session:
        take_back(session, actor(), school_id, request.form.get("key", ""))
    flash(gettext("It stands among the open ones again."), "good")
    return redirect(_back(request.form))


def _back(form: MultiDict[str, str]) -> str:
    """The list as it was, on the same page in the same order."""
    kept = {name: form[name][:100] for name in (*_FILTERS, "sort", "page") if form.get(name)}
    return url_for("findings.show", **kept)  # type: ignore[arg-type]

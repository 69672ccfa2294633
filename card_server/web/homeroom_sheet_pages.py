"""A homeroom's sheets (班级考勤): one day with its sessions, and a month as a grid."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import allow, now, school_in_use, school_session
from card_server.leave.callers import SEEING
from card_server.reports.homeroom_month import MonthLine, read_homeroom_month
from card_server.reports.homeroom_sheet import (
    HomeroomSheet,
    Said,
    SheetLine,
    read_homeroom_sheet,
)
from card_server.reports.sheet_rooms import read_rooms
from card_server.school_time import day_of
from card_server.web import sheet_words
from card_server.web.calendar_words import month_name
from card_server.web.day_range import asked_day
from card_server.web.downloads import send_noted
from card_server.web.export import Cell, asked_export
from card_server.web.fragments import render_part
from card_server.web.tables import Column, Page, read_asked
from card_server.words.attendance import SIGNS, TONES, result_words, said_words
from card_server.words.choices import word
from schema.tables.attendance import DayNote, SessionStatus

pages = Blueprint("homeroom_sheets", __name__)

_NEVER = datetime.max.replace(tzinfo=UTC)


def _has(status: SessionStatus) -> Callable[[SheetLine], object]:
    return lambda line: line.has(status)


_SORTS: dict[str, Callable[[SheetLine], Any]] = {
    "number": lambda line: line.number,
    "name": lambda line: line.pinyin or line.name,
    "arrived": lambda line: line.arrived_at or _NEVER,
    "departed": lambda line: line.departed_at or _NEVER,
    "late": lambda line: line.late_minutes,
    "early": lambda line: line.early_minutes,
}
_SHOWS: dict[str, Callable[[SheetLine], object]] = {
    **{one.value: _has(one) for one in SessionStatus if one is not SessionStatus.NOT_EXPECTED},
    "corrected": lambda line: line.corrections,
    "noted": lambda line: line.notes,
    "findings": lambda line: line.findings,
}
_MONTH_SORTS: dict[str, Callable[[MonthLine], Any]] = {
    "number": lambda line: line.number,
    "name": lambda line: line.pinyin or line.name,
    "late": lambda line: line.totals.late,
    "early": lambda line: line.totals.left_early,
    "absent": lambda line: line.totals.absent,
    "leave": lambda line: line.totals.on_leave,
}
_FIRST_MONTH = date(2000, 1, 1)


class Footnote(NamedTuple):
    """A correction under the sheet, and the number by which its cells point to it."""

    number: int
    line: SheetLine
    said: Said


class NoteBelow(NamedTuple):
    """A note beside a student's day, under the sheet; its number goes on after the corrections."""

    number: int
    line: SheetLine
    note: DayNote


@pages.get("/attendance/homeroom")
@allow(*SEEING)
def begin() -> ResponseReturnValue:
    """Today's sheet of the homeroom that is asked for, or of the first that the caller sees."""
    school = school_in_use()
    with school_session() as session:
        rooms = read_rooms(session, school.id)
    if not rooms:
        return render_template("homeroom_sheet_none.html")
    asked = request.args.get("homeroom", type=int)
    chosen = asked if asked in [one.id for one in rooms] else rooms[0].id
    month = request.args.get("month", "")
    if month:
        address = url_for("homeroom_sheets.show_month", homeroom_id=chosen, month=month)
    else:
        day = request.args.get("day") or None
        address = url_for("homeroom_sheets.show", homeroom_id=chosen, day=day)
    return redirect(address)


@pages.get("/attendance/homeroom/<int:homeroom_id>")
@allow(*SEEING)
def show(homeroom_id: int) -> ResponseReturnValue:
    """The homeroom's sheet of today, or of the day that `day` names."""
    return _show_day(homeroom_id, "")


@pages.post("/attendance/homeroom/<int:homeroom_id>")
@allow(*SEEING)
def find(homeroom_id: int) -> ResponseReturnValue:
    """Those of the sheet who answer to the words; by POST, for a name is in no address."""
    return _show_day(homeroom_id, request.form.get("words", "")[:100])


def _show_day(homeroom_id: int, words: str) -> ResponseReturnValue:
    school, day = school_in_use(), asked_day()
    today = day_of(now(), school.zone)
    asked = read_asked(tuple(_SORTS), ("day", "show"), "number")
    with school_session() as session:
        sheet = read_homeroom_sheet(session, school, homeroom_id, day, words)
    is_wanted = _SHOWS.get(asked.filters.get("show", ""), lambda _line: True)
    lines = asked.sorted(filter(is_wanted, sheet.lines), _SORTS)
    if kind := asked_export():
        return send_noted(kind, f"day-{day}", _day_heads(sheet), _day_rows(sheet, lines))
    notes = _footnotes(lines)
    day_notes = _notes_below(lines, len(notes))
    return render_part(
        "homeroom_sheet.html",
        "homeroom_sheet_part.html",
        sheet=sheet,
        asked=asked,
        columns=_day_columns(sheet),
        page=Page(lines, total=len(lines)),
        words=words,
        shows=_show_choices(),
        today=today,
        is_today=day == today,
        notes=notes,
        day_notes=day_notes,
        noted=_by_student(day_notes),
        marks=_marks(notes),
        said_words=said_words,
        names=sheet_words.names_of(sheet.plan),
        name_at=sheet_words.name_at,
        session_name=sheet_words.session_name,
        session_names=[(one.position, sheet_words.session_name(one)) for one in sheet.sessions],
        result_words=result_words,
        tones=TONES,
        statuses=[one for one in SessionStatus if one is not SessionStatus.NOT_EXPECTED],
    )


def _show_choices() -> list[tuple[str, str]]:
    of_statuses = [(key, word(SessionStatus(key))) for key in _SHOWS if key in list(SessionStatus)]
    return [
        *of_statuses,
        ("corrected", gettext("corrected")),
        ("noted", gettext("with a note")),
        ("findings", gettext("something odd")),
    ]


def _day_columns(sheet: HomeroomSheet) -> list[Column]:
    return [
        Column(lazy_gettext("Student number"), "number", is_minor=True),
        Column(lazy_gettext("Full name"), "name"),
        *(Column(sheet_words.session_name(one)) for one in sheet.sessions),
        Column(lazy_gettext("First in"), "arrived", is_number=True),
        Column(lazy_gettext("Last out"), "departed", is_number=True),
        Column(lazy_gettext("Minutes late"), "late", is_number=True),
        Column(lazy_gettext("Minutes early"), "early", is_number=True),
        Column(lazy_gettext("To look at")),
        Column(""),
    ]


def _footnotes(lines: list[SheetLine]) -> list[Footnote]:
    """The corrections of the sheet, numbered in its order."""
    said = [(line, one) for line in lines for one in line.corrections]
    return [Footnote(number, line, one) for number, (line, one) in enumerate(said, 1)]


def _notes_below(lines: list[SheetLine], after: int) -> list[NoteBelow]:
    noted = [(line, one) for line in lines for one in line.notes]
    return [NoteBelow(number, line, one) for number, (line, one) in enumerate(noted, after + 1)]


def _by_student(day_notes: list[NoteBelow]) -> dict[int, list[NoteBelow]]:
    found: dict[int, list[NoteBelow]] = {}
    for one in day_notes:
        found.setdefault(one.line.student_id, []).append(one)
    return found


def _marks(notes: list[Footnote]) -> dict[tuple[int, int], Footnote]:
    """By student and position the correction that decided; position 0 where it was all the day."""
    return {(one.line.student_id, one.said.position): one for one in notes}


def _day_heads(sheet: HomeroomSheet) -> list[str]:
    return [
        gettext("Day"),
        gettext("Homeroom"),
        gettext("Student number"),
        gettext("Full name"),
        *(sheet_words.session_name(one) for one in sheet.sessions),
        gettext("First in"),
        gettext("Last out"),
        gettext("Minutes late"),
        gettext("Minutes early"),
        gettext("Corrections"),
        gettext("Notes"),
        gettext("To look at"),
    ]


def _day_rows(sheet: HomeroomSheet, lines: list[SheetLine]) -> list[tuple[Cell, ...]]:
    open_ = word(SessionStatus.NOT_JUDGED)
    names = sheet_words.names_of(sheet.plan)
    rows: list[tuple[Cell, ...]] = []
    for line in lines:
        results = [line.results.get(one.position) for one in sheet.sessions]
        said = [
            f"{sheet_words.name_at(names, one.position)}:"
            f" {said_words(one.status, one.leave_kind, one.minutes)} ({one.made_by}: {one.reason})"
            for one in line.corrections
        ]
        rows.append(
            (
                sheet.day,
                sheet.room.name,
                line.number,
                line.name,
                *(result_words(one) if one else open_ for one in results),
                line.arrived_at,
                line.departed_at,
                line.late_minutes,
                line.early_minutes,
                "; ".join(said),
                sheet_words.note_words(line.notes),
                sheet_words.finding_words(line.findings),
            )
        )
    return rows


@pages.get("/attendance/homeroom/<int:homeroom_id>/month")
@allow(*SEEING)
def show_month(homeroom_id: int) -> ResponseReturnValue:
    """The homeroom's grid of this month, or of the one that `month` names."""
    return _show_month(homeroom_id, "")


@pages.post("/attendance/homeroom/<int:homeroom_id>/month")
@allow(*SEEING)
def find_month(homeroom_id: int) -> ResponseReturnValue:
    """Those of the grid who answer to the words."""
    return _show_month(homeroom_id, request.form.get("words", "")[:100])


def _show_month(homeroom_id: int, words: str) -> ResponseReturnValue:
    school = school_in_use()
    today = day_of(now(), school.zone)
    first = _asked_month(today)
    asked = read_asked(tuple(_MONTH_SORTS), ("month",), "number")
    with school_session() as session:
        month = read_homeroom_month(session, school, homeroom_id, first, words)
    lines = asked.sorted(month.lines, _MONTH_SORTS)
    if kind := asked_export():
        rows = sheet_words.grid_rows(month, lines, today)
        return send_noted(kind, f"month-{first:%Y-%m}", sheet_words.grid_heads(month), rows)
    return render_part(
        "homeroom_month.html",
        "homeroom_month_part.html",
        month=month,
        lines=lines,
        asked=asked,
        page=Page(lines, total=len(lines)),
        words=words,
        today=today,
        title=month_name(first),
        before=(first - timedelta(days=1)).replace(day=1),
        after=_next_month(first),
        grid=sheet_words.Grid(month, today),
        totals_heads=list(zip(_total_sorts(), sheet_words.totals_heads(), strict=True)),
        totals_cells=sheet_words.totals_cells,
        day_totals=[(one, sheet_words.totals_cells(one.totals)) for one in month.days],
        month_totals=sheet_words.totals_cells(month.totals),
        legend_signs=[(SIGNS[one], word(one), TONES[one]) for one in sheet_words.LEGEND],
    )


def _total_sorts() -> list[str]:
    """By which order each of the totals can be read; the kinds of leave together."""
    return ["late", "early", "absent", "leave", "", ""]


def _asked_month(today: date) -> date:
    """The first day of the month that the address names; this month for anything else."""
    this = today.replace(day=1)
    try:
        month = date.fromisoformat(request.args.get("month", "") + "-01")
    except ValueError:
        return this
    return month if _FIRST_MONTH <= month <= _next_month(this) else this


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)

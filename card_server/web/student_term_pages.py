"""A student's term (学期考勤): a calendar of signs, its figures, and each day with its taps."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import allow, now, school_in_use, school_session
from card_server.leave.callers import SEEING
from card_server.looks import note_day_look, note_look
from card_server.reports.student_term import (
    Seen,
    StudentTerm,
    TermDay,
    TermMonth,
    read_seen,
    read_student_days,
    read_student_term,
)
from card_server.school_time import day_of
from card_server.web import sheet_words
from card_server.web.calendar_words import month_name, weekday_letters
from card_server.web.day_range import DayRange, asked_day, asked_range
from card_server.web.downloads import send_noted
from card_server.web.export import Cell, asked_export
from card_server.web.formats import written_days
from card_server.web.tables import read_asked
from card_server.words.attendance import SIGNS, TONES, day_sign, day_tone, result_words, said_words
from card_server.words.choices import word
from card_server.words.leave import leave_time
from schema.tables.attendance import SessionStatus

pages = Blueprint("student_terms", __name__)

_A_MONTH = timedelta(days=30)
"""From its first to its last day at the longest."""


class _Month(NamedTuple):
    """A month of the term, and its days that are worth a line, the newest first."""

    of: TermMonth
    lines: list[TermDay]
    is_shown: bool
    """Whether the page shows its days at once; those of other months are fetched."""

    @property
    def values(self) -> dict[str, str]:
        """Its days as an address carries them."""
        return DayRange(self.of.first, self.of.last).values

    @property
    def weeks(self) -> list[list[TermDay | None]]:
        """Its calendar, from Monday to Sunday."""
        cells: list[TermDay | None] = [None] * self.of.first.weekday()
        cells += self.of.days
        cells += [None] * (-len(cells) % 7)
        return [cells[n : n + 7] for n in range(0, len(cells), 7)]


@pages.get("/students/<int:student_id>/attendance")
@allow(*SEEING)
def show(student_id: int) -> ResponseReturnValue:
    """The student's term: the one that `term` names, or that of `day`; and the days of its month.

    `open` unfolds every month and every day, as for printing.
    """
    school, day = school_in_use(), asked_day()
    today = day_of(now(), school.zone)
    asked = read_asked(filters=("term", "day", "open"))
    term_id = request.args.get("term", type=int)
    is_open = "open" in asked.filters
    with school_session() as session:
        found = read_student_term(session, school, student_id, term_id, day, today)
        months = _months(found, day)
        shown = next((one for one in months if one.is_shown), None)
        seen: Mapping[date, Seen] = {}
        if kind := asked_export():
            if found.months:
                first, last = found.months[0].first, found.months[-1].last
                seen = read_seen(session, school, student_id, first, last)
            return send_noted(kind, "term", _heads(), _rows(found, seen))
        if shown and is_open:
            seen = read_seen(session, school, student_id, shown.of.first, shown.of.last)
    details = {"term": str(found.term.id)} if found.term else {}
    note_look("student.term_seen", f"student:{student_id}", details)
    return render_template(
        "student_term.html",
        found=found,
        asked=asked,
        months=months,
        shown=shown,
        month_name=month_name,
        letters=weekday_letters(),
        long_days=written_days((line.day for one in months for line in one.lines), "full"),
        totals_heads=sheet_words.totals_heads(),
        totals_cells=sheet_words.totals_cells,
        leave_time=lambda one: leave_time(one.from_at, one.until_at, school.zone),
        legend_signs=[(SIGNS[one], word(one), TONES[one]) for one in sheet_words.LEGEND],
        **_for_days(student_id, shown.lines if shown else [], seen, is_open=is_open),
    )


@pages.get("/students/<int:student_id>/attendance/days")
@allow(*SEEING)
def show_days(student_id: int) -> ResponseReturnValue:
    """A month's days, or fewer: the term fetches them when the month is unfolded."""
    school = school_in_use()
    today = day_of(now(), school.zone)
    time = asked_range(today, DayRange(today.replace(day=1), today), _A_MONTH)
    is_open = bool(request.args.get("open"))
    with school_session() as session:
        days = read_student_days(session, school, student_id, time.first, time.last)
        seen: Mapping[date, Seen] = {}
        if is_open:
            seen = read_seen(session, school, student_id, time.first, time.last)
    note_look("student.term_seen", f"student:{student_id}", time.values)
    values = _for_days(student_id, _lines(days), seen, is_open=is_open)
    return render_template("student_term_days.html", **values)


@pages.get("/students/<int:student_id>/attendance/taps")
@allow(*SEEING)
def show_taps(student_id: int) -> ResponseReturnValue:
    """One day's taps: the term fetches them when the day is unfolded."""
    school, day = school_in_use(), asked_day()
    with school_session() as session:
        seen = read_seen(session, school, student_id, day, day)
    note_day_look(student_id, day)
    return render_template("student_term_taps.html", seen=seen[day])


def _months(found: StudentTerm, day: date) -> list[_Month]:
    """The term's months; shown is that of the day, or else the newest one with a line."""
    with_lines = [(one, _lines(one.days)) for one in found.months]
    known = [one for one, lines in with_lines if lines]
    of_day = (one for one in known if one.first.replace(day=1) == day.replace(day=1))
    shown = next(of_day, known[-1] if known else None)
    return [_Month(one, lines, one is shown) for one, lines in with_lines]


def _lines(days: list[TermDay]) -> list[TermDay]:
    return [one for one in reversed(days) if one.is_worth_a_line]


def _for_days(
    student_id: int, lines: list[TermDay], seen: Mapping[date, Seen], *, is_open: bool
) -> dict[str, Any]:
    """What a list of days needs, on the page and when a month is unfolded."""
    return {
        "student_id": student_id,
        "lines": lines,
        "seen": seen,
        "is_open": is_open,
        "looks": _Looks(),
        "name_at": sheet_words.name_at,
        "names_of": sheet_words.names_of,
        "result_words": result_words,
        "said_words": said_words,
        "tones": TONES,
    }


class _Look(NamedTuple):
    """How a day stands in the calendar."""

    tone: str
    sign: str
    words: str


class _Looks:
    """How days look; most days of a term are alike, so each kind of day is written once."""

    def __init__(self) -> None:
        self._written: dict[tuple[object, ...], _Look] = {}

    def __call__(self, one: TermDay) -> _Look:
        key = (one.results, one.plan, _has_passed(one))
        look = self._written.get(key)
        if look is None:
            sign = day_sign(one.results) if one.results else ""
            look = self._written[key] = _Look(day_tone(one.results), sign, _day_words(one))
        return look


def _has_passed(one: TermDay) -> bool:
    """Whether the student was seen, though what the day was is not kept yet."""
    return bool(one.arrived_at or one.times_seen)


def _day_words(one: TermDay) -> str:
    """What became of a day, or why nothing did."""
    if one.results:
        return sheet_words.day_words(one.results, one.plan)
    if one.plan is None and not _has_passed(one):
        return str(gettext("nothing is known of this day"))
    if one.plan is not None and not one.plan.sessions:
        return one.plan.note or str(gettext("nothing was expected"))
    return word(SessionStatus.NOT_JUDGED)


def _heads() -> list[str]:
    return [
        gettext("Day"),
        gettext("Sign"),
        gettext("Sessions"),
        gettext("First in"),
        gettext("Last out"),
        gettext("Minutes late"),
        gettext("Minutes early"),
        gettext("Taps"),
        gettext("Corrections"),
        gettext("Notes"),
        gettext("To look at"),
    ]


def _rows(found: StudentTerm, seen: Mapping[date, Seen]) -> list[tuple[Cell, ...]]:
    return [_row(one, seen[one.day]) for one in found.days if one.is_worth_a_line]


def _row(one: TermDay, seen: Seen) -> tuple[Cell, ...]:
    names = sheet_words.names_of(one.plan)
    said = [
        f"{sheet_words.name_at(names, each.position)}:"
        f" {said_words(each.status, each.leave_kind, each.minutes)} ({each.made_by}: {each.reason})"
        for each in one.corrections
        if each.ended_at is None
    ]
    return (
        one.day,
        day_sign(one.results) if one.results else "",
        _day_words(one),
        one.arrived_at,
        one.departed_at,
        one.late_minutes,
        one.early_minutes,
        sheet_words.seen_words(seen, school_in_use().zone),
        "; ".join(said),
        sheet_words.note_words(reversed(one.notes)),
        sheet_words.finding_words(one.findings),
    )

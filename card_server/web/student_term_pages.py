"""A student's term (学期考勤): a calendar of signs, its figures, and each day with its taps."""

from datetime import date
from typing import NamedTuple

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import allow, now, school_in_use, school_session
from card_server.leave.callers import SEEING
from card_server.looks import note_look
from card_server.reports.student_term import (
    StudentTerm,
    TermDay,
    read_seen,
    read_student_term,
)
from card_server.school_time import day_of
from card_server.web import sheet_words
from card_server.web.calendar_words import month_name, weekday_letters
from card_server.web.day_range import asked_day
from card_server.web.downloads import send_noted
from card_server.web.export import Cell, asked_export
from card_server.web.formats import written_day
from card_server.web.fragments import render_part
from card_server.web.tables import read_asked
from card_server.words.attendance import SIGNS, TONES, day_sign, day_tone, result_words
from card_server.words.choices import word
from card_server.words.leave import leave_time
from schema.tables.attendance import SessionStatus

pages = Blueprint("student_terms", __name__)

Week = list[TermDay | None]


@pages.get("/students/<int:student_id>/attendance")
@allow(*SEEING)
def show(student_id: int) -> ResponseReturnValue:
    """The student's term: that of today, or the one that `term` names; `open` unfolds its days."""
    school = school_in_use()
    today = day_of(now(), school.zone)
    asked = read_asked(filters=("term", "open"))
    term_id = request.args.get("term", type=int)
    with school_session() as session:
        kind, is_open = asked_export(), "open" in asked.filters
        with_taps = is_open or kind is not None
        found = read_student_term(session, school, student_id, term_id, today, with_taps=with_taps)
        details = {"term": str(found.term.id)} if found.term else {}
        if kind:
            return send_noted(kind, "term", _heads(), _rows(found))
    shown = [one for one in reversed(found.days) if one.is_worth_a_line]
    note_look("student.term_seen", f"student:{student_id}", details)
    return render_part(
        "student_term.html",
        "student_term_part.html",
        found=found,
        asked=asked,
        is_open=is_open,
        shown=shown,
        long_days={one.day: written_day(one.day, "full") for one in shown},
        today=today,
        months=[(one, _weeks(found, one.first)) for one in found.months],
        month_name=month_name,
        letters=weekday_letters(),
        looks=_Looks(),
        name_at=sheet_words.name_at,
        names_of=sheet_words.names_of,
        result_words=result_words,
        totals_heads=sheet_words.totals_heads(),
        totals_cells=sheet_words.totals_cells,
        leave_time=lambda one: leave_time(one.from_at, one.until_at, school.zone),
        tones=TONES,
        legend_signs=[(SIGNS[one], word(one), TONES[one]) for one in sheet_words.LEGEND],
    )


@pages.get("/students/<int:student_id>/attendance/taps")
@allow(*SEEING)
def show_taps(student_id: int) -> ResponseReturnValue:
    """One day's taps: the term fetches them when the day is unfolded."""
    school, day = school_in_use(), asked_day()
    with school_session() as session:
        seen = read_seen(session, school, student_id, day)
    note_look("student.day_seen", f"student:{student_id}", {"day": day.isoformat()})
    return render_template("student_term_taps.html", seen=seen)


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


def _weeks(found: StudentTerm, first: date) -> list[Week]:
    """A month's days in weeks from Monday to Sunday."""
    days = [one for one in found.days if one.day.replace(day=1) == first]
    weeks: list[Week] = [[]]
    weeks[0].extend([None] * days[0].day.weekday())
    for one in days:
        if len(weeks[-1]) == 7:
            weeks.append([])
        weeks[-1].append(one)
    weeks[-1].extend([None] * (7 - len(weeks[-1])))
    return weeks


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
        gettext("To look at"),
    ]


def _rows(found: StudentTerm) -> list[tuple[Cell, ...]]:
    return [_row(one) for one in found.days if one.is_worth_a_line]


def _row(one: TermDay) -> tuple[Cell, ...]:
    names = sheet_words.names_of(one.plan)
    zone = school_in_use().zone
    taps = [
        f"{tap.occurred_at.astimezone(zone):%H:%M:%S} {tap.reader} {word(tap.direction)}".strip()
        for tap in one.seen.taps
    ]
    said = [
        f"{sheet_words.name_at(names, each.position)}: {word(each.status)}"
        f" ({each.made_by}: {each.reason})"
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
        "; ".join(taps),
        "; ".join(said),
        sheet_words.finding_words(one.findings),
    )

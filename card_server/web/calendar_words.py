"""How the calendar's pages call months, weekdays and days, and what they say after a change."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from babel.dates import format_skeleton
from flask import flash, url_for
from flask_babel import format_date, get_locale, gettext
from markupsafe import Markup

from card_server.calendar.months import SchoolDay
from card_server.words.choices import word
from card_server.words.grades import grade_words
from schema.tables.calendar import DayKind

_SATURDAY = 6
_BY_KIND = {
    DayKind.CLOSED: "day-closed",
    DayKind.EXAM: "day-exam",
    DayKind.LESSONS: "day-lessons",
}


class Look(NamedTuple):
    """How a day is shown in a month: its class, a short word, and the whole of it for a reader."""

    style: str
    short: str
    whole: str


def month_name(first: date) -> str:
    """2026年9月, September 2026."""
    return str(format_skeleton("yMMMM", first, locale=get_locale()))


def weekday_name(weekday: int) -> str:
    """星期一, Monday; 1 for Monday."""
    return str(get_locale().days["stand-alone"]["wide"][weekday - 1])


def weekday_letters() -> list[tuple[str, str]]:
    """The heads of a month: 一 and 星期一, M and Monday."""
    days = get_locale().days["stand-alone"]
    return [(days["narrow"][n], days["wide"][n]) for n in range(7)]


def weekday_options() -> list[tuple[int, str]]:
    """Monday to Friday, then the weekend, to choose from."""
    return [(n, weekday_name(n)) for n in range(1, 8)]


def look_of(day: SchoolDay) -> Look:
    """How a day of the whole school looks."""
    style, short = _style(day)
    if day.plan.is_unsure:
        style += " day-unsure"
        short = day.plan.note or short or "?"
    said = [format_date(day.day, "full"), *_words(day)]
    return Look(style, short, " · ".join(str(one) for one in said if one))


def _style(day: SchoolDay) -> tuple[str, str]:
    if not day.is_in_term:
        return "day-out", ""
    entry = day.entry
    if entry is None:
        is_weekend = day.day.isoweekday() >= _SATURDAY
        return ("day-free" if is_weekend else "day-lessons"), ""
    short = entry.note
    if entry.weekday is not None and entry.kind is not DayKind.CLOSED:
        return "day-moved", gettext("%(weekday)s's", weekday=_short_weekday(entry.weekday))
    if entry.parts:
        return "day-half", short or gettext("in part")
    return _BY_KIND[entry.kind], short or word(entry.kind)


def _short_weekday(weekday: int) -> str:
    return str(get_locale().days["stand-alone"]["abbreviated"][weekday - 1])


def _words(day: SchoolDay) -> list[str]:
    """All that is to be said of a day."""
    if not day.is_in_term:
        return [gettext("no term")]
    said = [word(day.plan.kind), day.plan.note]
    if day.entry and day.entry.weekday:
        said.append(gettext("%(weekday)s's timetable", weekday=weekday_name(day.entry.weekday)))
    if day.entry and day.entry.parts:
        said.append("、".join(word(one) for one in sorted(day.entry.parts)))
    if day.plan.is_unsure:
        said.append(gettext("not settled: the weekday alone decides"))
    if day.of_grades:
        said.append(gettext("some grades differ"))
    return said


def say_saved(stays: Sequence[date]) -> None:
    """Tell on the next page that it is saved, and of which days a part stays as it was."""
    if not stays:
        flash(gettext("Saved."), "good")
        return
    days = "、".join(one.isoformat() for one in stays)
    said = gettext("Saved. What is judged already stays as it was: %(days)s.", days=days)
    address = url_for("recompute.show", first=stays[0], last=stays[-1])
    way = gettext("See what would change, and judge the days anew")
    flash(Markup('{} <a href="{}">{}</a>').format(said, address, way), "warn")


def audience(grades: Collection[int], homerooms: Collection[str] = ()) -> str:
    """For whom something is: the whole school, grades, or homerooms by name."""
    if homerooms:
        return "、".join(homerooms)
    if grades:
        return grade_words(grades)
    return str(gettext("the whole school"))

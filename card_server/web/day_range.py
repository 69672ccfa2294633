"""A time that a page is about, as its address names it: a day, `from` and `to`, a quick choice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from flask import request
from flask_babel import gettext

from card_server.access import now, school_in_use
from card_server.register.terms import term_of
from card_server.school_time import day_of
from card_server.web.tables import Asked
from schema.tables.school import Term

LONGEST = timedelta(days=366)
_FIRST = date(2000, 1, 1)


def asked_day() -> date:
    """The day that the address names; today for anything that is no day, or has not come."""
    today = day_of(now(), school_in_use().zone)
    day = _read(request.args.get("day", ""))
    return today if day is None or day > today else day


class DayRange(NamedTuple):
    """From the first to the last day."""

    first: date
    last: date

    @property
    def values(self) -> dict[str, str]:
        """As an address carries it."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


class QuickChoice(NamedTuple):
    """A time that many ask for."""

    label: str
    range: DayRange


def quick_choices(today: date, terms: Sequence[Term]) -> list[QuickChoice]:
    """This week and the last one, this month, this term: each until today."""
    monday = today - timedelta(days=today.weekday())
    last_week = DayRange(monday - timedelta(days=7), monday - timedelta(days=1))
    choices = [
        QuickChoice(gettext("this week"), DayRange(monday, today)),
        QuickChoice(gettext("last week"), last_week),
        QuickChoice(gettext("this month"), DayRange(today.replace(day=1), today)),
    ]
    term = term_of(terms, today)
    if term is not None:
        choices.append(QuickChoice(gettext("this term"), DayRange(term.starts_on, today)))
    return choices


def coming_choices(today: date, terms: Sequence[Term]) -> list[QuickChoice]:
    """Today and tomorrow, this week and the next one, this month, this term: each to its end."""
    monday, tomorrow = today - timedelta(days=today.weekday()), today + timedelta(days=1)
    next_monday, begin = monday + timedelta(days=7), today.replace(day=1)
    next_month = (begin + timedelta(days=31)).replace(day=1)
    choices = [
        QuickChoice(gettext("today"), DayRange(today, today)),
        QuickChoice(gettext("tomorrow"), DayRange(tomorrow, tomorrow)),
        QuickChoice(gettext("this week"), DayRange(monday, monday + timedelta(days=6))),
        QuickChoice(gettext("next week"), DayRange(next_monday, monday + timedelta(days=13))),
        QuickChoice(gettext("this month"), DayRange(begin, next_month - timedelta(days=1))),
    ]
    term = term_of(terms, today)
    if term is not None:
        choices.append(QuickChoice(gettext("this term"), DayRange(term.starts_on, term.ends_on)))
    return choices


def asked_range(today: date, usual: DayRange, longest: timedelta = LONGEST) -> DayRange:
    """The time that the address names; the usual one where it names none, or nonsense.

    It is never longer than `longest`, and never reaches past today.
    """
    first = _read(request.args.get("from", ""))
    last = _read(request.args.get("to", ""))
    if first is None and last is None:
        return usual
    last = min(last or today, today)
    first = first or usual.first
    if first > last:
        return usual
    return DayRange(max(first, last - longest), last)


def asked_coming(today: date, usual: DayRange) -> DayRange:
    """The time that the address names, up to a year ahead; a day alone where it names one.

    The usual one where it names none, or nonsense; never longer than `LONGEST`.
    """
    first, last = _read(request.args.get("from", "")), _read(request.args.get("to", ""))
    first, last = first or last, last or first
    if first is None or last is None:
        return usual
    last = min(last, today + LONGEST)
    return usual if first > last else DayRange(max(first, last - LONGEST), last)


def with_range(asked: Asked, time: DayRange) -> Asked:
    """The same, with the time that is shown, so that a link goes on showing it tomorrow."""
    return replace(asked, filters={**asked.filters, **time.values})


def _read(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day >= _FIRST else None

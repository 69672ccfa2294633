"""A term as its months show it: what each day is, and who said so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.calendar.entries import by_day
from card_server.calendar.plan import Calendar, Entry, Room, entry_for, plan_day
from card_server.calendar.reading import as_entry, days_between, list_entries, read_calendar
from card_server.calendar.state_days import StateDay, state_day
from schema.tables.calendar import CalendarEntry

WHOLE_SCHOOL = Room(0, 0)
"""A homeroom that no grade's own entry or timetable is for."""


@dataclass(frozen=True)
class SchoolDay:
    """One day of the whole school."""

    day: date
    is_in_term: bool
    plan: DayPlan
    entry: Entry | None
    """What was said of the whole school; None where the weekday decides."""
    of_grades: tuple[CalendarEntry, ...]
    """What was said of some grades."""
    state: StateDay | None
    """What the state's calendar makes of it."""


@dataclass(frozen=True)
class Month:
    """A month's days within the time that was asked for."""

    first: date
    """Its first day, whether that is shown or not."""
    weeks: tuple[tuple[SchoolDay | None, ...], ...]
    """Monday to Sunday; None where the day is not of this month or not asked for."""


def read_months(session: Session, school_id: int, first: date, last: date) -> list[Month]:
    """The months from the first day to the last."""
    days = read_days(session, school_id, first, last)
    by_month = groupby(days, key=lambda one: one.day.replace(day=1))
    return [Month(month, _weeks(list(found))) for month, found in by_month]


def read_days(session: Session, school_id: int, first: date, last: date) -> list[SchoolDay]:
    """Each day from the first to the last, in six queries."""
    calendar = read_calendar(session, school_id, first, last)
    said = by_day(list_entries(session, school_id, first, last))
    return [describe_day(calendar, said.get(day, []), day) for day in days_between(first, last)]


def describe_day(calendar: Calendar, said: Sequence[CalendarEntry], day: date) -> SchoolDay:
    """One day by a calendar that holds it; `said` are the entries in force."""
    return SchoolDay(
        day=day,
        is_in_term=any(one.starts_on <= day <= one.ends_on for one in calendar.terms),
        plan=plan_day(calendar, day, WHOLE_SCHOOL),
        entry=entry_for(map(as_entry, said), day, WHOLE_SCHOOL.grade),
        of_grades=tuple(one for one in said if one.grades),
        state=state_day(day),
    )


def _weeks(days: Sequence[SchoolDay]) -> tuple[tuple[SchoolDay | None, ...], ...]:
    by_date = {one.day: one for one in days}
    monday = days[0].day - timedelta(days=days[0].day.weekday())
    weeks = []
    while monday <= days[-1].day:
        weeks.append(tuple(by_date.get(monday + timedelta(days=n)) for n in range(7)))
        monday += timedelta(days=7)
    return tuple(weeks)

"""Students who are late by the same few minutes again and again: a bus, or a habit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median_low
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.reports.day_plans import distinct_plans, is_school_day
from card_server.reports.odd_days import is_odd_between
from schema.tables.attendance import Attendance, HomeroomDay

DAYS: Final = 10
"""School days that are looked at: those on which day students had lessons."""
LEAST: Final = 4
"""On so many of them the student was late by about the same."""
ABOUT: Final = 3
"""Minutes to either side that count as the same."""
_REACH: Final = timedelta(days=30)
"""Ten school days lie within, but in the holidays."""


@dataclass(frozen=True)
class Habit:
    """A student, how often and how late usually, and when last."""

    student_id: int
    times: int
    minutes: int
    last_on: date


def read_always_late(session: Session, school_id: int, until: date) -> list[Habit]:
    """Whoever was late like that on the last school days until a day, in three queries."""
    days = _last_school_days(session, school_id, until)
    if not days:
        return []
    found = session.execute(
        select(Attendance.student_id, Attendance.day, Attendance.late_minutes).where(
            is_odd_between(school_id, min(days), max(days)), Attendance.late_minutes > 0
        )
    )
    late: dict[int, list[tuple[date, int]]] = {}
    for student_id, day, minutes in found:
        if day in days:
            late.setdefault(student_id, []).append((day, minutes))
    habits = (habit_of(student_id, times) for student_id, times in sorted(late.items()))
    return [one for one in habits if one is not None]


def _last_school_days(session: Session, school_id: int, until: date) -> set[date]:
    """The last days on which somebody came and day students had lessons.

    A Sunday on which boarders are back is none. A day of which no plan is kept is older than plans
    are: all that is known of it is that somebody came.
    """
    came = session.scalars(
        select(HomeroomDay.day)
        .where(
            HomeroomDay.school_id == school_id,
            HomeroomDay.day.between(until - _REACH, until),
            HomeroomDay.arrived > 0,
        )
        .distinct()
    ).all()
    planned = distinct_plans(session, school_id, came)
    school_days = [
        day for day in came if day not in planned or any(map(is_school_day, planned[day]))
    ]
    return set(sorted(school_days)[-DAYS:])


def habit_of(student_id: int, times: Sequence[tuple[date, int]]) -> Habit | None:
    """What a student's late days come to; None where they are few or differ; a pure rule."""
    if len(times) < LEAST:
        return None
    best: list[tuple[date, int]] = []
    for middle in dict.fromkeys(minutes for _day, minutes in sorted(times)):
        near = [one for one in times if abs(one[1] - middle) <= ABOUT]
        if len(near) > len(best):
            best = near
    if len(best) < LEAST:
        return None
    minutes = median_low([minutes for _day, minutes in best])
    return Habit(student_id, len(best), minutes, max(day for day, _minutes in best))

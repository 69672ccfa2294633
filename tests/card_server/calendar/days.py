"""Plain calendars for the tests: a term, a timetable, and sessions by a few words."""

from collections.abc import Iterable
from datetime import date

from card_server.attendance.facts import SessionPlan
from card_server.calendar.plan import Calendar, Entry, Hours, Room, TermDays
from schema.tables.calendar import DayPart

SENIOR, JUNIOR = Room(1, 12), Room(2, 10)
SCHOOL_YEAR = (TermDays(date(2024, 1, 1), date(2025, 12, 31)),)
"""A term that never pauses: so every day of the state's calendar is in it."""
MORNING = SessionPlan(1, "上午", DayPart.MORNING, 390, 460, 500, 700, 700)
AFTERNOON = SessionPlan(2, "下午", DayPart.AFTERNOON, 780, 830, 860, 1000, 1000)
EVENING = SessionPlan(3, "晚自习", DayPart.EVENING, 1080, 1110, 1130, 1260, 1260)
WEEK = range(1, 6)


def hours(
    id_: int = 1,
    starts_on: date = date(2023, 9, 1),
    *sessions: SessionPlan,
    weekdays: Iterable[int] = WEEK,
    ends_on: date | None = None,
    grades: Iterable[int] = (),
    homerooms: Iterable[int] = (),
    is_special: bool = False,
) -> Hours:
    """A timetable with the same sessions on these weekdays."""
    found = sessions or (MORNING, AFTERNOON)
    return Hours(
        id_,
        starts_on,
        ends_on,
        dict.fromkeys(weekdays, found),
        frozenset(grades),
        frozenset(homerooms),
        is_special,
    )


def at(hour: int, position: int = 1, part: DayPart = DayPart.MORNING) -> SessionPlan:
    """A session of three hours that is known by when it begins."""
    begins = hour * 60
    return SessionPlan(
        position, f"{hour}点", part, begins - 60, begins, begins + 30, begins + 180, begins + 180
    )


def by_weekday(id_: int = 1) -> Hours:
    """A timetable that tells its weekdays apart: Monday's begins at 7, Friday's at 11."""
    return Hours(id_, date(2023, 9, 1), None, {day: (at(6 + day),) for day in WEEK})


def calendar(*entries: Entry, timetables: Iterable[Hours] = ()) -> Calendar:
    """A school with that to say; boarders return on no day."""
    return Calendar(SCHOOL_YEAR, entries, tuple(timetables) or (by_weekday(),), boarders_weekday=0)

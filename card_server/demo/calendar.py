"""The demo's calendar: a year of proposals accepted, timetables, and today always a school day."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.plans import moment_of
from card_server.audit.writing import Actor
from card_server.calendar.entries import EntrySettings, say
from card_server.calendar.proposals import Choice, proposals_for, settle
from card_server.calendar.reading import list_entries
from card_server.calendar.sessions import SessionHours, change_hours
from card_server.calendar.state_days import StateKind
from card_server.calendar.timetables import TimetableSettings, add_timetable
from card_server.register.terms import school_year_of
from schema.tables.calendar import DayKind, DayPart, ForWhom, Timetable
from schema.tables.school import School, Term

NAME = "演示"
"""Stands on whatever is there for the demo alone."""
_BY = Actor("system", None, NAME, "")
_BOARDING_GRADE = 9
"""Whose boarders have evening study."""
_MORNING = SessionHours("上午", DayPart.MORNING, 390, 460, 500, 700, 740)
_AFTERNOON = SessionHours("下午", DayPart.AFTERNOON, 770, 820, 850, 1000, 1060)
_SUMMER_AFTERNOON = SessionHours("下午", DayPart.AFTERNOON, 810, 860, 890, 1040, 1080)
_EVENING = SessionHours(
    "晚自习", DayPart.EVENING, 1085, 1110, 1130, 1250, 1290, for_whom=ForWhom.BOARDERS
)
_FRIDAY = SessionHours("下午", DayPart.AFTERNOON, 770, 820, 850, 940, 1000)
_LAST_MINUTE = 24 * 60 - 1
_BEFORE_LATE = 90


def add_calendar(session: Session, school: School, year: int, today: date) -> None:
    """Winter and summer hours of a school year, and its state holidays and make-up days settled."""
    now = moment_of(today, 0, ZoneInfo(school.zone))
    _add_hours(session, school.id, "秋冬作息", date(year, 9, 1), _AFTERNOON, now)
    _add_hours(session, school.id, "夏季作息", date(year + 1, 5, 6), _SUMMER_AFTERNOON, now)
    for one in (year, year + 1):
        proposed = proposals_for(session, school.id, one)
        choices = [
            Choice(day.state.day, True, 5 if day.state.kind is StateKind.MAKE_UP else None)
            for day in proposed
        ]
        if choices:
            settle(session, _BY, school.id, choices, now)


def _add_hours(
    session: Session,
    school_id: int,
    name: str,
    starts_on: date,
    afternoon: SessionHours,
    now: datetime,
) -> None:
    for grades, evening in (((), ()), ((_BOARDING_GRADE,), (_EVENING,))):
        called = name + ("（初三）" if grades else "")
        wanted = TimetableSettings(called, starts_on, grades=grades)
        row = add_timetable(session, _BY, school_id, wanted, now)
        whole = [_MORNING, afternoon, *evening]
        change_hours(session, _BY, school_id, row.id, range(1, 5), whole, now)
        change_hours(session, _BY, school_id, row.id, [5], [_MORNING, _FRIDAY], now)


def open_today(session: Session, school: School, today: date, minute: int) -> None:
    """Make today a school day whose first session is still to come, whatever the date.

    `minute` is that of the day. A day that was opened before stays as it is.
    """
    _put_into_term(session, school, today)
    if not any(one.note == NAME for one in list_entries(session, school.id, today, today)):
        now = moment_of(today, minute, ZoneInfo(school.zone))
        play_today(session, school.id, today, min(minute + 60, _LAST_MINUTE), now)


def play_today(
    session: Session, school_id: int, today: date, late_after: int, now: datetime
) -> None:
    """Give today sessions of the demo's own: who comes after that minute of the day is late."""
    row = session.scalar(
        select(Timetable).where(
            Timetable.school_id == school_id,
            Timetable.name == NAME,
            Timetable.is_special,
            Timetable.ended_at.is_(None),
        )
    ) or add_timetable(
        session, _BY, school_id, TimetableSettings(NAME, today, is_special=True), now
    )
    change_hours(session, _BY, school_id, row.id, [1], _sessions_around(late_after), now)
    wanted = EntrySettings(today, today, DayKind.LESSONS, timetable_id=row.id, note=NAME)
    if not any(
        one.timetable_id == row.id for one in list_entries(session, school_id, today, today)
    ):
        say(session, _BY, school_id, wanted, now)


def _sessions_around(late_after: int) -> list[SessionHours]:
    """A session that begins then and, where the day is long enough for it, another one."""

    def at(minutes: int) -> int:
        return min(max(late_after + minutes, 0), _LAST_MINUTE)

    times = (at(-_BEFORE_LATE), at(0), at(30), at(120), at(120))
    first = SessionHours("上午", DayPart.MORNING, *times)
    if late_after + 300 > _LAST_MINUTE:
        return [first]
    times = (at(140), at(170), at(200), at(280), at(300))
    return [first, SessionHours("下午", DayPart.AFTERNOON, *times)]


def _put_into_term(session: Session, school: School, today: date) -> None:
    """A term for the demo in the holidays, until the next one begins."""
    terms = list(session.scalars(select(Term).where(Term.school_id == school.id)))
    if any(one.starts_on <= today <= one.ends_on for one in terms):
        return
    coming = [one.starts_on for one in terms if one.starts_on > today]
    last = min([today + timedelta(days=13), *(one - timedelta(days=1) for one in coming)])
    session.add(
        Term(
            school_id=school.id,
            school_year=school_year_of(terms, today),
            name=NAME,
            starts_on=today,
            ends_on=last,
        )
    )
    session.flush()

"""The plans of a school's days, from the tables, in a number of queries that does not grow."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.calendar.plan import (
    DAYS_AFTER,
    DAYS_BEFORE,
    Calendar,
    Entry,
    Hours,
    Room,
    TermDays,
    plan_day,
)
from card_server.calendar.rules import rules_for
from schema.tables.calendar import CalendarEntry, DayPart, Timetable, TimetableSession
from schema.tables.school import Homeroom, Term


def plans_for(
    session: Session, school_id: int, day: date, homeroom_ids: Collection[int]
) -> dict[int, DayPlan]:
    """What a day is for each of these homerooms, by what calendar and timetables say now.

    A homeroom that the session does not see is left out. What the day was when it began stands in
    `day_plan`.
    """
    return plans_between(session, school_id, day, day, homeroom_ids)[day]


def plans_between(
    session: Session, school_id: int, first: date, last: date, homeroom_ids: Collection[int]
) -> dict[date, dict[int, DayPlan]]:
    """The same for each day from the first to the last."""
    rooms = read_rooms(session, school_id, homeroom_ids)
    calendar = read_calendar(session, school_id, first, last)
    return {
        day: {room.id: plan_day(calendar, day, room) for room in rooms}
        for day in days_between(first, last)
    }


def days_between(first: date, last: date) -> list[date]:
    """Every day from the first to the last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def read_rooms(session: Session, school_id: int, homeroom_ids: Collection[int]) -> list[Room]:
    """Homerooms with their grades, by id."""
    wanted = (
        select(Homeroom.id, Homeroom.grade)
        .where(Homeroom.school_id == school_id, Homeroom.id.in_(homeroom_ids))
        .order_by(Homeroom.id)
    )
    return [Room(id_, grade) for id_, grade in session.execute(wanted)]


def read_calendar(session: Session, school_id: int, first: date, last: date) -> Calendar:
    """All that the days from the first to the last depend on, in five queries."""
    rules = rules_for(session, school_id)
    first, last = first - DAYS_BEFORE, last + DAYS_AFTER
    terms = select(Term.starts_on, Term.ends_on).where(
        Term.school_id == school_id, Term.ends_on >= first, Term.starts_on <= last
    )
    entries = list_entries(session, school_id, first, last)
    return Calendar(
        terms=[TermDays(starts_on, ends_on) for starts_on, ends_on in session.execute(terms)],
        entries=[as_entry(one) for one in entries],
        timetables=_read_timetables(session, school_id, first, last, entries),
        closes=rules.closes,
        boarders_weekday=rules.boarders_weekday,
        boarders_by=rules.boarders_by,
    )


def list_entries(session: Session, school_id: int, first: date, last: date) -> list[CalendarEntry]:
    """The calendar's entries in force, by day; of one day the oldest first."""
    wanted = (
        select(CalendarEntry)
        .where(
            CalendarEntry.school_id == school_id,
            CalendarEntry.day.between(first, last),
            CalendarEntry.ended_at.is_(None),
        )
        .order_by(CalendarEntry.day, CalendarEntry.id)
    )
    return list(session.scalars(wanted))


def list_said(session: Session, school_id: int, day: date) -> list[CalendarEntry]:
    """All that was ever said of a day, the oldest first; what is ended has an `ended_at`."""
    wanted = (
        select(CalendarEntry)
        .where(CalendarEntry.school_id == school_id, CalendarEntry.day == day)
        .order_by(CalendarEntry.id)
    )
    return list(session.scalars(wanted))


def as_entry(row: CalendarEntry) -> Entry:
    """An entry as the rules want it."""
    return Entry(
        id=row.id,
        day=row.day,
        kind=row.kind,
        grades=numbers_of(row.grades),
        weekday=row.weekday,
        parts=frozenset(map(DayPart, row.parts.split())),
        timetable_id=row.timetable_id,
        note=row.note,
    )


def numbers_of(written: str) -> frozenset[int]:
    """Grades or ids that a column holds apart by spaces."""
    return frozenset(map(int, written.split()))


def as_hours(row: Timetable, sessions: Iterable[TimetableSession]) -> Hours:
    """A timetable as the rules want it; the sessions are its own, by weekday and position."""
    by_weekday = groupby(sessions, key=lambda one: one.weekday)
    return Hours(
        id=row.id,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        sessions={weekday: tuple(map(_as_session, found)) for weekday, found in by_weekday},
        grades=numbers_of(row.grades),
        homerooms=numbers_of(row.homerooms),
        is_special=row.is_special,
    )


def read_sessions(
    session: Session, timetable_ids: Collection[int]
) -> dict[int, list[TimetableSession]]:
    """The sessions of timetables, by weekday and position."""
    wanted = (
        select(TimetableSession)
        .where(TimetableSession.timetable_id.in_(timetable_ids))
        .order_by(
            TimetableSession.timetable_id, TimetableSession.weekday, TimetableSession.position
        )
    )
    found: dict[int, list[TimetableSession]] = {one: [] for one in timetable_ids}
    for one in session.scalars(wanted):
        found[one.timetable_id].append(one)
    return found


def _read_timetables(
    session: Session, school_id: int, first: date, last: date, entries: Sequence[CalendarEntry]
) -> list[Hours]:
    """Those that may be in force then, and the special ones that the entries name."""
    named = {one.timetable_id for one in entries if one.timetable_id is not None}
    is_in_force = (
        Timetable.ended_at.is_(None)
        & Timetable.is_special.is_(False)
        & (Timetable.starts_on <= last)
        & (Timetable.ends_on.is_(None) | (Timetable.ends_on >= first))
    )
    wanted = select(Timetable).where(
        Timetable.school_id == school_id, or_(is_in_force, Timetable.id.in_(named))
    )
    rows = list(session.scalars(wanted))
    sessions = read_sessions(session, [one.id for one in rows])
    return [as_hours(one, sessions[one.id]) for one in rows]


def _as_session(row: TimetableSession) -> SessionPlan:
    return SessionPlan(
        position=row.position,
        name=row.name,
        part=row.part,
        arrive_from=row.arrive_from,
        late_after=row.late_after,
        absent_after=row.absent_after,
        leave_from=row.leave_from,
        ends=row.ends,
        expects_entry=row.expects_entry,
        expects_exit=row.expects_exit,
        for_whom=row.for_whom,
    )

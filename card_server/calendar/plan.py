"""What a day is for a homeroom: calendar and timetables in, the day's plan out, nothing asked."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from msgspec import Struct
from msgspec.structs import replace

from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.calendar.state_days import is_known, state_day
from schema.tables.calendar import DayKind, DayPart

BOARDERS_NAME = "返校"
BOARDERS_POSITION = 90
"""After every session of a timetable."""
_BOARDERS_GRACE = 30
_LAST_MINUTE = 24 * 60 - 1
_SATURDAY = 6
_DAY = timedelta(days=1)
DAYS_BEFORE = timedelta(days=6)
DAYS_AFTER = _DAY
"""How far the days reach that decide about one day, by the boarders' return."""


class Room(Struct, frozen=True):
    """A homeroom, as far as its days depend on it."""

    id: int
    grade: int


class TermDays(Struct, frozen=True):
    """From when until when a term is, its last day included."""

    starts_on: date
    ends_on: date


class Entry(Struct, frozen=True):
    """What the school says of one day (`schema.tables.calendar.CalendarEntry`)."""

    id: int
    """A newer entry has a greater one."""
    day: date
    kind: DayKind
    grades: frozenset[int] = frozenset()
    """Empty for the whole school."""
    weekday: int | None = None
    parts: frozenset[DayPart] = frozenset()
    """Empty for all of the day."""
    timetable_id: int | None = None
    note: str = ""


class Hours(Struct, frozen=True):
    """A timetable: its days, for whom it is, and each weekday's sessions."""

    id: int
    starts_on: date
    ends_on: date | None
    sessions: Mapping[int, tuple[SessionPlan, ...]]
    """By weekday, 1 for Monday to 7 for Sunday; in the order of the day."""
    grades: frozenset[int] = frozenset()
    homerooms: frozenset[int] = frozenset()
    is_special: bool = False


class Calendar(Struct, frozen=True):
    """All that a school's days depend on; the order of the sequences means nothing."""

    terms: Sequence[TermDays]
    entries: Sequence[Entry]
    """Those in force, of the days asked for, `DAYS_BEFORE` them and `DAYS_AFTER` them."""
    timetables: Sequence[Hours]
    closes: int = 22 * 60
    boarders_weekday: int = 7
    boarders_by: int = 18 * 60 + 30


def plan_day(calendar: Calendar, day: date, room: Room) -> DayPlan:
    """What the day is for a homeroom; every day of every homeroom has exactly one plan.

    Outside of a term it is closed. In one, the newest entry that fits decides, one that names the
    grade before one for the whole school; without an entry the weekday does, and the plan is
    unsure where the state's calendar says otherwise or does not reach so far.
    """
    plan = _plan_of_lessons(calendar, day, room)
    if _is_boarders_day(calendar, day, room):
        return replace(plan, sessions=(*plan.sessions, _boarders_return(calendar)))
    return plan


def entry_for(entries: Iterable[Entry], day: date, grade: int) -> Entry | None:
    """The entry that decides about a grade's day."""
    fitting = [one for one in entries if one.day == day and (not one.grades or grade in one.grades)]
    return max(fitting, key=lambda one: (bool(one.grades), one.id), default=None)


def timetable_for(timetables: Iterable[Hours], day: date, room: Room) -> Hours | None:
    """The timetable that is in force for a homeroom on a day that names none."""
    in_force = [
        one
        for one in timetables
        if not one.is_special
        and one.starts_on <= day
        and (one.ends_on is None or day <= one.ends_on)
    ]
    for fitting in (
        [one for one in in_force if room.id in one.homerooms],
        [one for one in in_force if not one.homerooms and room.grade in one.grades],
        [one for one in in_force if not one.homerooms and not one.grades],
    ):
        if fitting:
            return max(fitting, key=lambda one: (one.starts_on, one.id))
    return None


def sessions_on(hours: Hours, weekday: int) -> tuple[SessionPlan, ...]:
    """A timetable's sessions on a weekday.

    A special one that has hours for one weekday alone holds on whichever day names it.
    """
    if hours.is_special and len(hours.sessions) == 1:
        return next(iter(hours.sessions.values()))
    return hours.sessions.get(weekday, ())


def _plan_of_lessons(calendar: Calendar, day: date, room: Room) -> DayPlan:
    """The day without the boarders' return."""
    if not any(one.starts_on <= day <= one.ends_on for one in calendar.terms):
        return DayPlan(DayKind.CLOSED, closes=calendar.closes)
    entry = entry_for(calendar.entries, day, room.grade)
    if entry is None:
        return _by_weekday(calendar, day, room)
    if entry.kind is DayKind.CLOSED:
        return DayPlan(entry.kind, note=entry.note, closes=calendar.closes)
    hours = (
        timetable_for(calendar.timetables, day, room)
        if entry.timetable_id is None
        else next((one for one in calendar.timetables if one.id == entry.timetable_id), None)
    )
    sessions = sessions_on(hours, entry.weekday or day.isoweekday()) if hours else ()
    kept = tuple(one for one in sessions if not entry.parts or one.part in entry.parts)
    return DayPlan(entry.kind, kept, entry.note, calendar.closes)


def _by_weekday(calendar: Calendar, day: date, room: Room) -> DayPlan:
    """Monday to Friday lessons, else closed; the state's calendar only says how sure that is."""
    proposed = state_day(day)
    is_open = day.isoweekday() < _SATURDAY
    hours = timetable_for(calendar.timetables, day, room) if is_open else None
    return DayPlan(
        DayKind.LESSONS if is_open else DayKind.CLOSED,
        sessions_on(hours, day.isoweekday()) if hours else (),
        proposed.name if proposed else "",
        calendar.closes,
        is_unsure=proposed is not None or not is_known(day),
    )


def _is_boarders_day(calendar: Calendar, day: date, room: Room) -> bool:
    """Whether boarders are back by this evening; nobody returns for a day without lessons.

    Who returns at the weekend returns on the last day of any run of days without lessons: on
    Sunday as a rule, on the last of a holiday, on the day before a term. A school that has its
    boarders back on Monday, or later in the week, has them back on the first day with lessons from
    that weekday on.
    """
    if not calendar.boarders_weekday or not _has_lessons(calendar, day + _DAY, room):
        return False
    if calendar.boarders_weekday >= _SATURDAY:
        return not _has_lessons(calendar, day, room)
    since = (day.isoweekday() - calendar.boarders_weekday) % 7
    return _has_lessons(calendar, day, room) and not any(
        _has_lessons(calendar, day - n * _DAY, room) for n in range(1, since + 1)
    )


def _has_lessons(calendar: Calendar, day: date, room: Room) -> bool:
    """Not where there is evening study alone: boarders come for it on the same day."""
    plan = _plan_of_lessons(calendar, day, room)
    if plan.kind is DayKind.CLOSED:
        return False
    return not plan.sessions or any(one.part is not DayPart.EVENING for one in plan.sessions)


def _boarders_return(calendar: Calendar) -> SessionPlan:
    return SessionPlan(
        position=BOARDERS_POSITION,
        name=BOARDERS_NAME,
        part=DayPart.EVENING,
        arrive_from=0,
        late_after=calendar.boarders_by,
        absent_after=min(calendar.boarders_by + _BOARDERS_GRACE, _LAST_MINUTE),
        leave_from=24 * 60,
        ends=24 * 60,
        is_return=True,
    )

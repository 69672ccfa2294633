"""A homeroom's month as a grid (班级月考勤): students by days, with totals of both."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from operator import attrgetter

from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, SessionResult
from card_server.attendance.rows import left_early
from card_server.reports.day_plans import is_school_day, plans_of_days
from card_server.reports.homeroom_members import read_members
from card_server.reports.kept_days import read_results
from card_server.reports.sheet_rooms import SheetRoom, find_room, read_rooms
from card_server.staff.sessions import SchoolInUse
from schema.tables.attendance import SessionStatus
from schema.tables.calendar import DayKind
from schema.tables.leave import LeaveKind


@dataclass(frozen=True)
class Totals:
    """Numbers of a student's days, in sessions; or of a homeroom's day, in students."""

    late: int = 0
    left_early: int = 0
    absent: int = 0
    sick: int = 0
    personal: int = 0
    official: int = 0

    @property
    def on_leave(self) -> int:
        """All kinds of leave together."""
        return self.sick + self.personal + self.official


NOTHING = Totals()
_FIGURES = [attrgetter(one.name) for one in fields(Totals)]


@dataclass(frozen=True)
class MonthDay:
    """One day of the grid."""

    day: date
    plan: DayPlan
    totals: Totals
    """How many students had at least one such session."""

    @property
    def is_closed(self) -> bool:
        """Whether the school is closed, to day students at least."""
        is_for_boarders = bool(self.plan.sessions) and not is_school_day(self.plan)
        return self.plan.kind is DayKind.CLOSED or is_for_boarders

    @property
    def name(self) -> str:
        """What the day is called, where it is closed and has a name: a weekend has none."""
        return self.plan.note if self.is_closed or self.plan.kind is not DayKind.LESSONS else ""


@dataclass(frozen=True)
class MonthLine:
    """One student of the grid."""

    student_id: int
    number: str
    name: str
    pinyin: str
    days: Mapping[date, tuple[SessionResult, ...]]
    """Each day that something is known of."""
    elsewhere: frozenset[date]
    """Days on which the student was not of this homeroom."""
    totals: Totals
    """In sessions."""


@dataclass(frozen=True)
class HomeroomMonth:
    """A homeroom's month."""

    rooms: list[SheetRoom]
    """Those within reach, to choose from."""
    room: SheetRoom
    month: date
    """Its first day."""
    days: list[MonthDay]
    lines: list[MonthLine]

    @property
    def totals(self) -> Totals:
        """Of all students, in sessions."""
        return add_up(line.totals for line in self.lines)


def read_homeroom_month(
    session: Session, school: SchoolInUse, homeroom_id: int, month: date, words: str = ""
) -> HomeroomMonth:
    """The month that a day is in, in five queries, or ten where a day is not kept.

    With words only students who answer to them. Raises AppError(NOT_FOUND).
    """
    rooms = read_rooms(session, school.id, homeroom_id)
    room = find_room(rooms, homeroom_id)
    days = days_of_month(month)
    plans = plans_of_days(session, school.id, room, days)
    members = read_members(session, school, homeroom_id, days, words)
    kept = read_results(session, school.id, [one.id for one in members], days)
    lines = []
    for one in members:
        judged = {day: results for day, results in kept.get(one.id, {}).items() if day in one.days}
        totals = add_up(map(count_sessions, judged.values()))
        lines.append(
            MonthLine(
                one.id, one.number, one.name, one.pinyin, judged, frozenset(days) - one.days, totals
            )
        )
    return HomeroomMonth(
        rooms,
        room,
        days[0],
        [_month_day(day, plans[day], lines) for day in days],
        lines,
    )


def days_of_month(month: date) -> list[date]:
    """Every day of the month that a day is in."""
    return [month.replace(day=n) for n in range(1, monthrange(month.year, month.month)[1] + 1)]


def _month_day(day: date, plan: DayPlan, lines: Iterable[MonthLine]) -> MonthDay:
    each = (count_sessions(line.days[day]) for line in lines if day in line.days)
    return MonthDay(day, plan, add_up(map(_once, each)))


@lru_cache(maxsize=4_096)
def count_sessions(results: tuple[SessionResult, ...]) -> Totals:
    """How many of these sessions are what."""
    counted: Counter[str] = Counter()
    for one in results:
        counted["late"] += one.status is SessionStatus.LATE
        counted["left_early"] += left_early(one)
        counted["absent"] += one.status is SessionStatus.ABSENT
        if one.status is SessionStatus.ON_LEAVE:
            counted[one.leave_kind or LeaveKind.PERSONAL] += 1
    return Totals(**counted) if counted.total() else NOTHING


@lru_cache(maxsize=4_096)
def _once(totals: Totals) -> Totals:
    """The same, but a student counts once for each kind of thing."""
    if totals is NOTHING:
        return NOTHING
    return Totals(
        min(1, totals.late),
        min(1, totals.left_early),
        min(1, totals.absent),
        min(1, totals.sick),
        min(1, totals.personal),
        min(1, totals.official),
    )


def add_up(several: Iterable[Totals]) -> Totals:
    """All of these together."""
    counted = [one for one in several if one is not NOTHING]
    return Totals(*(sum(map(figure, counted)) for figure in _FIGURES)) if counted else NOTHING

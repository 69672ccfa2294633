"""A student's term (学生学期考勤): each day, each tap and who said what, and what it comes to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Result, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan, Finding, SessionResult
from card_server.attendance.hand_passages import PassageLine, list_passages
from card_server.attendance.rows import THERE
from card_server.errors import AppError, Code
from card_server.leave.lists import SlipLine, slips_of_student
from card_server.register.terms import list_terms, term_of
from card_server.reports.day_plans import is_school_day, kept_plans
from card_server.reports.homeroom_month import Totals, add_up, count_sessions
from card_server.reports.kept_days import NOTHING_KEPT, KeptDay, read_days
from card_server.school_time import bounds_of, day_of
from card_server.staff.sessions import SchoolInUse
from schema.messages import Decision, Refusal
from schema.tables.attendance import Correction, SessionStatus
from schema.tables.people import Student
from schema.tables.readers import Direction, Reader
from schema.tables.school import Homeroom, Term
from schema.tables.taps import DirectionBy, Effect, Tap

_MOST_PASSAGES = 1_000


class TermTap(NamedTuple):
    """One tap, its reader, and how its direction was decided."""

    occurred_at: datetime
    reader: str
    place: str
    clock_suspect: bool
    decision: Decision
    reason: Refusal | None
    direction: Direction | None
    direction_by: DirectionBy | None
    effect: Effect


@dataclass(frozen=True)
class TermDay:
    """One day of the term until today."""

    day: date
    plan: DayPlan | None
    """What the day was; None where it was not kept."""
    arrived_at: datetime | None
    departed_at: datetime | None
    late_minutes: int
    early_minutes: int
    results: tuple[SessionResult, ...]
    findings: tuple[Finding, ...]
    taps: Sequence[TermTap]
    passages: Sequence[PassageLine]
    """What guards wrote down, also what was taken back."""
    corrections: Sequence[Correction]
    """All that was ever said of the day, the newest first."""

    @property
    def is_worth_a_line(self) -> bool:
        """Whether anything is known of it, or anything was expected."""
        known = self.results, self.arrived_at, self.taps, self.passages, self.corrections
        return is_school_day(self.plan) or any(known)


@dataclass(frozen=True)
class TermMonth:
    """The figures of one month of the term, in sessions but for the days."""

    first: date
    days: int
    """Days on which day students were expected."""
    present: int
    not_judged: int
    totals: Totals


@dataclass(frozen=True)
class StudentTerm:
    """A student's term; without one the school has none yet."""

    student_id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    terms: list[Term]
    term: Term | None
    days: list[TermDay]
    slips: list[SlipLine]
    months: list[TermMonth]

    @property
    def total(self) -> TermMonth:
        """All months together."""
        return TermMonth(
            self.months[0].first if self.months else date.min,
            sum(one.days for one in self.months),
            sum(one.present for one in self.months),
            sum(one.not_judged for one in self.months),
            add_up(one.totals for one in self.months),
        )


def read_student_term(
    session: Session, school: SchoolInUse, student_id: int, term_id: int | None, today: date
) -> StudentTerm:
    """The term in eight queries; the one of today, or else the last that began, if none is named.

    Raises AppError(NOT_FOUND) for a student or a term that is not there.
    """
    row = session.execute(
        select(Student.name, Student.number, Student.homeroom_id, Homeroom.name)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.school_id == school.id, Student.id == student_id)
    ).one_or_none()
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
    name, number, homeroom_id, homeroom = row
    terms = list_terms(session, school.id)
    term = _choose_term(terms, term_id, today)
    days: list[TermDay] = []
    slips: list[SlipLine] = []
    if term is not None and term.starts_on <= today:
        last = min(term.ends_on, today)
        days = _read_term_days(session, school, student_id, homeroom_id, term.starts_on, last)
        slips = _read_slips(session, school, student_id, term)
    return StudentTerm(
        student_id,
        name,
        number,
        homeroom_id,
        homeroom,
        terms,
        term,
        days,
        slips,
        _count_months(days),
    )


def _choose_term(terms: Sequence[Term], term_id: int | None, today: date) -> Term | None:
    if term_id is not None:
        found = next((one for one in terms if one.id == term_id), None)
        if found is None:
            raise AppError(Code.NOT_FOUND, "There is no such term.")
        return found
    begun = [one for one in terms if one.starts_on <= today]
    return term_of(terms, today) or (begun[0] if begun else next(iter(terms), None))


def _read_slips(
    session: Session, school: SchoolInUse, student_id: int, term: Term
) -> list[SlipLine]:
    begin, _ = bounds_of(term.starts_on, school.zone)
    _, end = bounds_of(term.ends_on, school.zone)
    found = slips_of_student(session, school.id, student_id)
    return [one for one in found if one.from_at < end and one.until_at > begin]


def _read_term_days(
    session: Session,
    school: SchoolInUse,
    student_id: int,
    homeroom_id: int,
    first: date,
    last: date,
) -> list[TermDay]:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    begin, end = bounds_of(first, school.zone)[0], bounds_of(last, school.zone)[1]
    found = read_days(session, school.id, [student_id], days)
    kept = {day: one for (_, day), one in found.items()}
    plans = _read_plans(session, school.id, homeroom_id, kept, days)
    taps = _by_day(_read_taps(session, school.id, student_id, begin, end), school, "occurred_at")
    passed = list_passages(session, school.id, begin, _MOST_PASSAGES, student_id, end)
    passages = _by_day(passed, school, "at")
    said = _read_corrections(session, school.id, student_id, first, last)
    return [
        _term_day(
            day,
            plans.get(day),
            kept.get(day, NOTHING_KEPT),
            taps.get(day, ()),
            passages.get(day, ()),
            said.get(day, ()),
        )
        for day in days
    ]


def _term_day(
    day: date,
    plan: DayPlan | None,
    kept: KeptDay,
    taps: Sequence[TermTap],
    passages: Sequence[PassageLine],
    corrections: Sequence[Correction],
) -> TermDay:
    return TermDay(
        day,
        plan,
        kept.arrived_at,
        kept.departed_at,
        kept.late_minutes,
        kept.early_minutes,
        kept.results,
        kept.findings,
        taps,
        passages,
        corrections,
    )


def _read_plans(
    session: Session,
    school_id: int,
    homeroom_id: int,
    kept: dict[date, KeptDay],
    days: list[date],
) -> dict[date, DayPlan]:
    """What each day was for the homeroom of that day; for that of today where nothing is known."""
    room_of = {day: one.homeroom_id for day, one in kept.items()}
    found = kept_plans(session, school_id, {homeroom_id, *room_of.values()}, days)
    return {
        day: plan for (day, room), plan in found.items() if room == room_of.get(day, homeroom_id)
    }


def _read_taps(
    session: Session, school_id: int, student_id: int, begin: datetime, end: datetime
) -> list[TermTap]:
    found: Result[*tuple[Any, ...]] = session.execute(
        select(
            Tap.occurred_at,
            Reader.name,
            Reader.place,
            Tap.clock_suspect,
            Tap.decision,
            Tap.reason,
            Tap.direction,
            Tap.direction_by,
            Tap.effect,
        )
        .join(Reader, Reader.id == Tap.reader_id)
        .where(
            Tap.school_id == school_id,
            Tap.student_id == student_id,
            Tap.occurred_at >= begin,
            Tap.occurred_at < end,
        )
        .order_by(Tap.occurred_at, Tap.id)
    )
    return [TermTap(*row) for row in found]


def _read_corrections(
    session: Session, school_id: int, student_id: int, first: date, last: date
) -> defaultdict[date, list[Correction]]:
    found = session.scalars(
        select(Correction)
        .where(
            Correction.school_id == school_id,
            Correction.student_id == student_id,
            Correction.day.between(first, last),
        )
        .order_by(Correction.id.desc())
    )
    said: defaultdict[date, list[Correction]] = defaultdict(list)
    for one in found:
        said[one.day].append(one)
    return said


def _by_day(
    several: Sequence[Any], school: SchoolInUse, moment: str
) -> defaultdict[date, list[Any]]:
    days: defaultdict[date, list[Any]] = defaultdict(list)
    for one in several:
        days[day_of(getattr(one, moment), school.zone)].append(one)
    return days


def _count_months(days: list[TermDay]) -> list[TermMonth]:
    by_month = groupby(days, key=lambda one: one.day.replace(day=1))
    return [_count_month(first, list(found)) for first, found in by_month]


def _count_month(first: date, days: list[TermDay]) -> TermMonth:
    results = [result for one in days for result in one.results]
    statuses = [one.status for one in results]
    return TermMonth(
        first,
        sum(is_school_day(one.plan) for one in days),
        sum(status in THERE for status in statuses),
        statuses.count(SessionStatus.NOT_JUDGED),
        add_up(count_sessions(one.results) for one in days),
    )

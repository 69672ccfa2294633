"""A student's term (学生学期考勤): each day, each tap and who said what, and what it comes to."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Result, select, union_all
from sqlalchemy.orm import Session

from card_server.attendance.day_notes import list_day_notes
from card_server.attendance.facts import DayPlan, Finding, SessionResult
from card_server.attendance.hand_passages import PassageLine, list_passages
from card_server.attendance.rows import THERE
from card_server.errors import AppError, Code
from card_server.leave.lists import SlipLine, slips_of_student
from card_server.people.students import name_student
from card_server.register.terms import list_terms, term_of
from card_server.reports.day_plans import is_school_day, kept_plans
from card_server.reports.homeroom_month import Totals, add_up, count_sessions
from card_server.reports.kept_days import NOTHING_KEPT, KeptDay, read_days
from card_server.school_time import bounds_of, day_of
from card_server.staff.sessions import SchoolInUse
from schema.messages import Decision, Refusal
from schema.tables.attendance import Correction, DayNote, HandPassage, SessionStatus
from schema.tables.readers import Direction, Reader
from schema.tables.school import Term
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


class Seen(NamedTuple):
    """Where a student was seen on one day."""

    taps: Sequence[TermTap] = ()
    passages: Sequence[PassageLine] = ()
    """What guards wrote down, also what was taken back."""


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
    times_seen: int
    """How often the student tapped, or was written down by a guard; `read_seen` tells where."""
    corrections: Sequence[Correction]
    """All that was ever said of the day, the newest first."""
    notes: Sequence[DayNote]
    """All that was ever noted of it, the newest first."""

    @property
    def is_worth_a_line(self) -> bool:
        """Whether anything is known of it, or anything was expected."""
        known = self.results, self.arrived_at, self.times_seen, self.corrections, self.notes
        return is_school_day(self.plan) or any(known)


@dataclass(frozen=True)
class Figures:
    """What days come to, in sessions but for the school days."""

    school_days: int
    """Days on which day students were expected."""
    present: int
    not_judged: int
    totals: Totals


@dataclass(frozen=True)
class TermMonth:
    """As much of a month as lies in the term, until today; at least a day."""

    days: list[TermDay]
    figures: Figures

    @property
    def first(self) -> date:
        """Its first day."""
        return self.days[0].day

    @property
    def last(self) -> date:
        """Its last day."""
        return self.days[-1].day


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
    months: list[TermMonth]
    """In their order; none before the term has begun."""
    slips: list[SlipLine]

    @property
    def days(self) -> list[TermDay]:
        """Of all months."""
        return [day for month in self.months for day in month.days]

    @property
    def total(self) -> Figures:
        """All months together."""
        figures = [one.figures for one in self.months]
        return Figures(
            sum(one.school_days for one in figures),
            sum(one.present for one in figures),
            sum(one.not_judged for one in figures),
            add_up(one.totals for one in figures),
        )


def read_student_term(
    session: Session,
    school: SchoolInUse,
    student_id: int,
    term_id: int | None,
    day: date,
    today: date,
) -> StudentTerm:
    """The term until today, in eight queries; if none is named that of a day.

    In the holidays that is the last one that had begun, before all terms the first one to come.
    Raises AppError(NOT_FOUND) for a student or a term that is not there.
    """
    name, number, homeroom_id, homeroom = name_student(session, school.id, student_id)
    terms = list_terms(session, school.id)
    term = _choose_term(terms, term_id, day)
    months: list[TermMonth] = []
    slips: list[SlipLine] = []
    if term is not None and term.starts_on <= today:
        ours = _Span(session, school, student_id, term.starts_on, min(term.ends_on, today))
        months = _split(_read_days(ours, homeroom_id))
        slips = _read_slips(session, school, student_id, term)
    return StudentTerm(student_id, name, number, homeroom_id, homeroom, terms, term, months, slips)


def read_student_days(
    session: Session, school: SchoolInUse, student_id: int, first: date, last: date
) -> list[TermDay]:
    """Some days of a student, in six queries. Raises AppError(NOT_FOUND)."""
    homeroom_id = name_student(session, school.id, student_id).homeroom_id
    return _read_days(_Span(session, school, student_id, first, last), homeroom_id)


def read_seen(
    session: Session, school: SchoolInUse, student_id: int, first: date, last: date
) -> defaultdict[date, Seen]:
    """Where the student was seen, by day, in three queries; nowhere on a day that is not in it.

    Raises AppError(NOT_FOUND) without such a student.
    """
    name_student(session, school.id, student_id)
    ours = _Span(session, school, student_id, first, last)
    begin, end = ours.bounds
    taps = _by_day(_read_taps(ours), school, "occurred_at")
    written = list_passages(session, school.id, begin, _MOST_PASSAGES, student_id, end)
    passages = _by_day(written, school, "at")
    found = {day: Seen(taps[day], passages[day]) for day in {*taps, *passages}}
    return defaultdict(Seen, found)


def _choose_term(terms: Sequence[Term], term_id: int | None, day: date) -> Term | None:
    if term_id is not None:
        found = next((one for one in terms if one.id == term_id), None)
        if found is None:
            raise AppError(Code.NOT_FOUND, "There is no such term.")
        return found
    begun = [one for one in terms if one.starts_on <= day]
    return term_of(terms, day) or next(iter(begun or terms[-1:]), None)


def _read_slips(
    session: Session, school: SchoolInUse, student_id: int, term: Term
) -> list[SlipLine]:
    begin, _ = bounds_of(term.starts_on, school.zone)
    _, end = bounds_of(term.ends_on, school.zone)
    found = slips_of_student(session, school.id, student_id)
    return [one for one in found if one.from_at < end and one.until_at > begin]


class _Span(NamedTuple):
    """Of whom and of which days something is read."""

    session: Session
    school: SchoolInUse
    student_id: int
    first: date
    last: date

    @property
    def days(self) -> list[date]:
        length = (self.last - self.first).days
        return [self.first + timedelta(days=n) for n in range(length + 1)]

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Its first moment, and the first after it."""
        zone = self.school.zone
        return bounds_of(self.first, zone)[0], bounds_of(self.last, zone)[1]


def _read_days(of: _Span, homeroom_id: int) -> list[TermDay]:
    days = of.days
    found = read_days(of.session, of.school.id, [of.student_id], days)
    kept = {day: one for (_, day), one in found.items()}
    plans = _read_plans(of.session, of.school.id, homeroom_id, kept, days)
    times_seen = _count_seen(of)
    said = _read_corrections(of)
    noted = list_day_notes(of.session, of.school.id, [of.student_id], of.first, of.last)
    return [
        TermDay(
            day,
            plans.get(day),
            *one[1:],
            times_seen[day],
            said.get(day, ()),
            noted.get((of.student_id, day), ()),
        )
        for day, one in ((day, kept.get(day, NOTHING_KEPT)) for day in days)
    ]


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


def _count_seen(of: _Span) -> Counter[date]:
    """How often the student was seen on each day; one query for the moments alone."""
    begin, end = of.bounds
    moments = union_all(
        *(
            select(at).where(
                table.school_id == of.school.id,
                table.student_id == of.student_id,
                at >= begin,
                at < end,
            )
            for table, at in ((Tap, Tap.occurred_at), (HandPassage, HandPassage.at))
        )
    )
    return Counter(day_of(one, of.school.zone) for one in of.session.scalars(moments))


def _read_taps(of: _Span) -> list[TermTap]:
    begin, end = of.bounds
    found: Result[*tuple[Any, ...]] = of.session.execute(
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
            Tap.school_id == of.school.id,
            Tap.student_id == of.student_id,
            Tap.occurred_at >= begin,
            Tap.occurred_at < end,
        )
        .order_by(Tap.occurred_at, Tap.id)
    )
    return [TermTap(*row) for row in found]


def _read_corrections(of: _Span) -> defaultdict[date, list[Correction]]:
    found = of.session.scalars(
        select(Correction)
        .where(
            Correction.school_id == of.school.id,
            Correction.student_id == of.student_id,
            Correction.day.between(of.first, of.last),
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


def _split(days: list[TermDay]) -> list[TermMonth]:
    by_month = groupby(days, key=lambda one: one.day.replace(day=1))
    months = (list(found) for _, found in by_month)
    return [TermMonth(each, _add_up_days(each)) for each in months]


def _add_up_days(days: list[TermDay]) -> Figures:
    results = [result for one in days for result in one.results]
    statuses = [one.status for one in results]
    return Figures(
        sum(is_school_day(one.plan) for one in days),
        sum(status in THERE for status in statuses),
        statuses.count(SessionStatus.NOT_JUDGED),
        add_up(count_sessions(one.results) for one in days),
    )

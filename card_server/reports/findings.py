"""What is odd about students' days and cards (异常), each thing with a key of its own."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Result, Select, func, literal_column, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import Finding
from card_server.people.student_search import matches
from card_server.reports.always_late import read_always_late
from card_server.reports.odd_days import is_odd_between
from card_server.school_time import bounds_of, day_of
from card_server.storage.among import is_among
from schema.messages import Refusal
from schema.tables.attendance import Attendance
from schema.tables.findings import FindingLook, PairKind, TapPair
from schema.tables.people import Student
from schema.tables.readers import Reader
from schema.tables.school import Homeroom
from schema.tables.taps import REFUSED, Tap

AGAIN: Final = 3
"""So many times a refused card was held to readers before it is worth a line."""


class OddKind(StrEnum):
    """What kind of thing is odd."""

    MISSED_ENTRY = "missed_entry"
    MISSED_EXIT = "missed_exit"
    FORGOTTEN_EXIT = "forgotten_exit"
    LEFT_AND_BACK = "left_and_back"
    CLOCK_SUSPECT = "clock_suspect"
    UNEXPECTED = "unexpected"
    """These are a day's own findings."""
    TRAVEL = "travel"
    TWO_CARDS = "two_cards"
    ALWAYS_LATE = "always_late"
    REFUSED_AGAIN = "refused_again"


OF_DAYS: Final = frozenset(OddKind(one.value) for one in Finding)
_OF_PAIRS: Final = frozenset(OddKind(one.value) for one in PairKind)


@dataclass(frozen=True)
class Odd:
    """One odd thing; which of the numbers it has depends on its kind."""

    key: str
    kind: OddKind
    day: date
    student_id: int | None
    """None for a card that is nobody's."""
    name: str
    number: str
    homeroom: str
    at: datetime | None = None
    seconds: int | None = None
    """Between two taps."""
    times: int | None = None
    """How often: late within ten school days, or refused."""
    minutes: int | None = None
    """How late usually."""
    readers: str = ""
    uid: str = ""
    reason: Refusal | None = None
    looked_by: str = ""
    looked_at: datetime | None = None


@dataclass(frozen=True)
class Asked:
    """Which odd things."""

    first: date
    last: date
    kind: OddKind | None = None
    grade: int | None = None
    homeroom_id: int | None = None
    """The homeroom of today."""
    words: str = ""
    is_looked_at: bool = False
    """Those that somebody has looked at, instead of those that nobody has."""


def read_findings(session: Session, school_id: int, zone: ZoneInfo, asked: Asked) -> list[Odd]:
    """The newest first, in at most eight queries."""
    found = [
        *_read_days(session, school_id, asked),
        *_read_pairs(session, school_id, zone, asked),
        *_read_late(session, school_id, asked),
        *_read_refused(session, school_id, zone, asked),
    ]
    looks = _read_looks(session, school_id, zone, asked.first)
    known = [_with_look(one, looks) for one in found]
    wanted = [one for one in known if (one.looked_at is not None) == asked.is_looked_at]
    wanted.sort(key=lambda one: (one.number, one.kind))
    wanted.sort(key=lambda one: one.day, reverse=True)
    return wanted


def _is_wanted(asked: Asked, kinds: Collection[OddKind]) -> bool:
    return asked.kind is None or asked.kind in kinds


def _narrowed(wanted: Select[*tuple[Any, ...]], asked: Asked) -> Select[*tuple[Any, ...]]:
    if asked.grade is not None:
        wanted = wanted.where(Homeroom.grade == asked.grade)
    if asked.homeroom_id is not None:
        wanted = wanted.where(Student.homeroom_id == asked.homeroom_id)
    if asked.words.strip():
        wanted = wanted.where(matches(" ".join(asked.words.split())))
    return wanted


def _read_days(session: Session, school_id: int, asked: Asked) -> Iterator[Odd]:
    """The findings that judging left at the days."""
    if not _is_wanted(asked, OF_DAYS):
        return
    wanted = (
        select(
            Attendance.day,
            Attendance.findings,
            Attendance.arrived_at,
            Student.id,
            Student.name,
            Student.number,
            Homeroom.name,
        )
        .join(Student, Student.id == Attendance.student_id)
        .join(Homeroom, Homeroom.id == Attendance.homeroom_id)
        .where(is_odd_between(school_id, asked.first, asked.last), Attendance.findings != "")
    )
    rows: Result[*tuple[Any, ...]] = session.execute(_narrowed(wanted, asked))
    for day, findings, arrived_at, student_id, name, number, homeroom in rows:
        for word in findings.split():
            kind = OddKind(word)
            if _is_wanted(asked, {kind}):
                key = f"{kind}:{student_id}:{day}"
                yield Odd(key, kind, day, student_id, name, number, homeroom, at=arrived_at)


def _read_pairs(session: Session, school_id: int, zone: ZoneInfo, asked: Asked) -> Iterator[Odd]:
    """Taps that follow each other too fast."""
    if not _is_wanted(asked, _OF_PAIRS):
        return
    # Of a gate its name alone, so these are read past the caller's grants.
    earlier, later = Reader.__table__.alias("earlier"), Reader.__table__.alias("later")
    wanted = (
        select(
            TapPair.later_id,
            TapPair.kind,
            TapPair.at,
            TapPair.seconds,
            earlier.c.name,
            later.c.name,
            Student.id,
            Student.name,
            Student.number,
            Homeroom.name,
        )
        .join(Student, Student.id == TapPair.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .outerjoin(earlier, earlier.c.id == TapPair.earlier_reader_id)
        .outerjoin(later, later.c.id == TapPair.later_reader_id)
        .where(
            TapPair.school_id == school_id,
            TapPair.at >= bounds_of(asked.first, zone)[0],
            TapPair.at < bounds_of(asked.last, zone)[1],
        )
    )
    rows: Result[*tuple[Any, ...]] = session.execute(_narrowed(wanted, asked))
    for later_id, pair, at, seconds, one, other, student_id, name, number, homeroom in rows:
        kind = OddKind(pair.value)
        if _is_wanted(asked, {kind}):
            readers = " → ".join(dict.fromkeys(name for name in (one, other) if name))
            day = day_of(at, zone)
            yield Odd(
                f"{kind}:{later_id.hex}",
                kind,
                day,
                student_id,
                name,
                number,
                homeroom,
                at=at,
                seconds=seconds,
                readers=readers,
            )


def _read_late(session: Session, school_id: int, asked: Asked) -> Iterator[Odd]:
    """Who is late by the same few minutes again and again, up to the last day."""
    kind = OddKind.ALWAYS_LATE
    if not _is_wanted(asked, {kind}):
        return
    habits = {one.student_id: one for one in read_always_late(session, school_id, asked.last)}
    habits = {key: one for key, one in habits.items() if one.last_on >= asked.first}
    if not habits:
        return
    wanted = (
        select(Student.id, Student.name, Student.number, Homeroom.name)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.school_id == school_id, is_among(session, Student.id, habits))
    )
    rows: Result[*tuple[Any, ...]] = session.execute(_narrowed(wanted, asked))
    for student_id, name, number, homeroom in rows:
        one = habits[student_id]
        yield Odd(
            f"{kind}:{student_id}:{one.last_on}",
            kind,
            one.last_on,
            student_id,
            name,
            number,
            homeroom,
            times=one.times,
            minutes=one.minutes,
        )


def _read_refused(session: Session, school_id: int, zone: ZoneInfo, asked: Asked) -> Iterator[Odd]:
    """Cards that were refused and held to readers all the same, by day."""
    kind = OddKind.REFUSED_AGAIN
    if not _is_wanted(asked, {kind}):
        return
    cards = (
        select(
            Tap.uid,
            Tap.reason,
            func.max(Tap.student_id).label("student_id"),
            func.count().label("times"),
            func.max(Tap.received_at).label("at"),
        )
        .where(
            Tap.school_id == school_id,
            literal_column(f"({REFUSED})"),
            Tap.received_at >= bounds_of(asked.first, zone)[0],
            Tap.received_at < bounds_of(asked.last, zone)[1],
            # Who is held at the gate, and a reader without a list, are no matter of the card.
            Tap.reason.not_in((Refusal.HELD, Refusal.NO_LIST)),
        )
        .group_by(Tap.uid, Tap.reason)
        .having(func.count() >= AGAIN)
        .subquery()
    )
    wanted = (
        select(
            cards.c.uid,
            cards.c.reason,
            cards.c.times,
            cards.c.at,
            Student.id,
            Student.name,
            Student.number,
            Homeroom.name,
        )
        .select_from(cards)
        .outerjoin(Student, Student.id == cards.c.student_id)
        .outerjoin(Homeroom, Homeroom.id == Student.homeroom_id)
    )
    rows: Result[*tuple[Any, ...]] = session.execute(_narrowed(wanted, asked))
    for uid, reason, times, at, student_id, *texts in rows:
        day = day_of(at, zone)
        name, number, homeroom = (text or "" for text in texts)
        yield Odd(
            f"{kind}:{uid}:{day}",
            kind,
            day,
            student_id,
            name,
            number,
            homeroom,
            at=at,
            times=times,
            uid=uid,
            reason=reason,
        )


def _read_looks(
    session: Session, school_id: int, zone: ZoneInfo, first: date
) -> dict[str, tuple[str, datetime]]:
    """Nobody looks at a thing before its day."""
    found = session.execute(
        select(FindingLook.key, FindingLook.looked_by, FindingLook.looked_at).where(
            FindingLook.school_id == school_id, FindingLook.looked_at >= bounds_of(first, zone)[0]
        )
    )
    return {key: (by, at) for key, by, at in found}


def _with_look(odd: Odd, looks: dict[str, tuple[str, datetime]]) -> Odd:
    by, at = looks.get(odd.key, ("", None))
    return replace(odd, looked_by=by, looked_at=at) if at else odd


def count_kinds(found: Iterable[Odd]) -> dict[OddKind, int]:
    """How many there are of each kind that there is, in the order of OddKind."""
    counts = dict.fromkeys(OddKind, 0)
    for one in found:
        counts[one.kind] += 1
    return {kind: number for kind, number in counts.items() if number}

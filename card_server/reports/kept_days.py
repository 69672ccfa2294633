"""Students' days as they are kept: what the sheets of a day, a month and a term read."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Result, and_, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import Finding, SessionResult
from card_server.storage.among import is_among
from schema.tables.attendance import Attendance

_RESULTS = msgspec.json.Decoder(tuple[SessionResult, ...])

Results = tuple[SessionResult, ...]
"""A day's sessions, in their order; none for a day that nobody judged."""


class KeptDay(NamedTuple):
    """What became of a student on one day."""

    homeroom_id: int
    """The homeroom of that day."""
    arrived_at: datetime | None
    departed_at: datetime | None
    late_minutes: int
    early_minutes: int
    results: Results
    findings: tuple[Finding, ...]


NOTHING_KEPT = KeptDay(0, None, None, 0, 0, (), ())
"""A day of which nothing is known."""


def read_days(
    session: Session, school_id: int, student_ids: Sequence[int], days: Iterable[date]
) -> dict[tuple[int, date], KeptDay]:
    """What is kept of these students' days, in one query that asks for each day by its key."""
    found: Result[*tuple[Any, ...]] = session.execute(
        select(
            Attendance.student_id,
            Attendance.day,
            Attendance.homeroom_id,
            Attendance.arrived_at,
            Attendance.departed_at,
            Attendance.late_minutes,
            Attendance.early_minutes,
            Attendance.sessions,
            Attendance.findings,
        ).where(_are(session, school_id, student_ids, days))
    )
    return {
        (student_id, day): KeptDay(
            room, came_at, left_at, late, early, open_results(sessions), _read_findings(findings)
        )
        for student_id, day, room, came_at, left_at, late, early, sessions, findings in found
    }


def read_results(
    session: Session, school_id: int, student_ids: Sequence[int], days: Iterable[date]
) -> dict[int, dict[date, Results]]:
    """The sessions of these students' days alone, by student; days that nobody judged are not."""
    kept: dict[int, dict[date, Results]] = {}
    found = session.execute(
        select(Attendance.student_id, Attendance.day, Attendance.sessions).where(
            _are(session, school_id, student_ids, days)
        )
    )
    for student_id, day, sessions in found:
        if results := open_results(sessions):
            kept.setdefault(student_id, {})[day] = results
    return kept


@lru_cache(maxsize=4_096)
def open_results(sessions: str) -> Results:
    """A day's sessions as they are stored. Most days are alike, and so is what becomes of them."""
    return _RESULTS.decode(sessions) if sessions else ()


def _are(
    session: Session, school_id: int, student_ids: Sequence[int], days: Iterable[date]
) -> ColumnElement[bool]:
    return and_(
        Attendance.school_id == school_id,
        is_among(session, Attendance.day, list(days)),
        is_among(session, Attendance.student_id, student_ids),
    )


@lru_cache(maxsize=64)
def _read_findings(findings: str) -> tuple[Finding, ...]:
    return tuple(map(Finding, findings.split()))

"""A district's schools today (区级总览): five queries, however many schools there are."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from card_server.reports.reader_report import SILENT_AFTER
from card_server.school_time import day_of
from schema.tables.attendance import HomeroomDay
from schema.tables.messages import Message, MessageState
from schema.tables.people import Student, StudentStatus
from schema.tables.readers import Reader, ReaderHealth
from schema.tables.school import School

_QUEUED, _SENDING = MessageState.QUEUED, MessageState.SENDING
_WRONG = (MessageState.FAILED, MessageState.UNKNOWN)
FAILED_WITHIN = timedelta(hours=24)
"""How long a message that went wrong is counted."""


@dataclass(frozen=True)
class SchoolToday:
    """One school's line; the day is the school's own."""

    id: int
    code: str
    name: str
    students: int = 0
    arrived: int = 0
    late: int = 0
    inside: int = 0
    readers: int = 0
    silent: int = 0
    """Readers of which nothing was heard for three heartbeats, or ever."""
    heard_at: datetime | None = None
    """When ingest last took the word of any of the school's readers."""
    waiting: int = 0
    failed: int = 0
    """Messages that failed or are unclear, in the last 24 hours."""


class StudentCounts:
    """How many students each school has, counted again only when its register has changed.

    Counting all of a district's students takes longer than everything else on its page.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}

    def read(self, session: Session, versions: dict[int, int]) -> dict[int, int]:
        """The number of students by school, given each school's `register_version`; one query."""
        changed = [
            school_id
            for school_id, version in versions.items()
            if self._known.get(school_id, (None, 0))[0] != version
        ]
        if changed:
            found = dict(
                session.execute(
                    select(Student.school_id, func.count())
                    .where(Student.school_id.in_(changed), Student.status == StudentStatus.ENROLLED)
                    .group_by(Student.school_id)
                ).all()
            )
            # One assignment each: of two requests that count at once, either is right.
            for school_id in changed:
                self._known[school_id] = (versions[school_id], found.get(school_id, 0))
        return {school_id: self._known[school_id][1] for school_id in versions}


def read_district(session: Session, counts: StudentCounts, now: datetime) -> list[SchoolToday]:
    """All schools by name, with what each has today."""
    schools = session.execute(
        select(School.id, School.code, School.name, School.zone, School.register_version).order_by(
            School.name, School.id
        )
    ).all()
    days = {one.id: day_of(now, ZoneInfo(one.zone)) for one in schools}
    students = counts.read(session, {one.id: one.register_version for one in schools})
    present = _read_days(session, set(days.values()))
    readers = _read_readers(session, now)
    messages = _read_messages(session, now)
    return [
        SchoolToday(
            one.id,
            one.code,
            one.name,
            students[one.id],
            *present.get((one.id, days[one.id]), (0, 0, 0)),
            *readers.get(one.id, (0, 0, None)),
            *messages.get(one.id, (0, 0)),
        )
        for one in schools
    ]


def _read_days(
    session: Session, days: Collection[date]
) -> dict[tuple[int, date], tuple[int, int, int]]:
    """Arrived, late and on campus, of the days that it is in any of the schools."""
    found = session.execute(
        select(
            HomeroomDay.school_id,
            HomeroomDay.day,
            func.sum(HomeroomDay.arrived),
            func.sum(HomeroomDay.late),
            func.sum(HomeroomDay.inside),
        )
        .where(HomeroomDay.day.in_(days))
        .group_by(HomeroomDay.school_id, HomeroomDay.day)
    )
    return {(key, day): (arrived, late, inside) for key, day, arrived, late, inside in found}


def _read_readers(session: Session, now: datetime) -> dict[int, tuple[int, int, datetime | None]]:
    """How many readers in use, how many of them silent, and when any of them was last heard."""
    is_silent = or_(ReaderHealth.seen_at.is_(None), ReaderHealth.seen_at < now - SILENT_AFTER)
    found = session.execute(
        select(
            Reader.school_id,
            func.count(),
            func.sum(case((is_silent, 1), else_=0)),
            func.max(ReaderHealth.seen_at),
        )
        .outerjoin(ReaderHealth, ReaderHealth.reader_id == Reader.id)
        .where(Reader.retired_at.is_(None))
        .group_by(Reader.school_id)
    )
    return {key: (readers, silent, heard_at) for key, readers, silent, heard_at in found}


def _read_messages(session: Session, now: datetime) -> dict[int, tuple[int, int]]:
    """Messages that wait, and messages that went wrong, by three small partial indexes."""
    is_wrong = and_(_is(*_WRONG), Message.changed_at >= now - FAILED_WITHIN)
    counted = ((_is(_QUEUED), 1, 0), (_is(_SENDING), 1, 0), (is_wrong, 0, 1))
    parts = [
        select(
            Message.school_id, literal(waiting).label("waiting"), literal(failed).label("failed")
        ).where(condition)
        for condition, waiting, failed in counted
    ]
    each = union_all(*parts).subquery()
    found = session.execute(
        select(each.c.school_id, func.sum(each.c.waiting), func.sum(each.c.failed)).group_by(
            each.c.school_id
        )
    )
    return {key: (waiting, failed) for key, waiting, failed in found}


def _is(*states: MessageState) -> ColumnElement[bool]:
    """In literals, so that PostgreSQL sees that a partial index answers this."""
    words: list[ColumnElement[MessageState]] = [literal_column(f"'{one}'") for one in states]
    return Message.state == words[0] if len(words) == 1 else Message.state.in_(words)

"""Who has registered for a term and who has not come, by homeroom."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, tuple_
from sqlalchemy.orm import Session

from schema.tables.people import Student, StudentStatus
from schema.tables.registration import Registration
from schema.tables.school import Homeroom

NEWEST = 10


@dataclass(frozen=True)
class RoomLine:
    """One homeroom's numbers."""

    id: int
    grade: int
    name: str
    students: int
    registered: int

    @property
    def missing(self) -> int:
        """How many have not come."""
        return self.students - self.registered


@dataclass(frozen=True)
class Expected:
    """A student of the school who registers, or has."""

    id: int
    number: str
    name: str
    homeroom_id: int
    grade: int
    homeroom: str
    at: datetime | None
    """When they registered; None while they have not."""
    by: str
    """Who wrote it down; empty for a card."""
    reason: str


def count_rooms(session: Session, school_id: int, term_id: int) -> list[RoomLine]:
    """Every homeroom of today with its numbers, of who is enrolled now, in one query."""
    found = session.execute(
        select(
            Homeroom.id,
            Homeroom.grade,
            Homeroom.name,
            func.count(Student.id),
            func.count(Registration.student_id),
        )
        .outerjoin(Student, and_(Student.homeroom_id == Homeroom.id, *_enrolled(school_id)))
        .outerjoin(Registration, _registered(school_id, term_id))
        .where(Homeroom.school_id == school_id, Homeroom.is_past.is_(False))
        .group_by(Homeroom.id, Homeroom.grade, Homeroom.name)
        .order_by(Homeroom.grade, Homeroom.id)
    )
    return [RoomLine(*row) for row in found]


def count_missing(
    session: Session, school_id: int, term_id: int, homeroom_id: int | None = None
) -> int:
    """How many have not come."""
    wanted = _select_missing(school_id, term_id, homeroom_id).with_only_columns(
        func.count(), maintain_column_froms=True
    )
    return session.scalar(wanted) or 0


def list_missing(
    session: Session,
    school_id: int,
    term_id: int,
    homeroom_id: int | None,
    limit: int,
    offset: int = 0,
) -> list[Expected]:
    """Who has not come, by homeroom and student number."""
    wanted = _select_missing(school_id, term_id, homeroom_id).order_by(*_ORDER)
    return [Expected(*row) for row in session.execute(wanted.offset(offset).limit(limit))]


def read_missing(
    session: Session, school_id: int, term_id: int, homeroom_id: int | None, batch: int
) -> Iterator[Expected]:
    """The same, all of them, some at a time."""
    after: tuple[Any, ...] | None = None
    while True:
        wanted = _select_missing(school_id, term_id, homeroom_id).order_by(*_ORDER)
        if after:
            wanted = wanted.where(tuple_(*_ORDER) > after)
        rows = [Expected(*row) for row in session.execute(wanted.limit(batch))]
        yield from rows
        if len(rows) < batch:
            return
        after = (rows[-1].grade, rows[-1].homeroom_id, rows[-1].number)


def list_newest(session: Session, school_id: int, term_id: int) -> list[Expected]:
    """Who registered last, the latest first."""
    found = session.execute(
        _select(school_id)
        .join(Registration, _registered(school_id, term_id))
        .order_by(Registration.at.desc(), Registration.student_id)
        .limit(NEWEST)
    )
    return [Expected(*row) for row in found]


def read_registration(
    session: Session, school_id: int, term_id: int, student_id: int
) -> Expected | None:
    """One student and whether they have come; None for nobody of the school."""
    row = session.execute(
        _select(school_id)
        .outerjoin(Registration, _registered(school_id, term_id))
        .where(Student.id == student_id)
    ).one_or_none()
    return Expected(*row) if row else None


_ORDER = (Homeroom.grade, Homeroom.id, Student.number)


def _select_missing(
    school_id: int, term_id: int, homeroom_id: int | None
) -> Select[*tuple[Any, ...]]:
    wanted = (
        _select(school_id)
        .outerjoin(Registration, _registered(school_id, term_id))
        .where(*_enrolled(school_id), Registration.student_id.is_(None))
    )
    return wanted if homeroom_id is None else wanted.where(Student.homeroom_id == homeroom_id)


def _select(school_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Student.id,
            Student.number,
            Student.name,
            Homeroom.id,
            Homeroom.grade,
            Homeroom.name,
            Registration.at,
            func.coalesce(Registration.by, ""),
            func.coalesce(Registration.reason, ""),
        )
        .select_from(Student)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.school_id == school_id)
    )


def _enrolled(school_id: int) -> tuple[ColumnElement[bool], ...]:
    return (Student.school_id == school_id, Student.status == StudentStatus.ENROLLED)


def _registered(school_id: int, term_id: int) -> ColumnElement[bool]:
    return and_(
        Registration.school_id == school_id,
        Registration.term_id == term_id,
        Registration.student_id == Student.id,
    )

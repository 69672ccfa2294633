"""Lists of students and taps, a part at a time, for programs that read all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Result, Select, select, tuple_
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.register.homerooms import of_today
from schema.messages import Decision, Refusal
from schema.tables.people import Student, StudentStatus
from schema.tables.readers import Direction, Reader
from schema.tables.school import Homeroom, School
from schema.tables.taps import Effect, Tap


@dataclass(frozen=True)
class ListedStudent:
    """One student of a list."""

    id: int
    number: str
    name: str
    homeroom_id: int
    homeroom: str
    status: StudentStatus


@dataclass(frozen=True)
class ListedTap:
    """One tap of a list; without a student the card is nobody's."""

    id: UUID
    occurred_at: datetime
    received_at: datetime
    clock_suspect: bool
    uid: str
    decision: Decision
    reason: Refusal | None
    direction: Direction | None
    effect: Effect
    reader_id: int
    reader: str
    student_id: int | None
    student: str | None
    homeroom: str | None


def list_schools(session: Session) -> list[School]:
    """All schools of the district, by id."""
    return list(session.scalars(select(School).order_by(School.id)))


def list_homerooms(session: Session, school_id: int) -> list[Homeroom]:
    """All homerooms of today, by grade."""
    wanted = select(Homeroom).where(of_today(school_id))
    return list(session.scalars(wanted.order_by(Homeroom.grade, Homeroom.id)))


def list_students(
    session: Session,
    school_id: int,
    after: int,
    limit: int,
    homeroom_id: int | None = None,
    status: StudentStatus | None = StudentStatus.ENROLLED,
) -> list[ListedStudent]:
    """The next students after an id, by id; None is any status."""
    wanted = _select_students(school_id).where(Student.id > after)
    if status is not None:
        wanted = wanted.where(Student.status == status)
    if homeroom_id is not None:
        wanted = wanted.where(Student.homeroom_id == homeroom_id)
    found = session.execute(wanted.order_by(Student.id).limit(limit))
    return [ListedStudent(*row) for row in found]


def read_student(session: Session, school_id: int, student_id: int) -> ListedStudent:
    """One student. Raises AppError(NOT_FOUND)."""
    row = session.execute(_select_students(school_id).where(Student.id == student_id)).one_or_none()
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
    return ListedStudent(*row)


def list_taps(
    session: Session,
    school_id: int,
    before: tuple[datetime, UUID] | None,
    since: datetime | None,
    limit: int,
) -> list[ListedTap]:
    """The next taps that were received before a moment (and id), newest first."""
    wanted = (
        select(
            Tap.id,
            Tap.occurred_at,
            Tap.received_at,
            Tap.clock_suspect,
            Tap.uid,
            Tap.decision,
            Tap.reason,
            Tap.direction,
            Tap.effect,
            Tap.reader_id,
            Reader.name,
            Tap.student_id,
            Student.name,
            Homeroom.name,
        )
        .join(Reader, Reader.id == Tap.reader_id)
        .outerjoin(Student, Student.id == Tap.student_id)
        .outerjoin(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Tap.school_id == school_id)
    )
    if since is not None:
        wanted = wanted.where(Tap.received_at >= since)
    if before is not None:
        wanted = wanted.where(tuple_(Tap.received_at, Tap.id) < before)
    found: Result[*tuple[Any, ...]] = session.execute(
        wanted.order_by(Tap.received_at.desc(), Tap.id.desc()).limit(limit)
    )
    return [ListedTap(*row) for row in found]


def _select_students(school_id: int) -> Select[int, str, str, int, str, StudentStatus]:
    return (
        select(
            Student.id,
            Student.number,
            Student.name,
            Student.homeroom_id,
            Homeroom.name,
            Student.status,
        )
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.school_id == school_id)
    )

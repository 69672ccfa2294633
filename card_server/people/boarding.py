"""Boarding (住校): from which day until which a student sleeps at school."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.refold import refold
from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.people.stays import lock_student, refuse_future
from card_server.school_time import day_of
from schema.tables.people import Boarding, Student, StudentStatus


@dataclass(frozen=True)
class BoardingTime:
    """A time in which a student boarded."""

    from_on: date
    until_on: date | None
    """The first day at home again; None while it lasts."""


def list_boardings(session: Session, school_id: int, student_id: int) -> list[BoardingTime]:
    """When a student boarded, the newest time first."""
    found = session.execute(
        select(Boarding.from_on, Boarding.until_on)
        .where(Boarding.school_id == school_id, Boarding.student_id == student_id)
        .order_by(Boarding.from_on.desc())
    )
    return [BoardingTime(*row) for row in found]


def set_boarding(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    is_boarding: bool,
    on: date,
    now: datetime,
    zone: ZoneInfo,
) -> bool:
    """Whether it is otherwise from `on`: a boarder becomes a day student, or the other way round.

    The days since then are judged anew.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) for who is not enrolled, FieldsError for a day
    that has not come or lies within an earlier time.
    """
    student = lock_student(session, school_id, student_id)
    if student.status is not StudentStatus.ENROLLED:
        raise AppError(Code.CONFLICT, "This student is not enrolled.")
    if (_open(session, student) is not None) is is_boarding:
        return False
    today = day_of(now, zone)
    refuse_future(on, today)
    if is_boarding:
        _begin(session, student, on)
    else:
        end_boarding(session, student, on)
    refold(session, school_id, student_id, on, today, now)
    details = {"is_boarding": [not is_boarding, is_boarding], "on": on}
    note(session, school_id, actor, "student.boarding", f"student:{student_id}", details=details)
    return True


def end_boarding(session: Session, student: Student, on: date) -> None:
    """The student is at home again from `on`; a time that began then never was.

    Raises FieldsError for a day before the time began. Does nothing for a day student.
    """
    boarding = _open(session, student)
    if boarding is None:
        return
    if boarding.from_on > on:
        raise FieldsError({"on": _("The student began to board after this day.")})
    if boarding.from_on == on:
        session.delete(boarding)
    else:
        boarding.until_on = on
    session.flush()


def _begin(session: Session, student: Student, on: date) -> None:
    last = session.scalar(
        select(Boarding)
        .where(Boarding.student_id == student.id)
        .order_by(Boarding.from_on.desc())
        .limit(1)
    )
    if last is not None and last.until_on is not None and last.until_on > on:
        raise FieldsError({"on": _("The student boarded until after this day already.")})
    if last is not None and last.until_on == on:
        last.until_on = None
    else:
        session.add(Boarding(student_id=student.id, from_on=on, school_id=student.school_id))
    session.flush()


def _open(session: Session, student: Student) -> Boarding | None:
    return session.scalar(
        select(Boarding).where(Boarding.student_id == student.id, Boarding.until_on.is_(None))
    )

"""Taking back by one click what was said by one click of a whole homeroom (whole_homeroom.py)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Result, and_, func, select
from sqlalchemy.orm import Session

from card_server.attendance.correcting import Doing, refuse_day
from card_server.attendance.refold import refold
from card_server.audit.writing import note
from card_server.errors import AppError, Code
from card_server.register.homerooms import find_homeroom
from schema.tables.attendance import Attendance, Correction
from schema.tables.people import Student


@dataclass(frozen=True)
class Marking:
    """What is left of one click: of how many students something still stands, who made it, why."""

    id: UUID
    students: int
    made_by: str
    made_at: datetime
    reason: str


def last_marking(
    session: Session, school_id: int, homeroom_id: int, day: date, marking_id: UUID | None = None
) -> Marking | None:
    """The newest marking of a homeroom's day of which something stands, or the one that is named.

    In one query. What was said of a student since then, or taken back alone, is not of it any more.
    """
    of_day = and_(
        Attendance.school_id == Correction.school_id,
        Attendance.day == Correction.day,
        Attendance.student_id == Correction.student_id,
    )
    wanted = (
        select(
            Correction.marking_id,
            func.count(Correction.student_id.distinct()),
            func.min(Correction.made_by),
            func.min(Correction.made_at),
            func.min(Correction.reason),
        )
        .join(Attendance, of_day)
        .where(
            Correction.school_id == school_id,
            Correction.day == day,
            Correction.marking_id.is_not(None),
            Correction.ended_at.is_(None),
            Attendance.homeroom_id == homeroom_id,
        )
    )
    if marking_id is not None:
        wanted = wanted.where(Correction.marking_id == marking_id)
    newest = wanted.group_by(Correction.marking_id).order_by(func.max(Correction.id).desc())
    found: Result[*tuple[Any, ...]] = session.execute(newest.limit(1))
    return next((Marking(*row) for row in found), None)


def end_marking(
    session: Session, doing: Doing, homeroom_id: int, day: date, marking_id: UUID | None = None
) -> int:
    """Take back all that still stands of a marking in a homeroom, the last one if none is named.

    The taps decide again of so many students. Raises AppError(NOT_FOUND), AppError(CONFLICT) when
    nothing of it stands, FieldsError for a day that is too long ago.
    """
    refuse_day(session, doing, day)
    find_homeroom(session, doing.school_id, homeroom_id)
    found = last_marking(session, doing.school_id, homeroom_id, day, marking_id)
    standing = _lock_standing(session, doing.school_id, homeroom_id, found) if found else []
    if found is None or not standing:
        raise AppError(Code.CONFLICT, "Nothing of this stands any more.")
    for row in standing:
        row.ended_by, row.ended_at = doing.actor.name[:120], doing.now
    session.flush()
    students = {row.student_id for row in standing}
    details = {
        "marking": str(found.id),
        "day": day,
        "students": len(students),
        "corrections": len(standing),
    }
    subject = f"homeroom:{homeroom_id}"
    action = "attendance.marking_ended"
    note(session, doing.school_id, doing.actor, action, subject, details=details)
    refold(session, doing.school_id, students, day, day, doing.now)
    return len(students)


def _lock_standing(
    session: Session, school_id: int, homeroom_id: int, marking: Marking
) -> list[Correction]:
    """Its corrections in force, read when nobody else can change these students any more.

    Not of who has moved to another homeroom since. Locked in the order in which whoever marks a
    homeroom locks them.
    """
    of_day = select(Attendance.student_id).where(
        Attendance.school_id == school_id,
        Attendance.day == Correction.day,
        Attendance.homeroom_id == homeroom_id,
        Attendance.student_id == Correction.student_id,
    )
    stands = (
        Correction.school_id == school_id,
        Correction.marking_id == marking.id,
        Correction.ended_at.is_(None),
        of_day.exists(),
    )
    students = select(Correction.student_id).where(*stands)
    session.scalars(
        select(Student)
        .where(Student.school_id == school_id, Student.id.in_(students))
        .order_by(Student.number)
        .with_for_update(key_share=True)
    ).all()
    standing = select(Correction).where(*stands)
    return list(session.scalars(standing.execution_options(populate_existing=True)))

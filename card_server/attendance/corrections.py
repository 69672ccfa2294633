"""Corrections (更正): what staff say of a student's day; it stands whatever the taps say."""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Result, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import Corrected
from card_server.errors import AppError, Code
from schema.tables.attendance import Correction


def corrections_of(
    session: Session, school_id: int, student_ids: Collection[int], first: date, last: date
) -> dict[tuple[int, date], list[Corrected]]:
    """The corrections in force of these students' days, the oldest first; in one query."""
    found: Result[*tuple[Any, ...]] = session.execute(
        select(
            Correction.student_id,
            Correction.day,
            Correction.id,
            Correction.position,
            Correction.status,
            Correction.leave_kind,
            Correction.minutes,
        )
        .where(
            Correction.school_id == school_id,
            Correction.student_id.in_(student_ids),
            Correction.day.between(first, last),
            Correction.ended_at.is_(None),
        )
        .order_by(Correction.id)
    )
    corrections: dict[tuple[int, date], list[Corrected]] = {}
    for student_id, day, *said in found:
        corrections.setdefault((student_id, day), []).append(Corrected(*said))
    return corrections


def list_corrections(
    session: Session, school_id: int, student_id: int, day: date
) -> list[Correction]:
    """All that staff ever said of a student's day, the newest first."""
    found = session.scalars(
        select(Correction)
        .where(
            Correction.school_id == school_id,
            Correction.student_id == student_id,
            Correction.day == day,
        )
        .order_by(Correction.id.desc())
    )
    return list(found)


def find_correction(session: Session, school_id: int, correction_id: int) -> Correction:
    """One correction. Raises AppError(NOT_FOUND)."""
    row = session.scalar(
        select(Correction).where(Correction.school_id == school_id, Correction.id == correction_id)
    )
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such correction.")
    return row

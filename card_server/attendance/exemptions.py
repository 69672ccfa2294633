"""Exemptions (免考勤): from when until when nothing is expected of a student, and why."""

from collections.abc import Collection
from datetime import date, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.storage.among import is_among
from schema.tables.attendance import Exemption


def exempt_on(
    session: Session, school_id: int, student_ids: Collection[int], first: date, last: date
) -> set[tuple[int, date]]:
    """The students and days, of `first` to `last`, on which nothing is expected; in one query."""
    found = session.execute(
        select(Exemption.student_id, Exemption.from_on, Exemption.until_on).where(
            Exemption.school_id == school_id,
            is_among(session, Exemption.student_id, student_ids),
            Exemption.from_on <= last,
            or_(Exemption.until_on.is_(None), Exemption.until_on > first),
        )
    )
    days: set[tuple[int, date]] = set()
    for student_id, from_on, until_on in found:
        begin = max(from_on, first)
        end = min(until_on, last + timedelta(days=1)) if until_on else last + timedelta(days=1)
        days |= {(student_id, begin + timedelta(days=n)) for n in range((end - begin).days)}
    return days


def list_exemptions(session: Session, school_id: int, student_id: int) -> list[Exemption]:
    """A student's exemptions, the newest first."""
    found = session.scalars(
        select(Exemption)
        .where(Exemption.school_id == school_id, Exemption.student_id == student_id)
        .order_by(Exemption.from_on.desc())
    )
    return list(found)


def find_exemption(
    session: Session, school_id: int, exemption_id: int, is_locked: bool = False
) -> Exemption:
    """One exemption. Raises AppError(NOT_FOUND)."""
    wanted = select(Exemption).where(Exemption.school_id == school_id, Exemption.id == exemption_id)
    row = session.scalar(wanted.with_for_update() if is_locked else wanted)
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such exemption.")
    return row

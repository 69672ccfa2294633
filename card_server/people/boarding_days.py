"""Who boards on a day, as a condition of a query: a boarding may begin or end on a coming day."""

from datetime import date

from sqlalchemy import ColumnElement, or_, select

from schema.tables.people import Boarding, Student

_BOARDING = Boarding.__table__.c


def holds_on(day: date) -> ColumnElement[bool]:
    """Whether a row of the table `boarding` is of a time that a day lies in.

    By the table: who sees a student sees whether they board, and not since when.
    """
    return (_BOARDING.from_on <= day) & or_(_BOARDING.until_on.is_(None), _BOARDING.until_on > day)


def boards_on(day: date) -> ColumnElement[bool]:
    """Whether the student of the query boards on a day."""
    return (
        select(_BOARDING.student_id)
        .where(_BOARDING.student_id == Student.id, holds_on(day))
        .exists()
    )

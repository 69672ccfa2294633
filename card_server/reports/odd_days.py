"""Days that are anything but present, as lists of students and of findings read them."""

from datetime import date

from sqlalchemy import ColumnElement, and_, literal_column

from schema.tables.attendance import ODD, Attendance


def is_odd_between(school_id: int, first: date, last: date) -> ColumnElement[bool]:
    """An odd day of the school in this time; worded so that the index of odd days serves it."""
    return and_(
        Attendance.school_id == school_id,
        Attendance.day >= first,
        Attendance.day <= last,
        literal_column(f"({ODD})"),
    )

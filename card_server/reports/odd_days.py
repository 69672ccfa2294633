"""Days that are anything but present, as rankings and lists of findings read them."""

from datetime import date

from sqlalchemy import ColumnElement, and_, case, literal_column

from schema.tables.attendance import ODD, Attendance

LATE: ColumnElement[int] = case(
    (Attendance.late > 0, Attendance.late),
    # A day that was kept before there were timetables has only the minutes.
    (Attendance.late_minutes > 0, 1),
    else_=0,
)
"""In how many sessions a student was late."""


def is_odd_between(school_id: int, first: date, last: date) -> ColumnElement[bool]:
    """An odd day of the school in this time; worded so that the index of odd days serves it."""
    return and_(
        Attendance.school_id == school_id,
        Attendance.day >= first,
        Attendance.day <= last,
        literal_column(f"({ODD})"),
    )

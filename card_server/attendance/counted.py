"""What a student's day adds to its homeroom's counts, in SQL; `Counts.add_day` says the same."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, case, or_

from card_server.attendance.rows import Count
from schema.tables.attendance import Attendance

LATE: Final[ColumnElement[int]] = case(
    (Attendance.late > 0, Attendance.late),
    # A day that was kept before there were timetables has only the minutes.
    (Attendance.late_minutes > 0, 1),
    else_=0,
)
"""In how many sessions a student was late."""


def _once(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


COUNTED: Final[dict[str, ColumnElement[int]]] = {
    "arrived": _once(Attendance.arrived_at.is_not(None)),
    "late": _once(LATE > 0),
    "left_early": _once(Attendance.left_early > 0),
    "absent": _once(Attendance.absent > 0),
    "on_leave": _once(Attendance.on_leave > 0),
    "away": _once(
        and_(Attendance.present == 0, or_(Attendance.absent > 0, Attendance.on_leave > 0))
    ),
    "late_sessions": LATE,
    "left_early_sessions": Attendance.left_early.expression,
    "absent_sessions": Attendance.absent.expression,
    "on_leave_sessions": Attendance.on_leave.expression,
}
"""By the columns of `homeroom_day`; `inside` is of presence and not of days."""


def add_counted(count: Count, numbers: Sequence[int], sign: int = 1) -> None:
    """Add to a count what a query read as COUNTED, or as their sums."""
    for name, number in zip(COUNTED, numbers, strict=True):
        setattr(count, name, getattr(count, name) + sign * number)

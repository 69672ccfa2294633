"""How many arrived in each minute of a morning (到校曲线)."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from schema.tables.attendance import Attendance

LONGEST = timedelta(hours=4)
"""After the first arrival; who comes later than that is no longer part of the morning."""
_MINUTE = timedelta(minutes=1)
_MINUTE_TEXT = 16
"""The length of "2026-09-01 07:31", with which a time's text begins on both databases."""


class Minute(NamedTuple):
    """One minute, and how many arrived in it."""

    at: datetime
    arrived: int


def read_arrivals(
    session: Session, school_id: int, day: date, homeroom_ids: Collection[int] | None
) -> list[Minute]:
    """Every minute from the first arrival to the morning's last, in one query.

    Of these homerooms, or of the whole school.
    """
    minute = func.substr(cast(Attendance.arrived_at, String), 1, _MINUTE_TEXT)
    wanted = select(minute, func.count()).where(
        Attendance.school_id == school_id,
        Attendance.day == day,
        Attendance.arrived_at.is_not(None),
    )
    if homeroom_ids is not None:
        wanted = wanted.where(Attendance.homeroom_id.in_(homeroom_ids))
    found = {
        datetime.fromisoformat(text).replace(tzinfo=UTC): number
        for text, number in session.execute(wanted.group_by(minute))
    }
    return _fill(found)


def _fill(found: dict[datetime, int]) -> list[Minute]:
    """The minutes in order, with those in which nobody came."""
    if not found:
        return []
    first = min(found)
    last = max(minute for minute in found if minute - first <= LONGEST)
    length = int((last - first) / _MINUTE) + 1
    minutes = (first + number * _MINUTE for number in range(length))
    return [Minute(minute, found.get(minute, 0)) for minute in minutes]

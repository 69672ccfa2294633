"""How many arrived in each minute of a morning (到校曲线)."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from schema.tables.attendance import Attendance
from schema.tables.metadata import UtcDateTime

LONGEST = timedelta(hours=4)
"""After the first arrival; who comes later than that is no longer part of the morning."""
_MINUTE = timedelta(minutes=1)


class MinuteOf(FunctionElement[datetime]):
    """The moment at which a time's minute began."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(MinuteOf)
def _cut_off(element: MinuteOf, compiler: SQLCompiler, **how: Any) -> str:
    return f"date_trunc('minute', {compiler.process(element.clauses, **how)})"


@compiles(MinuteOf, "sqlite")
def _cut_text_off(element: MinuteOf, compiler: SQLCompiler, **how: Any) -> str:
    """Times are text there: 2026-09-01 07:31:10.000000."""
    return f"substr({compiler.process(element.clauses, **how)}, 1, 16) || ':00.000000'"


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
    minute = MinuteOf(Attendance.arrived_at)
    wanted = select(minute, func.count()).where(
        Attendance.school_id == school_id,
        Attendance.day == day,
        Attendance.arrived_at.is_not(None),
    )
    if homeroom_ids is not None:
        wanted = wanted.where(Attendance.homeroom_id.in_(homeroom_ids))
    found = session.execute(wanted.group_by(minute))
    return _fill({at: number for at, number in found})  # noqa: C416 - a row is a tuple


def _fill(found: dict[datetime, int]) -> list[Minute]:
    """The minutes in order, with those in which nobody came."""
    if not found:
        return []
    first = min(found)
    last = max(minute for minute in found if minute - first <= LONGEST)
    length = int((last - first) / _MINUTE) + 1
    minutes = (first + number * _MINUTE for number in range(length))
    return [Minute(minute, found.get(minute, 0)) for minute in minutes]

"""For which gates a homeroom's judgement waits: those of its campus (校区), and those of none.

A homeroom without a campus waits for all of them. Retired gates, and those of which nothing was
ever heard, are waited for by nobody.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from schema.tables.attendance import Deadline
from schema.tables.readers import Purpose, Reader, ReaderHealth
from schema.tables.school import Homeroom

Gates = Mapping[int, datetime | None]
"""Up to when each gate has delivered its taps, by reader; None for one that does not say."""


class Served(NamedTuple):
    """Homerooms whose judgement waits for the same gates."""

    gates: Gates
    deadlines: ColumnElement[bool]
    """Theirs, of those of the school."""


class _Gate(NamedTuple):
    reader_id: int
    drained_to: datetime | None
    campus_id: int | None


def read_served(session: Session, school_id: int) -> list[Served]:
    """All of a school's homerooms: one group unless gates have campuses."""
    gates = _read_gates(session, school_id)
    if all(one.campus_id is None for one in gates):
        return [Served(_of(gates, None), true())]
    of_school = Homeroom.school_id == school_id
    campuses = session.scalars(
        select(Homeroom.campus_id).where(of_school).distinct().order_by(Homeroom.campus_id)
    )
    return [
        Served(
            _of(gates, campus_id),
            Deadline.homeroom_id.in_(
                select(Homeroom.id).where(
                    of_school, Homeroom.campus_id.is_not_distinct_from(campus_id)
                )
            ),
        )
        for campus_id in campuses
    ]


def reported_by_room(session: Session, school_id: int) -> dict[int, datetime | None]:
    """Up to when every gate that serves a homeroom has delivered its taps, for each homeroom."""
    gates = _read_gates(session, school_id)
    rooms = session.execute(
        select(Homeroom.id, Homeroom.campus_id).where(Homeroom.school_id == school_id)
    )
    return {room_id: reported(_of(gates, campus_id)) for room_id, campus_id in rooms}


def reported(gates: Gates) -> datetime | None:
    """Up to when every gate has reported; None while one of them does not say, or there is none."""
    known = [moment for moment in gates.values() if moment is not None]
    return min(known) if known and len(known) == len(gates) else None


def _read_gates(session: Session, school_id: int) -> list[_Gate]:
    found = session.execute(
        select(ReaderHealth.reader_id, ReaderHealth.drained_to, Reader.campus_id)
        .join(Reader, Reader.id == ReaderHealth.reader_id)
        .where(
            Reader.school_id == school_id,
            Reader.purpose == Purpose.GATE,
            Reader.retired_at.is_(None),
        )
    )
    return [_Gate(*row) for row in found]


def _of(gates: Iterable[_Gate], campus_id: int | None) -> Gates:
    return {
        one.reader_id: one.drained_to
        for one in gates
        if campus_id is None or one.campus_id in (None, campus_id)
    }

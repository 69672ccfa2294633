"""Why absence is not judged yet: what is not due, and which gates have not reported."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.deadlines import NO_GATE
from card_server.attendance.plans import CLOSING
from schema.tables.attendance import Deadline
from schema.tables.readers import Reader, ReaderHealth


@dataclass(frozen=True)
class DarkGate:
    """A gate that has not reported past a deadline."""

    reader_id: int
    name: str
    since: datetime | None
    """Up to when it has delivered its taps; None when it never said."""


@dataclass(frozen=True)
class RoomWaiting:
    """The first session of a homeroom's day that is not judged, and why."""

    position: int
    due_at: datetime
    gates: tuple[DarkGate, ...]
    """Empty while it is not due, or is due and no clock has judged it yet."""
    has_no_gate: bool
    """No gate of the school was ever heard of."""


def read_waiting(session: Session, school_id: int, day: date) -> dict[int, RoomWaiting]:
    """For each homeroom that has a session to be judged, in two queries."""
    found = session.execute(
        select(Deadline.homeroom_id, Deadline.position, Deadline.due_at, Deadline.waiting_for)
        .where(
            Deadline.school_id == school_id,
            Deadline.day == day,
            Deadline.position != CLOSING,
            Deadline.judged_at.is_(None),
        )
        .order_by(Deadline.due_at.desc(), Deadline.position.desc())
    )
    first = {room: (position, due_at, waiting) for room, position, due_at, waiting in found}
    gates = _read_gates(session, school_id, {waiting for _, _, waiting in first.values()})
    return {
        room: RoomWaiting(
            position,
            due_at,
            tuple(gates[key] for key in waiting.split() if key in gates),
            waiting == NO_GATE,
        )
        for room, (position, due_at, waiting) in first.items()
    }


def _read_gates(session: Session, school_id: int, waiting: set[str]) -> dict[str, DarkGate]:
    """The gates that are waited for, by id as `waiting_for` has it.

    Whoever waits for a judgement may know why, so these tables are read past the caller's grants:
    of a gate its name and its freshness, and nothing else.
    """
    ids = {int(key) for text in waiting for key in text.split() if key != NO_GATE}
    if not ids:
        return {}
    reader, health = Reader.__table__.c, ReaderHealth.__table__.c
    found = session.execute(
        select(reader.id, reader.name, health.drained_to)
        .select_from(Reader.__table__)
        .outerjoin(ReaderHealth.__table__, health.reader_id == reader.id)
        .where(reader.school_id == school_id, reader.id.in_(ids))
    )
    return {str(key): DarkGate(key, name, drained_to) for key, name, drained_to in found}

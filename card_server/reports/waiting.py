"""What is not judged though its time has come (待判定): which homerooms, for which gates."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.facts import DayPlan
from card_server.attendance.plans import CLOSING
from schema.tables.attendance import DayPlanRow, Deadline
from schema.tables.dark_gates import GateLeftOut
from schema.tables.readers import Reader, ReaderHealth
from schema.tables.school import Homeroom

LOOKED_BACK: Final = timedelta(days=30)
"""What waits longer is not judged any more by itself."""
MOST: Final = 2_000
"""Deadlines that one report counts, the newest first."""
_PLAN: Final = msgspec.json.Decoder(DayPlan)
_READER: Final = Reader.__table__.c
_HEALTH: Final = ReaderHealth.__table__.c


@dataclass(frozen=True)
class LeftOut:
    """That somebody let a day be judged without a gate."""

    day: date
    reason: str
    said_by: str
    said_at: datetime


@dataclass(frozen=True)
class DarkGate:
    """A gate for which something waits."""

    reader_id: int
    name: str
    place: str
    dark_since: datetime | None
    """It has delivered its taps up to here; None where it never said so."""
    seen_at: datetime | None
    """The last word of it."""
    days: list[date]
    """The days of which something waits for it, the newest first."""
    left_out: list[LeftOut]


@dataclass(frozen=True)
class Room:
    """A homeroom that waits."""

    id: int
    name: str


@dataclass(frozen=True)
class WaitingSession:
    """One session of a day that waits in some homerooms for the same gates."""

    day: date
    position: int
    name: str
    due_at: datetime
    homerooms: list[Room]
    gates: list[DarkGate]
    """None where no gate of the school was ever heard of."""


@dataclass(frozen=True)
class WaitingReport:
    """All that waits within the caller's reach."""

    gates: list[DarkGate]
    sessions: list[WaitingSession]


def read_waiting(session: Session, school_id: int, now: datetime) -> WaitingReport:
    """In four queries; the newest session first."""
    rows = _read_rows(session, school_id, now)
    by_gate: dict[int, set[date]] = defaultdict(set)
    for day, _position, _due_at, waiting_for, _room, _name in rows:
        for reader_id in _ids(waiting_for):
            by_gate[reader_id].add(day)
    gates = _read_gates(session, school_id, by_gate)
    names = _read_names(session, school_id, {row[0] for row in rows})
    groups: dict[tuple[Any, ...], list[Room]] = {}
    for day, position, due_at, waiting_for, room, name in rows:
        groups.setdefault((day, position, due_at, waiting_for), []).append(Room(room, name))
    sessions = [
        WaitingSession(
            day,
            position,
            names.get((day, position), str(position)),
            due_at,
            rooms,
            [gates[one] for one in _ids(waiting_for) if one in gates],
        )
        for (day, position, due_at, waiting_for), rooms in groups.items()
    ]
    return WaitingReport(list(gates.values()), sessions)


def _read_rows(session: Session, school_id: int, now: datetime) -> list[Any]:
    found = session.execute(
        select(
            Deadline.day,
            Deadline.position,
            Deadline.due_at,
            Deadline.waiting_for,
            Homeroom.id,
            Homeroom.name,
        )
        .join(Homeroom, Homeroom.id == Deadline.homeroom_id)
        .where(
            Deadline.school_id == school_id,
            Deadline.judged_at.is_(None),
            Deadline.due_at <= now,
            Deadline.due_at > now - LOOKED_BACK,
            Deadline.position != CLOSING,
            Deadline.waiting_for != "",
        )
        .order_by(Deadline.due_at.desc(), Deadline.position, Homeroom.grade, Homeroom.id)
        .limit(MOST)
    )
    return list(found)


def _ids(waiting_for: str) -> list[int]:
    return [int(one) for one in waiting_for.split() if one.isdigit()]


def _read_gates(
    session: Session, school_id: int, days: dict[int, set[date]]
) -> dict[int, DarkGate]:
    """Gates have names for everybody whose homeroom waits for them."""
    found = session.execute(
        select(_READER.id, _READER.name, _READER.place, _HEALTH.drained_to, _HEALTH.seen_at)
        .outerjoin(ReaderHealth.__table__, _HEALTH.reader_id == _READER.id)
        .where(_READER.school_id == school_id, _READER.id.in_(days))
        .order_by(_READER.name, _READER.id)
    ).all()
    said = session.scalars(
        select(GateLeftOut)
        .where(GateLeftOut.school_id == school_id, GateLeftOut.reader_id.in_(days))
        .order_by(GateLeftOut.day.desc())
    )
    left_out: dict[int, list[LeftOut]] = defaultdict(list)
    for one in said:
        if one.day in days[one.reader_id]:
            kept = LeftOut(one.day, one.reason, one.said_by, one.said_at)
            left_out[one.reader_id].append(kept)
    return {
        row.id: DarkGate(*row, sorted(days[row.id], reverse=True), left_out[row.id])
        for row in found
    }


def _read_names(
    session: Session, school_id: int, days: Iterable[date]
) -> dict[tuple[date, int], str]:
    """What each session is called; homerooms may differ, then the first one's name stands."""
    found = session.execute(
        select(DayPlanRow.day, DayPlanRow.plan)
        .where(DayPlanRow.school_id == school_id, DayPlanRow.day.in_(days))
        .distinct()
    )
    names: dict[tuple[date, int], str] = {}
    for day, plan in found:
        for one in _PLAN.decode(plan).sessions:
            names.setdefault((day, one.position), one.name)
    return names

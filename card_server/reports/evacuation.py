"""An evacuation as it stands (疏散清点): who is found, who is missing, who left by a gate.

While it goes on, what the gates say is read with it: who tapped out after the list was made, and
who came or became known afterwards. When it ends that is kept, and the record changes no more but
by ticks that a phone without a network made before the end.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.reports.on_campus import Gate, list_rooms_inside, select_inside
from schema.tables.attendance import Presence
from schema.tables.evacuation import Evacuation, EvacuationStudent
from schema.tables.people import Student
from schema.tables.readers import Reader
from schema.tables.school import Homeroom

MOST_NAMES: Final = 100
"""Missing students of the whole school that one page names; the counts are of all."""
_READER: Final = Reader.__table__.c
_ROW: Final = EvacuationStudent
_GATES: Final = msgspec.json.Decoder(list[Gate])


@dataclass(frozen=True)
class Person:
    """One student of an evacuation."""

    student_id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    grade: int
    gate: str
    since_at: datetime
    is_unsure: bool
    is_later: bool
    left_at: datetime | None
    is_found: bool
    marked_at: datetime | None
    marked_by: str
    received_at: datetime | None
    is_marked: bool
    """On the list by a teacher's word of that day alone; `since_at` is when it was said."""
    is_added: bool
    """On no list, and found all the same."""

    @property
    def is_missing(self) -> bool:
        """By a tap they are here: nobody has found them, and no gate says that they are out."""
        is_known = not (self.is_unsure or self.is_marked or self.is_added)
        return not self.is_found and self.left_at is None and is_known


@dataclass(frozen=True)
class RoomProgress:
    """A homeroom's numbers; without an id those of all."""

    homeroom_id: int
    homeroom: str
    grade: int
    listed: int
    """On campus when it began."""
    found: int
    left: int
    """Not found, but a gate says that they went out."""
    missing: int
    """Later ones among them; not those of whom nobody knows whether they are here."""
    unsure: int
    """Counted as gone by the hour of closing alone, and not found."""
    later: int
    """Came, or became known, after the list was made."""
    marked: int = 0
    """Here by a teacher's word alone, and not found."""
    added: int = 0
    """Of the found those who stood on no list."""

    def __add__(self, other: "RoomProgress") -> "RoomProgress":
        return RoomProgress(
            0,
            "",
            0,
            self.listed + other.listed,
            self.found + other.found,
            self.left + other.left,
            self.missing + other.missing,
            self.unsure + other.unsure,
            self.later + other.later,
            self.marked + other.marked,
            self.added + other.added,
        )


NOBODY: Final = RoomProgress(0, "", 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class EvacuationLine:
    """An evacuation in the list of all."""

    id: int
    reason: str
    started_at: datetime
    started_by: str
    ended_at: datetime | None
    ended_by: str


def find_evacuation(session: Session, school_id: int, evacuation_id: int) -> Evacuation:
    """One evacuation. Raises AppError(NOT_FOUND)."""
    row = session.scalar(
        select(Evacuation).where(Evacuation.school_id == school_id, Evacuation.id == evacuation_id)
    )
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such evacuation.")
    return row


def find_running(session: Session, school_id: int) -> Evacuation | None:
    """The evacuation that goes on; None when there is none."""
    return session.scalar(select(Evacuation).where(Evacuation.running_school_id == school_id))


def list_evacuations(session: Session, school_id: int, limit: int) -> list[EvacuationLine]:
    """The newest first."""
    found = session.execute(
        select(
            Evacuation.id,
            Evacuation.reason,
            Evacuation.started_at,
            Evacuation.started_by,
            Evacuation.ended_at,
            Evacuation.ended_by,
        )
        .where(Evacuation.school_id == school_id)
        .order_by(Evacuation.started_at.desc(), Evacuation.id.desc())
        .limit(limit)
    )
    return [EvacuationLine(*row) for row in found]


def gates_then(evacuation: Evacuation) -> list[Gate]:
    """The gates, and how fresh each was when the list was made."""
    return _GATES.decode(evacuation.gates)


def read_progress(session: Session, evacuation: Evacuation) -> list[RoomProgress]:
    """Each homeroom's numbers within the caller's reach, by grade; two queries."""
    look = _Look(evacuation)
    is_waited_for = and_(not_(_ROW.is_found), look.left_at.is_(None))
    found = session.execute(
        select(
            Homeroom.id,
            Homeroom.name,
            Homeroom.grade,
            _number(and_(not_(look.is_later), look.is_certain)),
            _number(_ROW.is_found),
            _number(and_(not_(_ROW.is_found), look.left_at.is_not(None))),
            _number(and_(is_waited_for, look.is_certain)),
            _number(and_(not_(_ROW.is_found), look.is_unsure)),
            _number(look.is_later),
            _number(and_(is_waited_for, look.is_marked)),
            _number(and_(_ROW.is_found, look.is_added)),
        )
        .select_from(_ROW)
        .join(Homeroom, Homeroom.id == _ROW.homeroom_id)
        .outerjoin(Presence, look.whereabouts)
        .where(_ROW.evacuation_id == evacuation.id, look.counts)
        .group_by(Homeroom.id, Homeroom.name, Homeroom.grade)
    )
    rooms = {row[0]: RoomProgress(*row) for row in found}
    for room in _later_by_room(session, evacuation):
        rooms[room.homeroom_id] = _and_more(rooms.get(room.homeroom_id), room)
    return sorted(rooms.values(), key=lambda one: (one.grade, one.homeroom_id))


def _later_by_room(session: Session, evacuation: Evacuation) -> list[RoomProgress]:
    if evacuation.ended_at is not None:
        return []
    rooms = list_rooms_inside(session, evacuation.school_id, _is_not_listed(evacuation))
    return [
        RoomProgress(one.homeroom_id, one.homeroom, one.grade, 0, 0, 0, one.inside, 0, one.inside)
        for one in rooms
    ]


def _and_more(known: RoomProgress | None, more: RoomProgress) -> RoomProgress:
    both = (known or NOBODY) + more
    return replace(both, homeroom_id=more.homeroom_id, homeroom=more.homeroom, grade=more.grade)


def list_people(
    session: Session,
    evacuation: Evacuation,
    homeroom_id: int | None = None,
    *,
    is_missing_only: bool = False,
    limit: int | None = None,
) -> list[Person]:
    """Those of a homeroom, or of all; the missing first, then by number. Two queries."""
    look = _Look(evacuation)
    is_open = and_(not_(_ROW.is_found), look.left_at.is_(None), look.is_certain)
    wanted = _select_listed(look).where(_ROW.evacuation_id == evacuation.id, look.counts)
    if homeroom_id is not None:
        wanted = wanted.where(_ROW.homeroom_id == homeroom_id)
    if is_missing_only:
        wanted = wanted.where(is_open)
    order = (Homeroom.grade, Homeroom.id, Student.number)
    listed = [Person(*row) for row in session.execute(wanted.order_by(*order).limit(limit))]
    if evacuation.ended_at is None:
        later = select_inside(evacuation.school_id, _is_not_listed(evacuation), _LATER)
        if homeroom_id is not None:
            later = later.where(Student.homeroom_id == homeroom_id)
        found = session.execute(later.order_by(*order).limit(limit))
        listed += [Person(*row) for row in found]
    return sorted(
        listed,
        key=lambda one: (not one.is_missing, one.grade, one.homeroom_id, one.is_later, one.number),
    )


_LATER: Final[tuple[Any, ...]] = (
    Student.id,
    Student.name,
    Student.number,
    Homeroom.id,
    Homeroom.name,
    Homeroom.grade,
    func.coalesce(_READER.name, literal("")),
    Presence.since_at,
    false(),
    true(),
    null(),
    false(),
    null(),
    literal(""),
    null(),
    false(),
    false(),
)
"""A Person who stands on no list yet."""


class _Look:
    """How a row is to be read: as it was kept, or while it goes on with what the gates say."""

    def __init__(self, evacuation: Evacuation) -> None:
        self.whereabouts = and_(
            Presence.school_id == _ROW.school_id, Presence.student_id == _ROW.student_id
        )
        if evacuation.ended_at is not None:
            self.is_unsure: Any = _ROW.is_unsure
            self.is_later: Any = _ROW.is_later
            self.is_marked: Any = _ROW.is_marked
            self.is_added: Any = _ROW.is_added
            self.left_at: Any = _ROW.left_at
        else:
            self._read_gates()
        self.is_certain = and_(not_(self.is_unsure), not_(self.is_marked), not_(self.is_added))
        """A tap says that they were here."""
        self.counts = or_(not_(self.is_added), _ROW.is_found)
        """Of whom somebody found by mistake, and who stood on no list, nothing is said."""

    def _read_gates(self) -> None:
        is_back = func.coalesce(Presence.is_inside, false())
        without_tap = or_(_ROW.is_unsure, _ROW.is_marked, _ROW.is_added)
        self.is_unsure = and_(_ROW.is_unsure, not_(is_back))
        self.is_marked = and_(_ROW.is_marked, not_(is_back))
        self.is_added = and_(_ROW.is_added, not_(is_back))
        self.is_later = or_(_ROW.is_later, and_(without_tap, is_back))
        # Of whom no tap said that they were here, an exit says nothing unless it is newer.
        has_left = and_(
            not_(_ROW.is_unsure),
            Presence.is_inside.is_(False),
            Presence.is_closed.is_(False),
            or_(
                and_(not_(_ROW.is_marked), not_(_ROW.is_added)),
                Presence.since_at > _ROW.since_at,
            ),
        )
        self.left_at = case((has_left, Presence.since_at), else_=null())


def _select_listed(look: _Look) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Student.id,
            Student.name,
            Student.number,
            _ROW.homeroom_id,
            Homeroom.name,
            Homeroom.grade,
            func.coalesce(_READER.name, literal("")),
            _ROW.since_at,
            look.is_unsure,
            look.is_later,
            look.left_at,
            _ROW.is_found,
            _ROW.marked_at,
            _ROW.marked_by,
            _ROW.received_at,
            look.is_marked,
            look.is_added,
        )
        .select_from(_ROW)
        .join(Student, Student.id == _ROW.student_id)
        .join(Homeroom, Homeroom.id == _ROW.homeroom_id)
        .outerjoin(
            Reader.__table__,
            and_(_READER.id == _ROW.reader_id, _READER.school_id == _ROW.school_id),
        )
        .outerjoin(Presence, look.whereabouts)
    )


def _is_not_listed(evacuation: Evacuation) -> ColumnElement[bool]:
    """By the table: who is on the list beyond the caller's reach is no later one either."""
    row = EvacuationStudent.__table__.c
    return Presence.student_id.not_in(
        select(row.student_id).where(row.evacuation_id == evacuation.id)
    )


def _number(condition: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

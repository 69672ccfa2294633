"""Who is on campus now (在校): by homeroom and last gate, and up to when each gate has delivered.

It is as right as the taps that have arrived: whether a gate's taps may be missing stands beside it.
Gates' names and freshness are nobody's secret, so they are read for every gate whoever asks; who
is inside is limited to what the caller sees.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, Result, Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from card_server.people.boarding_days import boards_on
from card_server.people.student_search import matches
from card_server.register.schools import zone_of
from card_server.reports.leaves_now import leave_now, leaves_now
from card_server.reports.marked_present import day_of_marks, is_marked
from card_server.reports.unseen_boarders import is_unseen
from card_server.school_time import day_of
from schema.tables.attendance import Presence
from schema.tables.leave import LeaveKind
from schema.tables.people import Student, StudentStatus
from schema.tables.readers import Purpose, Reader, ReaderHealth
from schema.tables.school import Homeroom

FRESH_FOR: Final = timedelta(minutes=5)
"""A gate that has delivered nothing for longer may know of somebody of whom nobody else does."""
UNSEEN_FOR: Final = timedelta(hours=24)
"""So long after the school closed upon a student whom nobody saw leave, they are still named."""
OF_THE_SCHOOL: Final = (StudentStatus.ENROLLED, StudentStatus.SUSPENDED)
"""Who leaves for good was not seen off by every gate: they are no more of the school."""
_READER: Final = Reader.__table__.c
_HEALTH: Final = ReaderHealth.__table__.c


class Gate(Struct, frozen=True):
    """A gate, and how fresh what is known of it is."""

    reader_id: int
    name: str
    delivered_to: datetime | None
    """Every tap before this has arrived; None where the gate never said so."""

    def is_old(self, now: datetime) -> bool:
        """Whether somebody may have passed there of whom nothing is known yet."""
        return self.delivered_to is None or now - self.delivered_to > FRESH_FOR


class Boards(StrEnum):
    """Whom a list shows by where they sleep."""

    BOARDER = "boarder"
    DAY = "day"
    UNSEEN = "unseen"
    """A boarder of whom nothing was seen since before the last days without lessons."""


BOARDS_ASKED: Final = {"yes": Boards.BOARDER, "no": Boards.DAY, "unseen": Boards.UNSEEN}
"""How an address asks for them."""


@dataclass(frozen=True)
class Wanted:
    """Which of those on campus; None is all of them."""

    homeroom_id: int | None = None
    reader_id: int | None = None
    """0 for whom a guard let in without a card."""
    boards: Boards | None = None
    is_on_leave: bool | None = None
    words: str = ""
    """A name, its pinyin, or a student number's beginning."""


@dataclass(frozen=True)
class Inside:
    """One student on campus."""

    student_id: int
    name: str
    number: str
    homeroom_id: int
    homeroom: str
    grade: int
    since_at: datetime
    reader_id: int
    gate: str
    """Empty where a guard wrote the passage down."""
    is_boarder: bool
    leave: LeaveKind | None
    """The leave that is in force now: the student should not be here."""
    is_unsure: bool
    """Nobody saw the student leave before the school closed; they count as gone."""


@dataclass(frozen=True)
class RoomCount:
    """How many of a homeroom are on campus."""

    homeroom_id: int
    homeroom: str
    grade: int
    inside: int


@dataclass(frozen=True)
class OnCampus:
    """The numbers of those on campus within the caller's reach."""

    rooms: list[RoomCount]
    by_gate: dict[int, int]
    """By the reader of the last passage; 0 for whom a guard wrote down."""
    gates: list[Gate]
    retired: list[Gate]
    """Gates that are not in use any more: of use for their names alone."""
    unsure: int
    """Counted as gone by the hour of closing alone."""

    @property
    def inside(self) -> int:
        return sum(room.inside for room in self.rooms)


def read_gates(session: Session, school_id: int) -> list[Gate]:
    """All of a school's gates that are in use, in one query, by their names."""
    return _read_all_gates(session, school_id)[0]


def _read_all_gates(session: Session, school_id: int) -> tuple[list[Gate], list[Gate]]:
    """The gates that are in use, and the retired ones."""
    found = session.execute(
        select(_READER.id, _READER.name, _HEALTH.drained_to, _READER.retired_at)
        .outerjoin(ReaderHealth.__table__, _HEALTH.reader_id == _READER.id)
        .where(_READER.school_id == school_id, _READER.purpose == Purpose.GATE)
        .order_by(_READER.name, _READER.id)
    )
    used, retired = list[Gate](), list[Gate]()
    for reader_id, name, drained_to, retired_at in found:
        gates = used if retired_at is None else retired
        gates.append(Gate(reader_id, name, drained_to))
    return used, retired


def read_counts(session: Session, school_id: int, now: datetime) -> OnCampus:
    """Three queries, whatever the size of the school."""
    rooms: dict[int, RoomCount] = {}
    by_gate: Counter[int] = Counter()
    unsure = 0
    for homeroom_id, name, grade, reader_id, is_inside, number in _count_all(
        session, school_id, now
    ):
        if not is_inside:
            unsure += number
            continue
        room = rooms.get(homeroom_id)
        inside = number + (room.inside if room else 0)
        rooms[homeroom_id] = RoomCount(homeroom_id, name, grade, inside)
        by_gate[reader_id] += number
    gates, retired = _read_all_gates(session, school_id)
    return OnCampus(list(rooms.values()), dict(by_gate), gates, retired, unsure)


def _count_all(
    session: Session, school_id: int, now: datetime
) -> Result[int, str, int, int, bool, int]:
    """Those inside and those of whom nobody is sure, by homeroom and last gate, by grade."""
    counts = (
        select(
            Student.homeroom_id,
            Presence.reader_id,
            Presence.is_inside,
            func.count().label("students"),
        )
        .select_from(Presence)
        .join(Student, Student.id == Presence.student_id)
        .where(or_(is_inside(school_id), is_unsure(session, school_id, now)))
        .group_by(Student.homeroom_id, Presence.reader_id, Presence.is_inside)
        .subquery()
    )
    return session.execute(
        select(
            Homeroom.id,
            Homeroom.name,
            Homeroom.grade,
            counts.c.reader_id,
            counts.c.is_inside,
            counts.c.students,
        )
        .join(counts, counts.c.homeroom_id == Homeroom.id)
        .order_by(Homeroom.grade, Homeroom.id)
    )


def list_rooms_inside(
    session: Session, school_id: int, condition: ColumnElement[bool]
) -> list[RoomCount]:
    """How many of each homeroom are on campus and meet a condition, by grade; in one query."""
    rooms = session.execute(
        select(Homeroom.id, Homeroom.name, Homeroom.grade, func.count())
        .select_from(Presence)
        .join(Student, Student.id == Presence.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(is_inside(school_id), condition)
        .group_by(Homeroom.id, Homeroom.name, Homeroom.grade)
        .order_by(Homeroom.grade, Homeroom.id)
    )
    return [RoomCount(*row) for row in rooms]


_ORDERS: Final[dict[str, tuple[Any, ...]]] = {
    "homeroom": (Homeroom.grade, Homeroom.id, Student.number),
    "name": (Student.pinyin, Student.number),
    "number": (Student.number,),
    "since": (Presence.since_at, Student.number),
    "gate": (_READER.name, Homeroom.grade, Homeroom.id, Student.number),
}
SORTS: Final = tuple(_ORDERS)


@dataclass(frozen=True)
class Part:
    """Which part of a list, in which order."""

    sort: str = "homeroom"
    is_descending: bool = False
    first: int = 0
    """The number of the first row, from 0."""
    limit: int | None = None
    """None for all of them."""


def list_inside(
    session: Session, school_id: int, wanted: Wanted, now: datetime, part: Part
) -> list[Inside]:
    """A part of those on campus."""
    order = [
        column.desc() if part.is_descending else column
        for column in (*_ORDERS.get(part.sort, _ORDERS["homeroom"]), Student.id)
    ]
    zone = zone_of(session, school_id)
    is_wanted = (is_inside(school_id), *_conditions(session, school_id, wanted, now, zone))
    if part.limit is None:
        found = _select(school_id, now, zone).where(*is_wanted)
    else:
        # Where they sleep and their leave are looked up for those of this part alone.
        ids = select_present(school_id, (Student.id,)).where(*is_wanted)
        ids = ids.order_by(*order).offset(part.first).limit(part.limit)
        found = _select(school_id, now, zone).where(Student.id.in_(ids))
    return [Inside(*row) for row in session.execute(found.order_by(*order))]


def list_by_id(
    session: Session, school_id: int, wanted: Wanted, now: datetime, after: int, limit: int
) -> list[Inside]:
    """The next of those on campus after a student's id, by id."""
    found = _select_after(session, school_id, wanted, now, after, limit)
    return [Inside(*row) for row in session.execute(found.where(is_inside(school_id)))]


def list_unsure_by_id(
    session: Session, school_id: int, wanted: Wanted, now: datetime, after: int, limit: int
) -> list[Inside]:
    """The next of those who count as gone by the hour of closing alone, by id."""
    found = _select_after(session, school_id, wanted, now, after, limit).where(
        is_unsure(session, school_id, now)
    )
    return [Inside(*row) for row in session.execute(found)]


def _select_after(
    session: Session, school_id: int, wanted: Wanted, now: datetime, after: int, limit: int
) -> Select[*tuple[Any, ...]]:
    zone = zone_of(session, school_id)
    found = _select(school_id, now, zone).where(
        *_conditions(session, school_id, wanted, now, zone), Student.id > after
    )
    return found.order_by(Student.id).limit(limit)


def count_inside(session: Session, school_id: int, wanted: Wanted, now: datetime) -> int:
    """How many of those on campus are wanted."""
    zone = zone_of(session, school_id)
    found = (
        select(func.count())
        .select_from(Presence)
        .join(Student, Student.id == Presence.student_id)
        .where(is_inside(school_id), *_conditions(session, school_id, wanted, now, zone))
    )
    return session.scalar(found) or 0


def read_all(
    session: Session, school_id: int, wanted: Wanted, now: datetime, batch: int
) -> Iterator[Inside]:
    """All of them by homeroom, a batch at a time."""
    first = 0
    while True:
        found = list_inside(session, school_id, wanted, now, Part(first=first, limit=batch))
        yield from found
        if len(found) < batch:
            return
        first += batch


def list_unsure(session: Session, school_id: int, wanted: Wanted, now: datetime) -> list[Inside]:
    """Who counts as gone by the hour of closing alone, by homeroom, in two queries."""
    zone = zone_of(session, school_id)
    found = (
        _select(school_id, now, zone)
        .where(
            is_unsure(session, school_id, now),
            *_conditions(session, school_id, wanted, now, zone),
        )
        .order_by(*_ORDERS["homeroom"], Student.id)
    )
    return [Inside(*row) for row in session.execute(found)]


def select_inside(
    school_id: int, condition: ColumnElement[bool], columns: tuple[Any, ...]
) -> Select[*tuple[Any, ...]]:
    """Columns of presence, student, homeroom and reader, of those on campus."""
    return select_present(school_id, columns).where(is_inside(school_id), condition)


def _select(school_id: int, now: datetime, zone: ZoneInfo) -> Select[*tuple[Any, ...]]:
    return select_present(
        school_id,
        (
            Student.id,
            Student.name,
            Student.number,
            Homeroom.id,
            Homeroom.name,
            Homeroom.grade,
            Presence.since_at,
            Presence.reader_id,
            func.coalesce(_READER.name, literal("")),
            boards_on(day_of(now, zone)).label("is_boarder"),
            leave_now(now).label("leave"),
            Presence.is_inside.is_(False).label("is_unsure"),
        ),
    )


def select_present(school_id: int, columns: tuple[Any, ...]) -> Select[*tuple[Any, ...]]:
    """Columns of presence, student, homeroom and reader, of whoever was ever seen."""
    return (
        select(*columns)
        .select_from(Presence)
        .join(Student, Student.id == Presence.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .outerjoin(
            Reader.__table__,
            and_(_READER.id == Presence.reader_id, _READER.school_id == school_id),
        )
    )


def is_inside(school_id: int) -> ColumnElement[bool]:
    """They are on campus."""
    return _is_of_school(school_id) & Presence.is_inside.is_(True)


def is_unsure(session: Session, school_id: int, now: datetime) -> ColumnElement[bool]:
    """They count as gone by the hour of closing alone; not whom somebody marked present since."""
    is_closed = and_(
        _is_of_school(school_id),
        Presence.is_inside.is_(False),
        Presence.is_closed.is_(True),
        Presence.since_at > now - UNSEEN_FOR,
    )
    day = day_of_marks(session, school_id, now)
    return is_closed if day is None else is_closed & ~is_marked(school_id, day)


def _is_of_school(school_id: int) -> ColumnElement[bool]:
    return and_(
        Presence.school_id == school_id,
        Student.status.in_(OF_THE_SCHOOL),
        Student.erased_at.is_(None),
    )


def _conditions(
    session: Session, school_id: int, wanted: Wanted, now: datetime, zone: ZoneInfo
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.homeroom_id is not None:
        conditions.append(Student.homeroom_id == wanted.homeroom_id)
    if wanted.reader_id is not None:
        conditions.append(Presence.reader_id == wanted.reader_id)
    if wanted.boards is Boards.UNSEEN:
        conditions.append(is_unseen(session, school_id, now, zone))
    elif wanted.boards is not None:
        is_boarder = boards_on(day_of(now, zone))
        conditions.append(is_boarder if wanted.boards is Boards.BOARDER else ~is_boarder)
    if wanted.is_on_leave is not None:
        on_leave = leaves_now(now).exists()
        conditions.append(on_leave if wanted.is_on_leave else ~on_leave)
    if wanted.words.strip():
        conditions.append(matches(" ".join(wanted.words.split())))
    return conditions

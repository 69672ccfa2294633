"""The register of leave slips (请假台账): which of them, by student, room, kind, state and days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy.orm import Session

from card_server.leave.lists import SlipLine, read_lines, select_lines
from card_server.leave.wishes import MAX_DAYS
from card_server.people.student_search import matches
from card_server.school_time import bounds_of
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.people import Student
from schema.tables.school import Homeroom

_ORDERS: Final[dict[str, tuple[Any, ...]]] = {
    "name": (Student.pinyin, Student.number),
    "number": (Student.number,),
    "homeroom": (Homeroom.grade, Homeroom.id, Student.number),
    "kind": (LeaveSlip.kind,),
    "from": (LeaveSlip.from_at,),
    "until": (LeaveSlip.until_at,),
    "state": (LeaveSlip.state,),
    "asked": (LeaveSlip.asked_at,),
}
SORTS: Final = tuple(_ORDERS)
_LONGEST: Final = timedelta(days=MAX_DAYS + 1)
"""No slip lasts longer, whatever the clocks are put to meanwhile."""


@dataclass(frozen=True)
class Wanted:
    """Which slips; None is all of them."""

    begin: datetime | None = None
    """They end after this."""
    end: datetime | None = None
    """They begin before this."""
    homeroom_id: int | None = None
    """The student's homeroom of today."""
    grade: int | None = None
    kind: LeaveKind | None = None
    state: LeaveState | None = None
    student_id: int | None = None
    words: str = ""
    """A name, its pinyin, or a student number's beginning."""


def moments_of(
    first: date | None, last: date | None, zone: ZoneInfo
) -> tuple[datetime | None, datetime | None]:
    """Between which moments a slip lies over these days of the school, for `Wanted`."""
    begin = bounds_of(first, zone)[0] if first else None
    return begin, bounds_of(last, zone)[1] if last else None


def count_register(session: Session, school_id: int, wanted: Wanted) -> int:
    """How many slips are wanted within the caller's reach."""
    found = _select(school_id, wanted).with_only_columns(func.count(), maintain_column_froms=True)
    return session.scalar(found) or 0


def list_counted(
    session: Session, school_id: int, wanted: Wanted, sort: str, first: int, limit: int
) -> tuple[list[SlipLine], int]:
    """A part of them, from row `first` (0 is the first), and how many there are.

    `sort` is one of SORTS, with a leading minus for descending. One query where any are found.
    """
    lines = _select(school_id, wanted).add_columns(func.count().over())
    found = session.execute(lines.order_by(*_order(sort)).offset(first).limit(limit)).all()
    if not found:
        return [], count_register(session, school_id, wanted)
    return [SlipLine(*row[:-1]) for row in found], found[0][-1]


def read_register(
    session: Session, school_id: int, wanted: Wanted, sort: str, batch: int
) -> Iterator[SlipLine]:
    """All of them, some at a time."""
    lines, begin = _select(school_id, wanted).order_by(*_order(sort)), 0
    while found := read_lines(session, lines.offset(begin).limit(batch)):
        yield from found
        if len(found) < batch:
            return
        begin += batch


def slips_after(
    session: Session, school_id: int, wanted: Wanted, after_id: int, limit: int
) -> list[SlipLine]:
    """The wanted slips after an id, in the order of their ids, for programs that read them all."""
    lines = _select(school_id, wanted).where(LeaveSlip.id > after_id)
    return read_lines(session, lines.order_by(LeaveSlip.id).limit(limit))


def _select(school_id: int, wanted: Wanted) -> Select[*tuple[Any, ...]]:
    return select_lines().where(LeaveSlip.school_id == school_id, *_conditions(wanted))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Days are a span of the index of ends: a slip that begins in time ends soon after."""
    asked: tuple[tuple[object, ColumnElement[bool]], ...] = (
        (wanted.homeroom_id, Student.homeroom_id == wanted.homeroom_id),
        (wanted.grade, Homeroom.grade == wanted.grade),
        (wanted.kind, LeaveSlip.kind == wanted.kind),
        (wanted.state, LeaveSlip.state == wanted.state),
        (wanted.student_id, LeaveSlip.student_id == wanted.student_id),
    )
    conditions = [condition for value, condition in asked if value is not None]
    if wanted.begin is not None:
        conditions.append(LeaveSlip.until_at > wanted.begin)
    if wanted.end is not None:
        conditions.append(LeaveSlip.from_at < wanted.end)
        conditions.append(LeaveSlip.until_at < wanted.end + _LONGEST)
    if wanted.words.strip():
        conditions.append(matches(" ".join(wanted.words.split())))
    return conditions


def _order(sort: str) -> list[Any]:
    """By the column that is asked; the same ones always in the same order."""
    columns = (*_ORDERS.get(sort.removeprefix("-"), _ORDERS["from"]), LeaveSlip.id)
    return [column.desc() if sort.startswith("-") else column for column in columns]

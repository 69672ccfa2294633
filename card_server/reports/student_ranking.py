"""Students by how often they were late, left early, were absent or on leave over a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, asc, desc, func, select
from sqlalchemy.orm import Session

from card_server.attendance.counted import LATE
from card_server.people.student_search import matches
from card_server.reports.odd_days import is_odd_between
from schema.tables.attendance import Attendance
from schema.tables.people import Student
from schema.tables.school import Homeroom

SORTS: Final = (
    "name",
    "number",
    "homeroom",
    "late",
    "late_minutes",
    "left_early",
    "absent",
    "on_leave",
)


@dataclass(frozen=True)
class StudentLine:
    """A student of whom something is to be said; times are sessions."""

    id: int
    number: str
    name: str
    homeroom_id: int
    homeroom: str
    late: int
    late_minutes: int
    left_early: int
    absent: int
    on_leave: int


@dataclass(frozen=True)
class Wanted:
    """Which students, over which time."""

    first: date
    last: date
    grade: int | None = None
    homeroom_id: int | None = None
    """The homeroom of today."""
    words: str = ""


def count_lines(session: Session, school_id: int, wanted: Wanted) -> int:
    """How many students there are of whom something is to be said."""
    lines = _select(school_id, wanted).subquery()
    return session.scalar(select(func.count()).select_from(lines)) or 0


def list_counted(
    session: Session, school_id: int, wanted: Wanted, sort: str, first: int, limit: int
) -> tuple[list[StudentLine], int]:
    """A part of them, as `list_lines`, and how many there are; one query where any are found."""
    lines = _select(school_id, wanted).add_columns(func.count().over())
    found = session.execute(lines.order_by(*_order(sort)).offset(first).limit(limit)).all()
    if not found:
        return [], count_lines(session, school_id, wanted)
    return [StudentLine(*row[:-1]) for row in found], found[0][-1]


def list_lines(
    session: Session, school_id: int, wanted: Wanted, sort: str, first: int, limit: int
) -> list[StudentLine]:
    """A part of them; `sort` is one of SORTS, with a leading minus for descending."""
    lines = _select(school_id, wanted).order_by(*_order(sort)).offset(first).limit(limit)
    return [StudentLine(*row) for row in session.execute(lines)]


def read_lines(
    session: Session, school_id: int, wanted: Wanted, sort: str, batch: int
) -> Iterator[StudentLine]:
    """All of them, some at a time."""
    begin = 0
    while found := list_lines(session, school_id, wanted, sort, begin, batch):
        yield from found
        if len(found) < batch:
            return
        begin += batch


_NUMBERS: Final[dict[str, ColumnElement[int]]] = {
    "late": func.sum(LATE),
    "late_minutes": func.sum(Attendance.late_minutes),
    "left_early": func.sum(Attendance.left_early),
    "absent": func.sum(Attendance.absent),
    "on_leave": func.sum(Attendance.on_leave),
}


def _select(school_id: int, wanted: Wanted) -> Select[Any]:
    sums = (
        select(Attendance.student_id, *(sums.label(name) for name, sums in _NUMBERS.items()))
        .where(is_odd_between(school_id, wanted.first, wanted.last))
        .group_by(Attendance.student_id)
        .subquery()
    )
    lines = (
        select(
            Student.id,
            Student.number,
            Student.name,
            Homeroom.id,
            Homeroom.name,
            *(sums.c[name] for name in _NUMBERS),
        )
        .select_from(sums)
        .join(Student, Student.id == sums.c.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(
            Student.school_id == school_id,
            sums.c.late + sums.c.left_early + sums.c.absent + sums.c.on_leave > 0,
        )
    )
    if wanted.grade is not None:
        lines = lines.where(Homeroom.grade == wanted.grade)
    if wanted.homeroom_id is not None:
        lines = lines.where(Homeroom.id == wanted.homeroom_id)
    if wanted.words.strip():
        lines = lines.where(matches(" ".join(wanted.words.split())))
    return lines


def _order(sort: str) -> tuple[Any, ...]:
    """By the column that is asked; the same ones always in the same order."""
    name = sort.removeprefix("-")
    columns: dict[str, Any] = {
        "name": Student.pinyin,
        "number": Student.number,
        "homeroom": Homeroom.id,
    }
    column = columns.get(name, name)
    return (desc(column) if sort.startswith("-") else asc(column)), asc(Student.number)

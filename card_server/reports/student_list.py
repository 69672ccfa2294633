"""A school's students as a list: by homeroom, status and boarding, in the order that is asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session

from card_server.people.boarding_days import boards_on
from card_server.people.student_search import matches
from card_server.reports.on_campus import Part
from schema.tables.people import Sex, Student, StudentStatus
from schema.tables.school import Homeroom

MOST_FOUND = 50
"""Whom a search by words shows."""


@dataclass(frozen=True)
class Wanted:
    """Which students; None is all of them."""

    homeroom_id: int | None = None
    status: StudentStatus | None = StudentStatus.ENROLLED
    is_boarding: bool | None = None
    is_gone: bool | None = None
    """Whether the register's last file does not name them any more."""
    words: str = ""
    """A name, its pinyin, or a student number's beginning."""


@dataclass(frozen=True)
class StudentLine:
    """One student of the list."""

    id: int
    number: str
    name: str
    sex: Sex
    born_on: date | None
    homeroom_id: int
    homeroom: str
    grade: int
    status: StudentStatus
    status_since: date | None
    is_boarding: bool
    is_gone: bool


_ORDERS: dict[str, tuple[Any, ...]] = {
    "homeroom": (Homeroom.grade, Homeroom.id, Student.number),
    "name": (Student.pinyin, Student.number),
    "number": (Student.number,),
    "status": (Student.status, Homeroom.grade, Homeroom.id, Student.number),
}
SORTS = tuple(_ORDERS)


def count_students(session: Session, school_id: int, wanted: Wanted, today: date) -> int:
    """How many there are; who boards is asked of `today`."""
    found = select(func.count()).select_from(Student).where(*_conditions(school_id, wanted, today))
    return session.scalar(found) or 0


def list_students(
    session: Session,
    school_id: int,
    wanted: Wanted,
    today: date,
    part: Part,
) -> list[StudentLine]:
    """A part of them."""
    order = [
        column.desc() if part.is_descending else column
        for column in (*_ORDERS.get(part.sort, _ORDERS["homeroom"]), Student.id)
    ]
    found = session.execute(
        _select(school_id, wanted, today).order_by(*order).offset(part.first).limit(part.limit)
    )
    return [StudentLine(*row) for row in found]


def read_all(
    session: Session, school_id: int, wanted: Wanted, today: date, batch: int
) -> Iterator[StudentLine]:
    """All of them by homeroom, a batch at a time."""
    after: tuple[int, int, str, int] | None = None
    while True:
        part = _select(school_id, wanted, today).order_by(*_ORDERS["homeroom"], Student.id)
        if after is not None:
            part = part.where(_is_after(after))
        found = [StudentLine(*row) for row in session.execute(part.limit(batch))]
        yield from found
        if len(found) < batch:
            return
        last = found[-1]
        after = (last.grade, last.homeroom_id, last.number, last.id)


def _is_after(key: tuple[int, int, str, int]) -> ColumnElement[bool]:
    return tuple_(Homeroom.grade, Homeroom.id, Student.number, Student.id) > key


def list_rooms(session: Session, school_id: int) -> list[tuple[int, str]]:
    """Id and name of each homeroom of today within reach, to choose from."""
    found = session.execute(
        select(Homeroom.id, Homeroom.name)
        .where(Homeroom.school_id == school_id, Homeroom.is_past.is_(False))
        .order_by(Homeroom.grade, Homeroom.id)
    )
    return [(key, name) for key, name in found]


def _select(school_id: int, wanted: Wanted, today: date) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Student.id,
            Student.number,
            Student.name,
            Student.sex,
            Student.born_on,
            Student.homeroom_id,
            Homeroom.name,
            Homeroom.grade,
            Student.status,
            Student.status_since,
            boards_on(today).label("is_boarding"),
            Student.gone_at.is_not(None).label("is_gone"),
        )
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(*_conditions(school_id, wanted, today))
    )


def _conditions(school_id: int, wanted: Wanted, today: date) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Student.school_id == school_id]
    if wanted.homeroom_id is not None:
        conditions.append(Student.homeroom_id == wanted.homeroom_id)
    if wanted.status is not None:
        conditions.append(Student.status == wanted.status)
    if wanted.is_boarding is not None:
        conditions.append(boards_on(today) if wanted.is_boarding else ~boards_on(today))
    if wanted.is_gone is not None:
        gone = Student.gone_at
        conditions.append(gone.is_not(None) if wanted.is_gone else gone.is_(None))
    if wanted.words.strip():
        conditions.append(matches(" ".join(wanted.words.split())))
    return conditions

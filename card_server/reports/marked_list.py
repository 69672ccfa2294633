"""The lists of those whom staff marked present today and of whom no tap says that they are here."""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from card_server.people.boarding_days import boards_on
from card_server.people.student_search import matches
from card_server.reports.leaves_now import read_leaves_now
from card_server.reports.marked_present import day_of_marks, holds, marked_on
from card_server.reports.on_campus import (
    OF_THE_SCHOOL,
    Boards,
    Inside,
    Wanted,
)
from schema.tables.attendance import Presence
from schema.tables.people import Student
from schema.tables.school import Homeroom

_PRESENCE: Final = Presence.__table__.c


def list_marked(session: Session, school_id: int, wanted: Wanted, now: datetime) -> list[Inside]:
    """Who is here by a teacher's word alone, by homeroom; `since_at` is when that was said.

    They came by no gate: a list by gate has none of them, nor has one of boarders nobody has seen.
    """
    if wanted.reader_id is not None or wanted.boards is Boards.UNSEEN:
        return []
    today = day_of_marks(session, school_id, now)
    if today is None:
        return []
    leaves = read_leaves_now(session, school_id, now)
    marked = marked_on(school_id, today)
    columns = (
        Student.id,
        Student.name,
        Student.number,
        Homeroom.id,
        Homeroom.name,
        Homeroom.grade,
        marked.c.made_at,
        boards_on(today),
    )
    found = session.execute(
        _select(columns, marked, school_id, wanted, today).order_by(
            Homeroom.grade, Homeroom.id, Student.number, Student.id
        )
    )
    people = [
        Inside(
            student_id,
            name,
            number,
            homeroom_id,
            homeroom,
            grade,
            made_at,
            0,
            "",
            boards_there,
            leaves.get(student_id),
            is_unsure=False,
        )
        for student_id, name, number, homeroom_id, homeroom, grade, made_at, boards_there in found
    ]
    if wanted.is_on_leave is None:
        return people
    return [one for one in people if (one.leave is not None) == wanted.is_on_leave]


def count_marked(session: Session, school_id: int, now: datetime) -> int:
    """How many they are within the caller's reach."""
    today = day_of_marks(session, school_id, now)
    if today is None:
        return 0
    wanted = _select(
        (func.count(Student.id),), marked_on(school_id, today), school_id, Wanted(), today
    )
    return session.scalar(wanted) or 0


def _select(
    columns: tuple[Any, ...], marked: Any, school_id: int, wanted: Wanted, today: date
) -> Select[*tuple[Any, ...]]:
    """By the table of presence: a row of it beyond the caller's reach is no missing one."""
    return (
        select(*columns)
        .select_from(Student)
        .join(marked, marked.c.student_id == Student.id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .outerjoin(
            Presence.__table__,
            and_(_PRESENCE.school_id == school_id, _PRESENCE.student_id == Student.id),
        )
        .where(
            Student.school_id == school_id,
            Student.status.in_(OF_THE_SCHOOL),
            Student.erased_at.is_(None),
            holds(marked),
            *_conditions(wanted, today),
        )
    )


def _conditions(wanted: Wanted, today: date) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.homeroom_id is not None:
        conditions.append(Student.homeroom_id == wanted.homeroom_id)
    if wanted.boards is not None:
        conditions.append(
            boards_on(today) if wanted.boards is Boards.BOARDER else ~boards_on(today)
        )
    if wanted.words.strip():
        conditions.append(matches(" ".join(wanted.words.split())))
    return conditions

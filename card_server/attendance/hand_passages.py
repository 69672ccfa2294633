"""Passages by hand (手工放行): the guard's word for who had no card, in or out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Result, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import Passing
from card_server.errors import AppError, Code
from schema.tables.attendance import HandPassage
from schema.tables.people import Student
from schema.tables.readers import Direction
from schema.tables.school import Homeroom

BY_HAND = 0
"""The reader of a guard's word."""


@dataclass(frozen=True)
class PassageLine:
    """One passage as the guard's page lists it."""

    id: int
    student_id: int
    name: str
    number: str
    homeroom: str
    at: datetime
    direction: Direction
    reason: str
    made_by: str
    made_by_id: int | None
    made_at: datetime
    ended_by: str
    ended_at: datetime | None


def passings_of(
    session: Session,
    school_id: int,
    student_ids: Collection[int],
    from_at: datetime,
    until_at: datetime,
) -> dict[int, list[Passing]]:
    """Each student's passages by hand in a time, `until_at` not in it; in one query."""
    found = session.execute(
        select(HandPassage.student_id, HandPassage.at, HandPassage.direction)
        .where(
            HandPassage.school_id == school_id,
            HandPassage.student_id.in_(student_ids),
            HandPassage.at >= from_at,
            HandPassage.at < until_at,
            HandPassage.ended_at.is_(None),
        )
        .order_by(HandPassage.at, HandPassage.id)
    )
    passings: dict[int, list[Passing]] = {}
    for student_id, at, direction in found:
        passings.setdefault(student_id, []).append(Passing(None, at, BY_HAND, direction))
    return passings


def list_passages(
    session: Session,
    school_id: int,
    since: datetime,
    limit: int,
    student_id: int | None = None,
    until: datetime | None = None,
) -> list[PassageLine]:
    """The passages by hand since a moment, the newest first; those taken back as well."""
    wanted = (
        select(
            HandPassage.id,
            HandPassage.student_id,
            Student.name,
            Student.number,
            Homeroom.name,
            HandPassage.at,
            HandPassage.direction,
            HandPassage.reason,
            HandPassage.made_by,
            HandPassage.made_by_id,
            HandPassage.made_at,
            HandPassage.ended_by,
            HandPassage.ended_at,
        )
        .join(Student, Student.id == HandPassage.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(HandPassage.school_id == school_id, HandPassage.at >= since)
    )
    if student_id is not None:
        wanted = wanted.where(HandPassage.student_id == student_id)
    if until is not None:
        wanted = wanted.where(HandPassage.at < until)
    order = (HandPassage.made_at.desc(), HandPassage.id.desc())
    found: Result[*tuple[Any, ...]] = session.execute(wanted.order_by(*order).limit(limit))
    return [PassageLine(*row) for row in found]


def find_passage(
    session: Session, school_id: int, passage_id: int, is_locked: bool = False
) -> HandPassage:
    """One passage by hand. Raises AppError(NOT_FOUND)."""
    wanted = select(HandPassage).where(
        HandPassage.school_id == school_id, HandPassage.id == passage_id
    )
    row = session.scalar(wanted.with_for_update() if is_locked else wanted)
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such passage.")
    return row

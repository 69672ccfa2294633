"""What students and homerooms are called whose days are judged anew; a try-out keeps ids alone."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.storage.among import is_among
from schema.tables.people import Student
from schema.tables.school import Homeroom


class StudentName(NamedTuple):
    """How a list names a student."""

    number: str
    name: str


def name_students(session: Session, ids: Collection[int]) -> dict[int, StudentName]:
    """These students by id, as far as the session sees them."""
    if not ids:
        return {}
    wanted = select(Student.id, Student.number, Student.name)
    found = session.execute(wanted.where(is_among(session, Student.id, ids)))
    return {id_: StudentName(number, name) for id_, number, name in found}


def name_homerooms(session: Session, ids: Collection[int]) -> dict[int, str]:
    """These homerooms by id, those of years that are over among them."""
    if not ids:
        return {}
    wanted = select(Homeroom.id, Homeroom.name)
    found = session.execute(wanted.where(is_among(session, Homeroom.id, ids)))
    return {row.id: row.name for row in found}

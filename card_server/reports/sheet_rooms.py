"""The homerooms that have sheets: the one in question, and those beside it to choose from."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from schema.tables.school import Homeroom


@dataclass(frozen=True)
class SheetRoom:
    """A homeroom."""

    id: int
    name: str
    grade: int


def read_rooms(session: Session, school_id: int, homeroom_id: int | None = None) -> list[SheetRoom]:
    """The homerooms of today within reach, and this one though its year is over; by grade."""
    found = session.execute(
        select(Homeroom.id, Homeroom.name, Homeroom.grade)
        .where(
            Homeroom.school_id == school_id,
            or_(Homeroom.is_past.is_(False), Homeroom.id == homeroom_id),
        )
        .order_by(Homeroom.grade, Homeroom.id)
    )
    return [SheetRoom(*row) for row in found]


def find_room(rooms: Iterable[SheetRoom], homeroom_id: int) -> SheetRoom:
    """That homeroom. Raises AppError(NOT_FOUND)."""
    found = next((one for one in rooms if one.id == homeroom_id), None)
    if found is None:
        raise AppError(Code.NOT_FOUND, "There is no such homeroom.")
    return found

"""A school's campuses (校区), where it has several: adding, renaming and removing them."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.seen import refuse_if_changed
from schema.tables.readers import Reader
from schema.tables.school import Campus, Homeroom

NO_CAMPUS = _("There is no such campus.")


@dataclass(frozen=True)
class CampusLine:
    """A campus and how many homerooms of today are there."""

    id: int
    name: str
    homerooms: int


def list_campuses(session: Session, school_id: int) -> list[CampusLine]:
    """All campuses of a school, in one query."""
    found = session.execute(
        select(Campus.id, Campus.name, func.count(Homeroom.id))
        .outerjoin(Homeroom, (Homeroom.campus_id == Campus.id) & Homeroom.is_past.is_(False))
        .where(Campus.school_id == school_id)
        .group_by(Campus.id, Campus.name)
        .order_by(Campus.id)
    )
    return [CampusLine(*row) for row in found]


def find_campus(session: Session, school_id: int, campus_id: int) -> Campus:
    """One campus of a school. Raises AppError(NOT_FOUND)."""
    campus = session.scalar(
        select(Campus).where(Campus.school_id == school_id, Campus.id == campus_id)
    )
    if campus is None:
        raise AppError(Code.NOT_FOUND, "There is no such campus.")
    return campus


def read_name(typed: Mapping[str, str]) -> str:
    """The name that somebody typed. Raises FieldsError."""
    wrong = Problems()
    name = wrong.text("name", typed.get("name", ""), 40)
    wrong.refuse()
    return name


def read_campus(wrong: Problems, typed: str) -> int | None:
    """The campus that somebody chose for something; None where none is."""
    if not typed:
        return None
    if typed.isascii() and typed.isdigit() and len(typed) <= 9:
        return int(typed)
    wrong.add("campus_id", NO_CAMPUS)
    return None


def refuse_foreign_campus(session: Session, school_id: int, campus_id: int | None) -> None:
    """Raise FieldsError for a campus that the school has not."""
    own = select(Campus.id).where(Campus.school_id == school_id, Campus.id == campus_id)
    if campus_id is not None and session.scalar(own) is None:
        raise FieldsError({"campus_id": NO_CAMPUS})


def add_campus(session: Session, actor: Actor, school_id: int, name: str) -> Campus:
    """A new campus. Raises FieldsError when the school has one of this name."""
    campus = Campus(school_id=school_id)
    _keep(session, campus, name)
    note(session, school_id, actor, "campus.made", f"campus:{campus.id}", details={"name": name})
    return campus


def rename_campus(
    session: Session,
    actor: Actor,
    school_id: int,
    campus_id: int,
    name: str,
    seen: str | None = None,
) -> bool:
    """Whether the name changed.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when it is not as it was seen, FieldsError when
    another campus has this name.
    """
    campus = find_campus(session, school_id, campus_id)
    session.refresh(campus, with_for_update=True)
    before = campus.name
    refuse_if_changed({"name": before}, seen)
    if before == name:
        return False
    _keep(session, campus, name)
    details = {"name": [before, name]}
    note(session, school_id, actor, "campus.changed", f"campus:{campus_id}", details=details)
    return True


def remove_campus(session: Session, actor: Actor, school_id: int, campus_id: int) -> None:
    """Take a campus away that no homeroom ever was of, and no reader is.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when there are or were any.
    """
    campus = find_campus(session, school_id, campus_id)
    used = select(Homeroom.id).where(Homeroom.campus_id == campus_id).limit(1)
    if session.scalar(used) is not None:
        raise AppError(
            Code.CONFLICT, "There are homerooms of this campus, of this year or of earlier ones."
        )
    if session.scalar(select(Reader.id).where(Reader.campus_id == campus_id).limit(1)) is not None:
        raise AppError(Code.CONFLICT, "There are readers of this campus.")
    details = {"name": campus.name}
    session.delete(campus)
    session.flush()
    note(session, school_id, actor, "campus.removed", f"campus:{campus_id}", details=details)


def _keep(session: Session, campus: Campus, name: str) -> None:
    try:
        with session.begin_nested():
            campus.name = name
            session.add(campus)
    except IntegrityError as error:
        taken = {"name": _("The school has a campus of this name already.")}
        raise FieldsError(taken, Code.CONFLICT) from error

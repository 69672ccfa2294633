"""A school's homerooms (班级): adding and renaming them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.seen import changes, refuse_if_changed
from schema.tables.people import Student
from schema.tables.school import Homeroom


@dataclass(frozen=True)
class HomeroomSettings:
    """What a homeroom is called, and the grade that it is of."""

    grade: int
    name: str


@dataclass(frozen=True)
class HomeroomLine:
    """A homeroom and how many students it has."""

    id: int
    grade: int
    name: str
    students: int


def list_homerooms(session: Session, school_id: int) -> list[HomeroomLine]:
    """All homerooms of a school, by grade, in one query."""
    size = (
        select(Student.homeroom_id, func.count().label("students"))
        .where(Student.school_id == school_id)
        .group_by(Student.homeroom_id)
        .subquery()
    )
    found = session.execute(
        select(Homeroom.id, Homeroom.grade, Homeroom.name, func.coalesce(size.c.students, 0))
        .outerjoin(size, size.c.homeroom_id == Homeroom.id)
        .where(Homeroom.school_id == school_id)
        .order_by(Homeroom.grade, Homeroom.id)
    )
    return [HomeroomLine(*row) for row in found]


def find_homeroom(session: Session, school_id: int, homeroom_id: int) -> Homeroom:
    """One homeroom of a school. Raises AppError(NOT_FOUND)."""
    homeroom = session.scalar(
        select(Homeroom).where(Homeroom.school_id == school_id, Homeroom.id == homeroom_id)
    )
    if homeroom is None:
        raise AppError(Code.NOT_FOUND, "There is no such homeroom.")
    return homeroom


def read_settings(typed: Mapping[str, str]) -> HomeroomSettings:
    """What somebody typed, as settings. Raises FieldsError."""
    wrong = Problems()
    settings = HomeroomSettings(
        grade=wrong.number("grade", typed.get("grade", ""), 1, 12),
        name=wrong.text("name", typed.get("name", ""), 40),
    )
    wrong.refuse()
    return settings


def settings_of(homeroom: Homeroom) -> HomeroomSettings:
    """What the homeroom is called now."""
    return HomeroomSettings(homeroom.grade, homeroom.name)


def add_homeroom(
    session: Session, actor: Actor, school_id: int, wanted: HomeroomSettings
) -> Homeroom:
    """A new homeroom. Raises FieldsError when the school has one of this name."""
    homeroom = Homeroom(school_id=school_id)
    _keep(session, homeroom, wanted)
    subject = f"homeroom:{homeroom.id}"
    note(session, school_id, actor, "homeroom.made", subject, details=asdict(wanted))
    return homeroom


def change_homeroom(
    session: Session,
    actor: Actor,
    school_id: int,
    homeroom_id: int,
    wanted: HomeroomSettings,
    seen: str | None = None,
) -> bool:
    """Whether anything changed.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when it is not as it was seen, FieldsError when
    another homeroom has this name.
    """
    homeroom = find_homeroom(session, school_id, homeroom_id)
    session.refresh(homeroom, with_for_update=True)
    before, after = asdict(settings_of(homeroom)), asdict(wanted)
    refuse_if_changed(before, seen)
    if before == after:
        return False
    _keep(session, homeroom, wanted)
    changed = changes(before, after)
    note(session, school_id, actor, "homeroom.changed", f"homeroom:{homeroom_id}", details=changed)
    return True


def _keep(session: Session, homeroom: Homeroom, wanted: HomeroomSettings) -> None:
    try:
        with session.begin_nested():
            homeroom.grade, homeroom.name = wanted.grade, wanted.name
            session.add(homeroom)
    except IntegrityError as error:
        taken = {"name": _("The school has a homeroom of this name already.")}
        raise FieldsError(taken, Code.CONFLICT) from error

"""A school's homerooms (班级) of this school year: adding, renaming and finding them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.register.campuses import read_campus, refuse_foreign_campus
from card_server.register.terms import year_in_use
from card_server.seen import changes, refuse_if_changed
from schema.tables.people import Student, StudentStatus
from schema.tables.school import Campus, Homeroom


@dataclass(frozen=True)
class HomeroomSettings:
    """What a homeroom is called, and the grade and the campus that it is of."""

    grade: int
    name: str
    campus_id: int | None = None


@dataclass(frozen=True)
class HomeroomLine:
    """A homeroom and how many students are enrolled in it."""

    id: int
    grade: int
    name: str
    students: int
    school_year: int
    campus: str | None


@dataclass(frozen=True)
class PastHomeroom:
    """A homeroom of a school year that is over."""

    id: int
    school_year: int
    grade: int
    name: str


def of_today(school_id: int) -> ColumnElement[bool]:
    """The condition that a homeroom is one of the school's, and not of a year that is over."""
    return (Homeroom.school_id == school_id) & Homeroom.is_past.is_(False)


def list_homerooms(session: Session, school_id: int) -> list[HomeroomLine]:
    """A school's homerooms of today, by grade, in one query."""
    size = (
        select(Student.homeroom_id, func.count().label("students"))
        .where(Student.school_id == school_id, Student.status == StudentStatus.ENROLLED)
        .group_by(Student.homeroom_id)
        .subquery()
    )
    found = session.execute(
        select(
            Homeroom.id,
            Homeroom.grade,
            Homeroom.name,
            func.coalesce(size.c.students, 0),
            Homeroom.school_year,
            Campus.name,
        )
        .outerjoin(size, size.c.homeroom_id == Homeroom.id)
        .outerjoin(Campus, Campus.id == Homeroom.campus_id)
        .where(of_today(school_id))
        .order_by(Homeroom.grade, Homeroom.id)
    )
    return [HomeroomLine(*row) for row in found]


def list_past_homerooms(session: Session, school_id: int) -> list[PastHomeroom]:
    """The homerooms of the years that are over, the newest year first."""
    found = session.execute(
        select(Homeroom.id, Homeroom.school_year, Homeroom.grade, Homeroom.name)
        .where(Homeroom.school_id == school_id, Homeroom.is_past)
        .order_by(Homeroom.school_year.desc(), Homeroom.grade, Homeroom.id)
    )
    return [PastHomeroom(*row) for row in found]


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
        campus_id=read_campus(wrong, typed.get("campus_id", "")),
    )
    wrong.refuse()
    return settings


def settings_of(homeroom: Homeroom) -> HomeroomSettings:
    """What the homeroom is called now."""
    return HomeroomSettings(homeroom.grade, homeroom.name, homeroom.campus_id)


def add_homeroom(
    session: Session,
    actor: Actor,
    school_id: int,
    wanted: HomeroomSettings,
    school_year: int | None = None,
) -> Homeroom:
    """A new homeroom, of the school year in use unless another is named.

    Raises FieldsError when that year has a homeroom of this name.
    """
    if school_year is None:
        school_year = year_in_use(session, school_id, datetime.now(UTC).date())
    homeroom = Homeroom(school_id=school_id, school_year=school_year)
    _keep(session, homeroom, wanted)
    subject = f"homeroom:{homeroom.id}"
    details = asdict(wanted) | {"school_year": school_year}
    note(session, school_id, actor, "homeroom.made", subject, details=details)
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

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when it is not as it was seen or of a year that
    is over, FieldsError when another homeroom has this name.
    """
    homeroom = find_homeroom(session, school_id, homeroom_id)
    session.refresh(homeroom, with_for_update=True)
    if homeroom.is_past:
        raise AppError(
            Code.CONFLICT, "The school year of this homeroom is over; its name stays as it was."
        )
    before, after = asdict(settings_of(homeroom)), asdict(wanted)
    refuse_if_changed(before, seen)
    if before == after:
        return False
    _keep(session, homeroom, wanted)
    changed = changes(before, after)
    note(session, school_id, actor, "homeroom.changed", f"homeroom:{homeroom_id}", details=changed)
    return True


def _keep(session: Session, homeroom: Homeroom, wanted: HomeroomSettings) -> None:
    school_id = homeroom.school_id
    refuse_foreign_campus(session, school_id, wanted.campus_id)
    try:
        with session.begin_nested():
            homeroom.grade, homeroom.name = wanted.grade, wanted.name
            homeroom.campus_id = wanted.campus_id
            session.add(homeroom)
    except IntegrityError as error:
        taken = {"name": _("The school has a homeroom of this name already.")}
        raise FieldsError(taken, Code.CONFLICT) from error

"""The children of a guardian at a school today, and the limit of a session to them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache

from sqlalchemy import ColumnElement, and_, event, select, true
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption

from card_server.people.student_status import AWAY_FOR_GOOD
from schema.tables.metadata import SchoolTable, Table
from schema.tables.people import Guardian, Guardianship, Student
from schema.tables.school import Homeroom

SHARED = frozenset({"leave_slip"})
"""Tables that name a guardian as well, of whose rows each guardian of the child may see all."""


@dataclass(frozen=True)
class Child:
    """A child of a guardian, who is at the school."""

    id: int
    name: str
    homeroom_id: int
    homeroom: str
    grade: int
    consented_at: datetime | None

    @property
    def has_consent(self) -> bool:
        """Whether the guardian agreed that the school tells of this child."""
        return self.consented_at is not None


def is_at_school() -> ColumnElement[bool]:
    """Which students still are the school's: who is suspended is, who has left for good is not."""
    return Student.status.not_in(AWAY_FOR_GOOD) & Student.erased_at.is_(None)


def children_of(session: Session, school_id: int, guardian_id: int) -> tuple[Child, ...]:
    """The guardian's children at this school, the eldest record first, in one query."""
    found = session.execute(
        select(
            Student.id,
            Student.name,
            Student.homeroom_id,
            Homeroom.name,
            Homeroom.grade,
            Guardianship.consented_at,
        )
        .join(Guardianship, Guardianship.student_id == Student.id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(
            Student.school_id == school_id,
            Guardianship.guardian_id == guardian_id,
            is_at_school(),
        )
        .order_by(Student.id)
    )
    return tuple(Child(*row) for row in found)


def narrow_to_children(
    opened: Session, school_id: int, guardian_id: int, children: Iterable[Child]
) -> None:
    """Limit every query of a session to what is about these children or this guardian.

    Tables that name neither a student nor a guardian are limited to the school. Queries in plain
    text and on tables instead of mapped classes are not touched.
    """
    seen = tuple(children)
    limits = _limits(
        school_id,
        guardian_id,
        tuple(one.id for one in seen),
        tuple(one.homeroom_id for one in seen),
    )

    def add_limits(state: ORMExecuteState) -> None:
        if state.is_select and not state.is_column_load and not state.is_relationship_load:
            state.statement = state.statement.options(*limits)

    event.listen(opened, "do_orm_execute", add_limits)


@lru_cache(maxsize=256)
def _limits(
    school_id: int, guardian_id: int, students: tuple[int, ...], rooms: tuple[int, ...]
) -> tuple[ExecutableOption, ...]:
    own = with_loader_criteria(
        SchoolTable, lambda table: table.school_id == school_id, include_aliases=True
    )
    return (
        own,
        *(
            with_loader_criteria(
                table, _reached(table, guardian_id, students, rooms), include_aliases=True
            )
            for table in personal_tables()
        ),
    )


@cache
def personal_tables() -> tuple[type[Table], ...]:
    """Every table whose rows are about a student or a guardian, whichever is added later."""
    found = [mapper.class_ for mapper in Table.registry.mappers]
    named = {Student, Guardian, Homeroom}
    return tuple(
        sorted(
            (
                one
                for one in found
                if one in named or {"student_id", "guardian_id"} & {*one.__table__.c.keys()}
            ),
            key=lambda one: str(one.__table__.name),
        )
    )


def _reached(
    table: type[Table], guardian_id: int, students: tuple[int, ...], rooms: tuple[int, ...]
) -> ColumnElement[bool]:
    if table is Student:
        return Student.id.in_(students)
    if table is Guardian:
        return Guardian.id == guardian_id
    if table is Homeroom:
        return Homeroom.id.in_(rooms)
    columns, limits = table.__table__.c, [true()]
    if "student_id" in columns:
        limits.append(table.student_id.in_(students))  # type: ignore[attr-defined]
    if "guardian_id" in columns and table.__tablename__ not in SHARED:
        limits.append(table.guardian_id == guardian_id)  # type: ignore[attr-defined]
    return and_(*limits)

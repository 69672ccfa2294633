"""How far a caller sees: each query is narrowed to the rows that the caller's grants reach."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, event, false, or_, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption

from card_server.cards.steps import FREE
from schema.tables.attendance import (
    Attendance,
    Correction,
    DayNote,
    Exemption,
    HandPassage,
    HomeroomDay,
    Presence,
)
from schema.tables.cards import Card, CardBinding, CardHistory
from schema.tables.evacuation import EvacuationStudent
from schema.tables.leave import LeaveSlip
from schema.tables.message_costs import MessageCostDay
from schema.tables.messages import Message
from schema.tables.metadata import SchoolTable, Table
from schema.tables.people import (
    Boarding,
    Guardian,
    GuardianPhone,
    Guardianship,
    HomeroomStay,
    Student,
    StudentNote,
    StudentPhoto,
)
from schema.tables.readers import Aside, Reader, ReaderHealth
from schema.tables.registration import Registration
from schema.tables.roll_call import RollCall
from schema.tables.school import Homeroom
from schema.tables.staff import Role, Scope
from schema.tables.taps import Tap


class Grant(NamedTuple):
    """A role within one school and how far it reaches there (a row of `staff_grant`)."""

    role: Role
    scope: Scope
    grade: int | None = None
    homeroom_id: int | None = None
    place: str | None = None

    @property
    def is_whole_school(self) -> bool:
        """Whether it reaches everything in the school."""
        return self.scope in (Scope.DISTRICT, Scope.SCHOOL)


WHOLE_SCHOOL = Grant(Role.SCHOOL_ADMIN, Scope.SCHOOL)
SCOPES: dict[Role, tuple[Scope, ...]] = {
    Role.DISTRICT_ADMIN: (Scope.DISTRICT,),
    Role.SCHOOL_ADMIN: (Scope.SCHOOL,),
    Role.HOMEROOM_TEACHER: (Scope.HOMEROOM, Scope.GRADE),
    Role.SUBJECT_TEACHER: (Scope.HOMEROOM, Scope.GRADE, Scope.SCHOOL),
    Role.LIBRARIAN: (Scope.SCHOOL,),
    Role.LAB_TEACHER: (Scope.LAB, Scope.SCHOOL),
    Role.GATE_GUARD: (Scope.GATE, Scope.SCHOOL),
    Role.AUDITOR: (Scope.SCHOOL, Scope.DISTRICT),
}
"""The scopes that a role can have; the first is the usual one."""
_LIMITS = "limits of the caller's reach"
"""Where a session keeps what `narrow` limited it to."""


def narrow(opened: Session, school_id: int, grants: Iterable[Grant]) -> None:
    """Limit every query of a session to one school, and in it to what these grants reach.

    Give only the grants that let the caller in: a guard who is a homeroom teacher as well must see
    a student's page by the second grant alone. Queries in plain text are not touched.
    """
    limits = _limits(school_id, tuple(grants))
    opened.info[_LIMITS] = (*opened.info.get(_LIMITS, ()), *limits)


@event.listens_for(Session, "do_orm_execute")
def _add_limits(state: ORMExecuteState) -> None:
    """One listener for all sessions: each of its own costs a page more than a query does."""
    limits = state.session.info.get(_LIMITS)
    if limits and state.is_select and not state.is_column_load and not state.is_relationship_load:
        state.statement = state.statement.options(*limits)


@lru_cache(maxsize=64)
def _limits(school_id: int, grants: tuple[Grant, ...]) -> tuple[ExecutableOption, ...]:
    """What must be true of the rows of every table that is a school's; kept for the next page.

    One limit for all tables: each costs every query some time.
    """
    own = with_loader_criteria(
        SchoolTable, lambda table: table.school_id == school_id, include_aliases=True
    )
    if any(grant.is_whole_school for grant in grants):
        return (own,)
    reached = _reached(school_id, list(grants)).items()
    return (
        own,
        *(
            with_loader_criteria(table, condition, include_aliases=True)
            for table, condition in reached
        ),
    )


def _reached(school_id: int, grants: list[Grant]) -> dict[type[Table], ColumnElement[bool]]:
    """The rows that grants over homerooms and places reach.

    These subqueries are limited by the school in their own right, and not by the conditions that
    they are part of: so they name tables, not mapped classes.
    """
    rooms = _homerooms(school_id, grants)
    students = _students(rooms)
    readers = _readers(school_id, grants)
    guardianship = Guardianship.__table__
    guardians = select(guardianship.c.guardian_id).where(guardianship.c.student_id.in_(students))
    binding = CardBinding.__table__
    cards = _cards(binding, students)
    is_at_gate = any(grant.scope is Scope.GATE for grant in grants)
    sees_faces = any(grant.scope in (Scope.GATE, Scope.LAB) for grant in grants)
    return {
        Homeroom: _any(Homeroom.id.in_(rooms), sees_faces),
        Student: _any(Student.homeroom_id.in_(rooms), sees_faces),
        HomeroomDay: HomeroomDay.homeroom_id.in_(rooms),
        Attendance: Attendance.student_id.in_(students),
        Presence: _any(Presence.homeroom_id.in_(rooms), sees_faces),
        EvacuationStudent: _any(EvacuationStudent.student_id.in_(students), sees_faces),
        Tap: or_(Tap.student_id.in_(students), Tap.reader_id.in_(readers)),
        Message: Message.student_id.in_(students),
        MessageCostDay: MessageCostDay.homeroom_id.in_(rooms),
        Guardian: Guardian.id.in_(guardians),
        GuardianPhone: GuardianPhone.guardian_id.in_(guardians),
        Guardianship: Guardianship.student_id.in_(students),
        HomeroomStay: HomeroomStay.student_id.in_(students),
        Boarding: Boarding.student_id.in_(students),
        Registration: Registration.student_id.in_(students),
        LeaveSlip: _any(LeaveSlip.student_id.in_(students), is_at_gate),
        HandPassage: _any(HandPassage.student_id.in_(students), is_at_gate),
        RollCall: _any(RollCall.student_id.in_(students), is_at_gate),
        Correction: Correction.student_id.in_(students),
        DayNote: DayNote.student_id.in_(students),
        Exemption: Exemption.student_id.in_(students),
        StudentNote: StudentNote.student_id.in_(students),
        StudentPhoto: _any(StudentPhoto.student_id.in_(students), sees_faces),
        CardBinding: _any(CardBinding.student_id.in_(students), is_at_gate),
        Card: _any(or_(cards, Card.state.in_(FREE)), is_at_gate),
        CardHistory: _any(CardHistory.student_id.in_(students), is_at_gate),
        Reader: or_(Reader.id.in_(readers), _has_homeroom(grants)),
        ReaderHealth: ReaderHealth.reader_id.in_(readers),
        Aside: false(),
    }


def _any(reached: ColumnElement[bool], sees_faces: bool) -> ColumnElement[bool]:
    """Who stands at a gate or in a lab must recognise whoever comes, of any homeroom."""
    return or_(reached, sees_faces)  # type: ignore[arg-type]


def _has_homeroom(grants: list[Grant]) -> Any:
    """A teacher reads at which reader a student's tap was, so readers have names for them."""
    return any(grant.scope in (Scope.HOMEROOM, Scope.GRADE) for grant in grants)


def _homerooms(school_id: int, grants: list[Grant]) -> Select[tuple[int]]:
    """A grade is that of today: last year's homerooms of the same grade are other people's."""
    homeroom = Homeroom.__table__
    grades = [grant.grade for grant in grants if grant.scope is Scope.GRADE]
    ids = [grant.homeroom_id for grant in grants if grant.scope is Scope.HOMEROOM]
    return select(homeroom.c.id).where(
        homeroom.c.school_id == school_id,
        or_(
            homeroom.c.grade.in_(grades) & homeroom.c.is_past.is_(False),
            homeroom.c.id.in_(ids),
        ),
    )


def _students(rooms: Select[tuple[int]]) -> Select[tuple[int]]:
    student = Student.__table__
    return select(student.c.id).where(student.c.homeroom_id.in_(rooms))


def _cards(binding: Any, students: Select[tuple[int]]) -> ColumnElement[bool]:
    """Cards that are or were these students' and are nobody else's now."""
    theirs = select(binding.c.card_id).where(binding.c.student_id.in_(students))
    others = select(binding.c.card_id).where(
        binding.c.unbound_at.is_(None), binding.c.student_id.not_in(students)
    )
    return Card.id.in_(theirs) & Card.id.not_in(others)


def _readers(school_id: int, grants: list[Grant]) -> Select[tuple[int]]:
    reader = Reader.__table__
    places = [grant.place for grant in grants if grant.scope in (Scope.GATE, Scope.LAB)]
    return select(reader.c.id).where(reader.c.school_id == school_id, reader.c.place.in_(places))

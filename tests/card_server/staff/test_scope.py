"""Narrowing: a grant reaches its own rows and no others, whatever a query forgot to say."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from card_server.errors import AppError
from card_server.staff.accounts import create_staff
from card_server.staff.scope import SCOPES, WHOLE_SCHOOL, Grant, narrow
from schema.tables.attendance import Attendance
from schema.tables.cards import Card, CardBinding
from schema.tables.messages import Message
from schema.tables.people import (
    Boarding,
    Guardian,
    GuardianPhone,
    Guardianship,
    HomeroomStay,
    Student,
    StudentNote,
)
from schema.tables.readers import Reader
from schema.tables.school import Homeroom, School
from schema.tables.staff import Role, Scope, Staff
from schema.tables.taps import Tap
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap, make_school

GATE = Grant(Role.GATE_GUARD, Scope.GATE, place="校门")
BACK_GATE = Grant(Role.GATE_GUARD, Scope.GATE, place="后门")


@pytest.fixture
def school(engine: Engine) -> SmallSchool:
    """Two homerooms of grades 7 and 8; a tap and a message of each student; a school beside it."""
    with Session(engine) as session:
        school, other = make_school(session), make_school(session, "no2")
        for one in (school, other):
            for student in range(len(one.students)):
                add_tap(session, one, student)
                add_message(session, one, student)
        for grade, homeroom_id in enumerate(school.homerooms, start=7):
            session.get_one(Homeroom, homeroom_id).grade = grade
        session.commit()
    return school


def counts(engine: Engine, school: SmallSchool, grants: list[Grant]) -> dict[str, int]:
    """How many rows of each table are seen by queries that say nothing of any school."""
    tables = (Student, Homeroom, Tap, Attendance, Message, Guardian, Card, CardBinding, Reader)
    with Session(engine) as session:
        narrow(session, school.id, grants)
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }


WHOLE = {
    "student": 8,
    "homeroom": 2,
    "tap": 8,
    "attendance": 8,
    "message": 8,
    "guardian": 8,
    "card": 8,
    "card_binding": 8,
    "reader": 2,
}
HALF = {name: count // 2 for name, count in WHOLE.items()} | {"reader": 2}
NOTHING = dict.fromkeys(WHOLE, 0)
FACES = NOTHING | {"student": 8, "homeroom": 2, "card": 8, "card_binding": 8}


@pytest.mark.parametrize(
    ("grants", "seen"),
    [
        ([WHOLE_SCHOOL], WHOLE),
        ([Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)], WHOLE),
        ([Grant(Role.HOMEROOM_TEACHER, Scope.GRADE, grade=7)], HALF),
        ([Grant(Role.HOMEROOM_TEACHER, Scope.GRADE, grade=9)], NOTHING | {"reader": 2}),
        ([Grant(Role.HOMEROOM_TEACHER, Scope.GRADE, grade=g) for g in (7, 8)], WHOLE),
        ([GATE], FACES | {"tap": 8, "reader": 2}),
        ([BACK_GATE], FACES),
        ([Grant(Role.HOMEROOM_TEACHER, Scope.GRADE, grade=7), WHOLE_SCHOOL], WHOLE),
        ([], NOTHING),
    ],
    ids=["school", "district", "grade", "empty grade", "grades", "gate", "gate 2", "both", "none"],
)
def test_a_grant_reaches_its_own_rows(
    engine: Engine, school: SmallSchool, grants: list[Grant], seen: dict[str, int]
) -> None:
    assert counts(engine, school, grants) == seen


def test_a_homeroom_is_its_students_and_nobody_else(engine: Engine, school: SmallSchool) -> None:
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
    assert counts(engine, school, [grant]) == HALF
    with Session(engine) as session:
        narrow(session, school.id, [grant])
        own = set(school.students[::2])
        assert set(session.scalars(select(Student.id))) == own
        assert set(session.scalars(select(Guardianship.student_id))) == own
        assert set(session.scalars(select(Tap.student_id))) == own
        assert session.get(Student, school.students[1]) is None
        joined = select(Student.id).join(Attendance, Attendance.student_id == Student.id)
        assert set(session.scalars(joined)) == own


def test_what_is_kept_on_a_student_is_reached_with_the_student(
    engine: Engine, school: SmallSchool
) -> None:
    now, day = datetime.now(UTC), date(2026, 9, 1)
    with Session(engine) as session:
        for student, guardian in zip(school.students, school.guardians, strict=True):
            of = {"school_id": school.id, "student_id": student}
            session.add_all(
                [
                    HomeroomStay(from_on=day, homeroom_id=school.homerooms[0], **of),
                    Boarding(from_on=day, **of),
                    StudentNote(body="x", written_by="x", written_at=now, **of),
                    GuardianPhone(
                        school_id=school.id,
                        guardian_id=guardian,
                        phone_sealed=b"x",
                        phone_hash=b"x",
                        phone_tail="1",
                    ),
                ]
            )
        session.commit()
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
    own, gate = set(school.students[::2]), Grant(Role.GATE_GUARD, Scope.GATE, place="校门")
    for table in (HomeroomStay, Boarding, StudentNote):
        assert _students_of(engine, school, grant, table.student_id) == own
        assert _students_of(engine, school, gate, table.student_id) == set()
    phones = _students_of(engine, school, grant, GuardianPhone.guardian_id)
    assert phones == set(school.guardians[::2])


def _students_of(
    engine: Engine, school: SmallSchool, grant: Grant, column: InstrumentedAttribute[int]
) -> set[int]:
    with Session(engine) as session:
        narrow(session, school.id, [grant])
        return set(session.scalars(select(column)))


def test_a_grade_is_that_of_today(engine: Engine, school: SmallSchool) -> None:
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.GRADE, grade=7)
    with Session(engine) as session:
        session.get_one(Homeroom, school.homerooms[0]).is_past = True
        session.commit()
    assert counts(engine, school, [grant]) == NOTHING | {"reader": 2}


def test_a_homeroom_of_another_school_reaches_nothing(engine: Engine, school: SmallSchool) -> None:
    with Session(engine) as session:
        elsewhere = select(Homeroom.id).where(Homeroom.school_id != school.id).limit(1)
        homeroom_id = session.scalars(elsewhere).one()
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=homeroom_id)
    assert counts(engine, school, [grant]) == NOTHING | {"reader": 2}


def test_writing_sessions_are_narrowed_as_well(engine: Engine, school: SmallSchool) -> None:
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
    with Session(engine) as session:
        narrow(session, school.id, [grant])
        assert session.get(Student, school.students[1]) is None
        assert session.get_one(Student, school.students[0]).homeroom_id == school.homerooms[0]


@pytest.mark.parametrize("scope", Scope)
def test_an_account_has_only_scopes_that_its_role_can_have(
    engine: Engine, school: SmallSchool, scope: Scope
) -> None:
    home = None if scope is Scope.DISTRICT else school.id
    for role in Role:
        grant = Grant(role, scope, 7, school.homerooms[0], "校门")
        with Session(engine) as session:
            if scope in SCOPES[role]:
                create_staff(session, home, "li", "李老师", grant)
                assert session.scalars(select(Staff).where(Staff.login == "li")).one().name
            else:
                with pytest.raises(AppError, match="cannot reach so far"):
                    create_staff(session, home, "li", "李老师", grant)


@pytest.mark.parametrize(
    ("grant", "has_school"),
    [
        (Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM), True),
        (Grant(Role.HOMEROOM_TEACHER, Scope.GRADE), True),
        (Grant(Role.GATE_GUARD, Scope.GATE), True),
        (Grant(Role.SCHOOL_ADMIN, Scope.SCHOOL), False),
        (Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT), True),
    ],
    ids=["no homeroom", "no grade", "no gate", "no school", "a school"],
)
def test_a_grant_that_says_not_where_is_refused(
    engine: Engine, school: SmallSchool, grant: Grant, has_school: bool
) -> None:
    with Session(engine) as session, pytest.raises(AppError):
        create_staff(session, school.id if has_school else None, "li", "李老师", grant)
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(School)) == 2

"""What a session sees that is limited to a guardian's children: of no table a row of others."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.parents.children import children_of, narrow_to_children, personal_tables
from schema.tables.attendance import Attendance
from schema.tables.leave import LeaveSlip
from schema.tables.messages import Message
from schema.tables.metadata import Table
from schema.tables.people import Guardian, Guardianship, Student
from schema.tables.school import Homeroom
from schema.tables.taps import Tap
from tests.card_server.web.campus_things import add_evacuation, add_presence
from tests.card_server.web.leave_things import add_leave_things
from tests.card_server.web.parent_phone import tie
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap, make_school

_OF_STUDENTS: tuple[Any, ...] = (Attendance, Guardianship, LeaveSlip, Message, Tap)


@pytest.fixture
def full(sessions: sessionmaker[Session], school: SmallSchool) -> SmallSchool:
    """Two schools with everything for everybody; guardian 0 has children 0 and 2.

    Child 0 has a second guardian, number 1, who has child 1 as well: the parents live apart.
    """
    with sessions.begin() as session:
        other = make_school(session, "no2")
        for one in (school, other):
            for student in range(len(one.students)):
                add_tap(session, one, student)
                add_message(session, one, student)
                add_leave_things(session, one, student)
                add_presence(session, one, student)
            add_evacuation(session, one, range(len(one.students)))
        tie(session, school, student=2, guardian=0)
        tie(session, school, student=0, guardian=1)
        slip = session.get_one(LeaveSlip, school.slips[0])
        slip.guardian_id = school.guardians[1]
    return school


def _narrow(session: Session, school: SmallSchool, guardian: int, only: int | None = None) -> None:
    guardian_id = school.guardians[guardian]
    children = children_of(session, school.id, guardian_id)
    if only is not None:
        children = tuple(one for one in children if one.id == school.students[only])
    narrow_to_children(session, school.id, guardian_id, children)


def test_of_no_table_a_row_of_others_is_seen(
    sessions: sessionmaker[Session], full: SmallSchool
) -> None:
    own = {full.students[0], full.students[2]}
    with sessions() as session:
        _narrow(session, full, guardian=0)
        for table in personal_tables():
            for row in session.scalars(select(table)):
                student = getattr(row, "student_id", None)
                guardian = getattr(row, "guardian_id", None)
                assert student is None or student in own, table
                is_shared = table is LeaveSlip
                assert is_shared or guardian in (None, full.guardians[0]), table
                assert getattr(row, "school_id", full.id) == full.id, table
        assert {*session.scalars(select(Student.id))} == own
        assert session.scalars(select(Guardian.id)).all() == [full.guardians[0]]
        assert len(session.scalars(select(Guardianship)).all()) == 2


def test_on_the_page_of_one_child_a_brother_is_not_seen(
    sessions: sessionmaker[Session], full: SmallSchool
) -> None:
    with sessions() as session:
        _narrow(session, full, guardian=0, only=0)
        for table in _OF_STUDENTS:
            found = {row.student_id for row in session.scalars(select(table))}
            assert found == {full.students[0]}, table
            joined = select(table, Student.name).join(Student, Student.id == table.student_id)
            assert len(session.execute(joined).all()) == 1, table


def test_parents_who_live_apart_see_the_child_and_not_each_other(
    sessions: sessionmaker[Session], full: SmallSchool
) -> None:
    with sessions() as session:
        _narrow(session, full, guardian=1)
        seen = session.scalars(select(Message.guardian_id)).all()
        assert {*seen} == {full.guardians[1]}
        slips = session.scalars(select(LeaveSlip.student_id)).all()
        assert {*slips} == {full.students[0], full.students[1]}


def test_every_table_about_people_is_limited() -> None:
    """Whatever table is added with a student or a guardian in it, the limit has it by itself."""
    limited = {*personal_tables()}
    assert {Student, Guardian, Homeroom, Message, LeaveSlip} <= limited
    for mapper in Table.registry.mappers:
        columns = {*mapper.class_.__table__.c.keys()}
        assert (mapper.class_ in limited) or not columns & {"student_id", "guardian_id"}


def test_a_child_is_a_child_of_this_school(
    sessions: sessionmaker[Session], full: SmallSchool
) -> None:
    with sessions() as session:
        assert children_of(session, full.id + 1, full.guardians[0]) == ()
        [first, second] = children_of(session, full.id, full.guardians[0])
    assert (first.id, second.id) == (full.students[0], full.students[2])
    assert first.consented_at
    assert first.consented_at <= datetime.now(UTC)

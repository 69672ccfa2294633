"""Rolls for paper: who stands on which, in which order, and how twins in name are told apart."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from card_server.reports.rolls import RollLine, label_lines, read_rolls
from card_server.staff.scope import Grant, narrow
from card_server.storage.database import open_engine, open_sessions
from schema.tables.leave import LeaveKind, LeaveState
from schema.tables.people import Boarding, Student, StudentStatus
from schema.tables.school import Homeroom
from schema.tables.staff import Role, Scope
from tests.card_server.web.campus_things import add_presence
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool, make_school

NOW = datetime(2026, 11, 23, 2, 41, tzinfo=UTC)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = open_engine(database_url)
    with open_sessions(engine)() as session:
        yield session
    engine.dispose()


@pytest.fixture
def school(session: Session) -> SmallSchool:
    """Students 0 to 3 are inside, 4 has left, 5 was closed upon, 6 was never seen."""
    school = make_school(session)
    for student in range(4):
        add_presence(session, school, student, NOW - timedelta(minutes=10 - student))
    add_presence(session, school, 4, is_inside=False)
    add_presence(session, school, 5, NOW - timedelta(hours=12), is_inside=False, is_closed=True)
    return school


def test_each_homeroom_has_a_roll_with_those_of_whom_nobody_is_sure(
    session: Session, school: SmallSchool
) -> None:
    session.get_one(Homeroom, school.homerooms[0]).grade = 11
    session.get_one(Student, school.students[3]).status = StudentStatus.TRANSFERRED
    session.flush()
    rolls = read_rolls(session, school.id, NOW)
    assert [(one.homeroom, one.inside) for one in rolls] == [("高一(2)班", 1), ("高一(1)班", 2)]
    assert [line.name for one in rolls for line in one.lines] == ["李四", "刘洋", "张三", "王小明"]
    assert [line.is_unsure for line in rolls[0].lines] == [False, True]


def test_a_line_says_since_when_by_which_gate_and_what_is_to_be_noted(
    session: Session, school: SmallSchool
) -> None:
    add_presence(session, school, 2, NOW, reader_id=0)
    boarder = Boarding(school_id=school.id, student_id=school.students[0], from_on=NOW.date())
    slips = [make_slip(school, student, NOW - timedelta(hours=1), hours=2) for student in (0, 2)]
    slips[1].state = LeaveState.APPROVED
    session.add_all([boarder, *slips])
    session.flush()
    session.add(
        Boarding(
            school_id=school.id,
            student_id=school.students[2],
            from_on=NOW.date() + timedelta(days=1),
        )
    )
    session.flush()
    first, second = read_rolls(session, school.id, NOW, grade=1)[0].lines
    since = NOW - timedelta(minutes=10)
    assert first == RollLine("张三", "20260000", since, "东门进", True, False, None)
    assert second == RollLine("王小明", "20260002", NOW, "", False, False, LeaveKind.SICK)


def test_a_roll_is_of_the_chosen_homeroom_or_grade_and_within_reach(
    session: Session, school: SmallSchool
) -> None:
    first, second = school.homerooms
    assert [one.homeroom for one in read_rolls(session, school.id, NOW, homeroom_id=second)] == [
        "高一(2)班"
    ]
    assert read_rolls(session, school.id, NOW, grade=2) == []
    narrow(session, school.id, [Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=first)])
    assert [one.homeroom for one in read_rolls(session, school.id, NOW)] == ["高一(1)班"]


@pytest.mark.parametrize(
    ("people", "labels"),
    [
        ([("张三", "20260001"), ("李四", "20260002")], ["张三", "李四"]),
        (
            [("张三", "20260001"), ("李四", "20260002"), ("张三", "20260003")],
            ["张三 (0001)", "李四", "张三 (0003)"],
        ),
        ([("张三", "20250001"), ("张三", "20260001")], ["张三 (20250001)", "张三 (20260001)"]),
        ([("张三", "7"), ("张三", "12")], ["张三 (7)", "张三 (12)"]),
    ],
)
def test_only_twins_in_name_have_their_number_beside_it(
    people: list[tuple[str, str]], labels: list[str]
) -> None:
    lines = [RollLine(name, number, NOW, "东门进", False, False) for name, number in people]
    assert label_lines(lines) == labels

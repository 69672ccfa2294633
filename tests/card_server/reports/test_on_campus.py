"""Who is on campus: what the gates have told so far, within reach, and how fresh that is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from card_server.reports.on_campus import (
    Boards,
    Gate,
    Part,
    Wanted,
    count_inside,
    list_by_id,
    list_inside,
    list_unsure,
    read_counts,
)
from card_server.staff.scope import Grant, narrow
from card_server.storage.database import open_engine, open_sessions
from schema.tables.leave import LeaveKind, LeaveState
from schema.tables.people import Boarding, Student, StudentStatus
from schema.tables.readers import ReaderHealth
from schema.tables.staff import Role, Scope
from tests.card_server.web.campus_things import add_presence
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool, add_health, make_school

NOW = datetime(2026, 11, 23, 2, 41, tzinfo=UTC)
ALL = Wanted()


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
    add_presence(session, school, 4, is_inside=False, reader_id=school.readers[1])
    add_presence(
        session, school, 5, NOW - timedelta(hours=12), is_inside=False, is_closed=True, reader_id=0
    )
    return school


def _names(session: Session, school: SmallSchool, wanted: Wanted = ALL) -> list[str]:
    found = list_inside(session, school.id, wanted, NOW, Part())
    assert count_inside(session, school.id, wanted, NOW) == len(found)
    return [one.name for one in found]


def test_it_counts_by_homeroom_and_by_the_last_gate(session: Session, school: SmallSchool) -> None:
    add_presence(session, school, 3, reader_id=0)
    counts = read_counts(session, school.id, NOW)
    assert [(room.homeroom, room.inside) for room in counts.rooms] == [
        ("高一(1)班", 2),
        ("高一(2)班", 2),
    ]
    assert counts.by_gate == {school.readers[0]: 3, 0: 1}
    assert (counts.inside, counts.unsure) == (4, 1)


def test_the_list_says_who_since_when_and_by_which_gate(
    session: Session, school: SmallSchool
) -> None:
    first, *_others = list_inside(session, school.id, ALL, NOW, Part())
    assert (first.name, first.number, first.homeroom) == ("张三", "20260000", "高一(1)班")
    assert (first.since_at, first.gate) == (NOW - timedelta(minutes=10), "东门进")
    assert (first.is_boarder, first.leave, first.is_unsure) == (False, None, False)
    assert _names(session, school) == ["张三", "王小明", "李四", "赵雪"]


@pytest.mark.parametrize(
    ("sort", "is_descending", "names"),
    [
        ("since", False, ["张三", "李四", "王小明", "赵雪"]),
        ("since", True, ["赵雪", "王小明", "李四", "张三"]),
        ("name", False, ["李四", "王小明", "张三", "赵雪"]),
        ("number", True, ["赵雪", "王小明", "李四", "张三"]),
        ("nonsense", False, ["张三", "王小明", "李四", "赵雪"]),
    ],
)
def test_it_is_sorted(
    session: Session, school: SmallSchool, sort: str, is_descending: bool, names: list[str]
) -> None:
    found = list_inside(session, school.id, ALL, NOW, Part(sort, is_descending))
    assert [one.name for one in found] == names


def test_it_is_filtered_and_searched(session: Session, school: SmallSchool) -> None:
    session.add(Boarding(student_id=school.students[1], school_id=school.id, from_on=NOW.date()))
    is_to_come = NOW.date() + timedelta(days=1)
    session.add(Boarding(student_id=school.students[0], school_id=school.id, from_on=is_to_come))
    slip = make_slip(school, 2, NOW - timedelta(hours=1), hours=2)
    over = make_slip(school, 3, NOW - timedelta(hours=2), hours=1)
    slip.state = over.state = LeaveState.APPROVED
    asked = make_slip(school, 0, NOW - timedelta(hours=1), hours=2)
    session.add_all([slip, over, asked])
    add_presence(session, school, 3, NOW, reader_id=0)
    assert _names(session, school, Wanted(homeroom_id=school.homerooms[1])) == ["李四", "赵雪"]
    assert _names(session, school, Wanted(reader_id=0)) == ["赵雪"]
    assert _names(session, school, Wanted(boards=Boards.BOARDER)) == ["李四"]
    assert _names(session, school, Wanted(boards=Boards.DAY)) == ["张三", "王小明", "赵雪"]
    assert _names(session, school, Wanted(is_on_leave=True)) == ["王小明"]
    assert _names(session, school, Wanted(is_on_leave=False)) == ["张三", "李四", "赵雪"]
    for words in ("zhao xue", "zx", "赵", "20260003", " ZhaoXue "):
        assert _names(session, school, Wanted(words=words)) == ["赵雪"], words
    assert list_inside(session, school.id, Wanted(reader_id=0), NOW, Part())[0].gate == ""
    [ill] = list_inside(session, school.id, Wanted(is_on_leave=True), NOW, Part())
    assert ill.leave is LeaveKind.SICK


def test_whom_nobody_saw_leave_stands_apart_for_a_day(
    session: Session, school: SmallSchool
) -> None:
    assert [one.name for one in list_unsure(session, school.id, ALL, NOW)] == ["刘洋"]
    assert list_unsure(session, school.id, ALL, NOW)[0].is_unsure
    assert list_unsure(session, school.id, ALL, NOW + timedelta(hours=13)) == []
    other = Wanted(homeroom_id=school.homerooms[0])
    assert list_unsure(session, school.id, other, NOW) == []


def test_who_has_left_the_school_is_not_on_campus(session: Session, school: SmallSchool) -> None:
    session.get_one(Student, school.students[0]).status = StudentStatus.TRANSFERRED
    session.get_one(Student, school.students[1]).status = StudentStatus.SUSPENDED
    session.flush()
    assert _names(session, school) == ["王小明", "李四", "赵雪"]
    assert read_counts(session, school.id, NOW).inside == 3


def test_programs_read_it_part_by_part(session: Session, school: SmallSchool) -> None:
    first = list_by_id(session, school.id, ALL, NOW, 0, 3)
    rest = list_by_id(session, school.id, ALL, NOW, first[-1].student_id, 3)
    assert [one.student_id for one in (*first, *rest)] == school.students[:4]


def test_each_gate_says_how_fresh_it_is(session: Session, school: SmallSchool) -> None:
    add_health(session, school, 0, NOW - timedelta(minutes=2))
    add_health(session, school, 1, NOW - timedelta(minutes=6))
    gates = read_counts(session, school.id, NOW).gates
    assert [(one.name, one.is_old(NOW)) for one in gates] == [("东门出", True), ("东门进", False)]
    assert Gate(1, "新门", None).is_old(NOW)
    session.get_one(ReaderHealth, school.readers[0]).drained_to = None
    session.flush()
    assert all(one.is_old(NOW) for one in read_counts(session, school.id, NOW).gates)


@pytest.mark.parametrize(
    ("grant", "names"),
    [
        (Grant(Role.GATE_GUARD, Scope.GATE, place="西门"), ["张三", "王小明", "李四", "赵雪"]),
        (Grant(Role.LIBRARIAN, Scope.SCHOOL), ["张三", "王小明", "李四", "赵雪"]),
        (Grant(Role.SUBJECT_TEACHER, Scope.GRADE, grade=2), []),
    ],
)
def test_everybody_sees_those_within_reach_and_every_gate(
    session: Session, school: SmallSchool, grant: Grant, names: list[str]
) -> None:
    session.flush()
    narrow(session, school.id, [grant])
    assert _names(session, school) == names
    assert len(read_counts(session, school.id, NOW).gates) == 2


def test_a_homeroom_teacher_sees_the_own_homeroom(session: Session, school: SmallSchool) -> None:
    session.flush()
    room = school.homerooms[1]
    narrow(session, school.id, [Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)])
    assert _names(session, school) == ["李四", "赵雪"]
    counts = read_counts(session, school.id, NOW)
    assert (counts.inside, counts.by_gate, counts.unsure) == (2, {school.readers[0]: 2}, 1)
    assert [one.is_old(NOW) for one in counts.gates] == [True, True]

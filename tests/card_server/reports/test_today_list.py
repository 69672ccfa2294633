"""Today's students by name: whom the board counts, with what belongs to each, and nobody else's."""

import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.facts import Waiting
from card_server.reports.board import Counts, read_board, time_of
from card_server.reports.on_campus import Part
from card_server.reports.today_list import (
    SORTS,
    TodayCounts,
    TodayStatus,
    TodayStudent,
    TodayWanted,
    count_today,
    list_today,
    list_today_by_id,
    read_all_today,
    read_today,
)
from card_server.staff.scope import WHOLE_SCHOOL, Grant, narrow
from card_server.staff.sessions import describe_school
from schema.tables.attendance import Exemption
from schema.tables.leave import LeaveKind, LeaveState
from schema.tables.people import Boarding, Student, StudentStatus
from schema.tables.school import Homeroom, School
from schema.tables.staff import Role, Scope
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.odd_things import add_day, add_deadline, add_plan
from tests.card_server.web.small_school import SmallSchool, add_health, add_students

ZONE = ZoneInfo("Asia/Shanghai")
DAY = datetime(2026, 9, 8, tzinfo=ZONE).date()
NOW = datetime.combine(DAY, time(15, 0), ZONE).astimezone(UTC)
ABSENT_TWICE = '[{"position":1,"status":"absent"},{"position":2,"status":"absent"}]'
ABSENT_THEN_LATE = (
    '[{"position":1,"status":"absent"},{"position":2,"status":"late","late_minutes":7}]'
)
EVERY = TodayWanted()
WHOLE = Part()


def _list(
    sessions: sessionmaker[Session],
    school: SmallSchool,
    wanted: TodayWanted = EVERY,
    part: Part = WHOLE,
    grant: Grant = WHOLE_SCHOOL,
) -> list[TodayStudent]:
    with sessions() as session:
        at = describe_school(session.get_one(School, school.id))
        narrow(session, school.id, [grant])
        return list_today(session, read_today(session, at, time_of(DAY, NOW, ZONE)), wanted, part)


def _count(
    sessions: sessionmaker[Session], school: SmallSchool, wanted: TodayWanted = EVERY
) -> TodayCounts:
    with sessions() as session:
        at = describe_school(session.get_one(School, school.id))
        return count_today(session, read_today(session, at, time_of(DAY, NOW, ZONE)), wanted)


def _slip(session: Session, school: SmallSchool, student: int, begin: datetime, hours: int) -> None:
    slip = make_slip(school, student, begin, hours)
    slip.state = LeaveState.APPROVED
    session.add(slip)


@pytest.fixture
def day(school: SmallSchool, sessions: sessionmaker[Session]) -> SmallSchool:
    """Absent, absent and late, on leave by judgement, by a slip, left early; in time, and two more.

    张三 0, 李四 1, 王小明 2, 赵雪 3, 欧阳娜 4, and three others.
    """
    with sessions.begin() as session:
        add_plan(session, school, DAY)
        add_deadline(session, school, DAY, NOW + timedelta(minutes=31), position=2)
        add_day(session, school, 0, DAY, absent=2, sessions=ABSENT_TWICE)
        known = {"absent": 1, "late": 1, "late_minutes": 7, "present": 1}
        add_day(session, school, 1, DAY, sessions=ABSENT_THEN_LATE, **known)
        add_day(session, school, 2, DAY, on_leave=2, sessions=(
            '[{"position":1,"status":"on_leave","leave_kind":"official"}]'))  # fmt: skip
        _slip(session, school, 3, NOW - timedelta(hours=5), 33)
        add_day(session, school, 4, DAY, left_early=1, early_minutes=20)
        add_day(session, school, 5, DAY)
    return school


def test_each_student_stands_with_what_belongs_to_the_status(
    day: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    found = {one.number: one for one in _list(sessions, day)}
    assert [*found] == ["20260000", "20260002", "20260004", "20260006",
                        "20260001", "20260003", "20260007"]  # fmt: skip
    absent, both, judged_leave, slip = (found[f"2026000{number}"] for number in range(4))
    assert (absent.statuses, absent.absent_from) == ((TodayStatus.ABSENT,), ("上午", "下午"))
    assert both.statuses == (TodayStatus.ABSENT, TodayStatus.LATE)
    assert (both.absent_from, both.late_minutes) == (("上午",), 7)
    assert both.arrived_at is not None
    assert judged_leave.statuses == (TodayStatus.ON_LEAVE,)
    assert (judged_leave.leave, judged_leave.leave_until) == (LeaveKind.OFFICIAL, None)
    assert slip.statuses == (TodayStatus.ON_LEAVE,)
    assert (slip.leave, slip.leave_until) == (LeaveKind.SICK, NOW + timedelta(hours=28))
    early = found["20260004"]
    assert (early.statuses, early.early_minutes) == ((TodayStatus.LEFT_EARLY,), 20)
    for number in ("20260006", "20260007"):
        one = found[number]
        assert one.statuses == (TodayStatus.NOT_JUDGED,)
        assert (one.waiting, one.due_at) == (Waiting.NOT_DUE, NOW + timedelta(minutes=31))


def test_a_dark_gate_is_why_nobody_is_judged(
    day: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_health(session, day, 0, NOW - timedelta(hours=1))
        add_deadline(session, day, DAY, NOW - timedelta(minutes=5), str(day.readers[0]), 2)
    [one, _] = _list(sessions, day, TodayWanted(TodayStatus.NOT_JUDGED))
    assert (one.waiting, one.gates) == (Waiting.GATE_DARK, ("东门进",))
    with sessions.begin() as session:
        add_deadline(session, day, DAY, NOW - timedelta(minutes=5), "", 2)
    [one, _] = _list(sessions, day, TodayWanted(TodayStatus.NOT_JUDGED))
    assert (one.waiting, one.gates) == (None, ())


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (TodayWanted(TodayStatus.ABSENT), [0, 1]),
        (TodayWanted(TodayStatus.LATE), [1]),
        (TodayWanted(TodayStatus.ON_LEAVE), [2, 3]),
        (TodayWanted(TodayStatus.LEFT_EARLY), [4]),
        (TodayWanted(TodayStatus.NOT_JUDGED), [6, 7]),
        (TodayWanted(words="zs"), [0]),
        (TodayWanted(words="20260001"), [1]),
        (TodayWanted(TodayStatus.LATE, words="张三"), []),
        (TodayWanted(grade=2), [1, 3, 7]),
        (TodayWanted(TodayStatus.ABSENT, grade=2), [1]),
        (TodayWanted(grade=9), []),
    ],
)
def test_a_list_is_of_a_status_a_grade_or_those_who_answer_to_words(
    day: SmallSchool, sessions: sessionmaker[Session], wanted: TodayWanted, numbers: list[int]
) -> None:
    with sessions.begin() as session:
        session.get_one(Homeroom, day.homerooms[1]).grade = 2
    found = _list(sessions, day, wanted, Part("number"))
    assert [one.number for one in found] == [f"2026000{one}" for one in numbers]
    assert _count(sessions, day, wanted).total(wanted.status) == len(numbers)


def test_a_homerooms_list_has_its_students_alone(
    day: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    second = TodayWanted(homeroom_id=day.homerooms[1])
    assert {one.number for one in _list(sessions, day, second)} == {
        "20260001", "20260003", "20260007"}  # fmt: skip
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=day.homerooms[1])
    assert _list(sessions, day, grant=grant) == _list(sessions, day, second)
    first = TodayWanted(homeroom_id=day.homerooms[0])
    assert _list(sessions, day, first, grant=grant) == []


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_has_the_same_students_in_parts_too(
    day: SmallSchool, sessions: sessionmaker[Session], sort: str
) -> None:
    up = _list(sessions, day, part=Part(sort))
    assert _list(sessions, day, part=Part(sort, is_descending=True)) == up[::-1]
    parts = [_list(sessions, day, part=Part(sort, first=at, limit=3)) for at in (0, 3, 6)]
    assert [one for part in parts for one in part] == up
    with sessions() as session:
        at = describe_school(session.get_one(School, day.id))
        today = read_today(session, at, time_of(DAY, NOW, ZONE))
        assert list(read_all_today(session, today, EVERY, f"-{sort}", 2)) == up[::-1]
        first = list_today_by_id(session, today, EVERY, 0, 4)
        rest = list_today_by_id(session, today, EVERY, first[-1].id, 4)
    assert [one.id for one in first + rest] == sorted(one.id for one in up)


def test_the_gravest_status_stands_first(day: SmallSchool, sessions: sessionmaker[Session]) -> None:
    found = _list(sessions, day, part=Part("status"))
    assert [one.statuses[0] for one in found] == sorted(
        (one.statuses[0] for one in found), key=list(TodayStatus).index
    )


@pytest.mark.parametrize("seed", range(8))
def test_whom_the_board_counts_the_list_names(
    school: SmallSchool, sessions: sessionmaker[Session], seed: int
) -> None:
    """For the school and for each homeroom, whatever the students are."""
    chance = random.Random(seed)
    with sessions.begin() as session:
        add_students(session, school, range(8, 48))
        add_plan(session, school, DAY)
        for student in range(48):
            _make_somebody(session, school, student, chance)
    with sessions() as session:
        at = describe_school(session.get_one(School, school.id))
        moment = time_of(DAY, NOW, ZONE)
        board = read_board(session, at, moment)
        today = read_today(session, at, moment)
        listed = {
            room.id: count_today(session, today, TodayWanted(homeroom_id=room.id)).of
            for room in board.rows
        }
        every = count_today(session, today, EVERY)
        found = list_today(session, today, EVERY, Part())
    assert {row.id: _of(row.counts) for row in board.rows} == listed
    assert _of(board.total) == every.of
    for status in TodayStatus:
        assert sum(status in one.statuses for one in found) == every.of[status]
    assert len(found) == every.students


def _make_somebody(
    session: Session, school: SmallSchool, student: int, chance: random.Random
) -> None:
    student_id = school.students[student]
    if chance.random() < 0.2:
        session.add(Boarding(school_id=school.id, student_id=student_id, from_on=DAY))
    if chance.random() < 0.1:
        session.add(Exemption(school_id=school.id, student_id=student_id, from_on=DAY))
    if chance.random() < 0.1:
        session.get_one(Student, student_id).status = StudentStatus.SUSPENDED
    if chance.random() < 0.3:
        _slip(session, school, student, NOW + timedelta(hours=chance.randint(-20, 4)), 6)
    if chance.random() < 0.7:
        names = ("late", "left_early", "absent", "on_leave", "present")
        add_day(session, school, student, DAY, **{name: chance.randint(0, 1) for name in names})


def _of(counts: Counts) -> dict[TodayStatus, int]:
    return {
        TodayStatus.ABSENT: counts.absent,
        TodayStatus.NOT_JUDGED: counts.not_yet,
        TodayStatus.LATE: counts.late,
        TodayStatus.LEFT_EARLY: counts.left_early,
        TodayStatus.ON_LEAVE: counts.on_leave,
    }

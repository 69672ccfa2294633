"""What is odd: each kind with what it knows, who sees it, and what was looked at."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.facts import DayPlan
from card_server.attendance.looking import look_at, take_back
from card_server.audit.writing import SYSTEM
from card_server.errors import AppError
from card_server.reports.always_late import habit_of
from card_server.reports.findings import Asked, Odd, OddKind, read_findings
from card_server.staff.scope import WHOLE_SCHOOL, Grant, narrow
from schema.messages import Refusal
from schema.tables.audit import AuditEntry
from schema.tables.calendar import DayKind
from schema.tables.findings import PairKind
from schema.tables.staff import Role, Scope
from tests.card_server.web.odd_things import BACK, LESSONS, add_day, add_pair, add_plan
from tests.card_server.web.small_school import SmallSchool, add_tap
from tests.harness.clock import NOW, TODAY, ZONE

BOARDERS_ONLY = DayPlan(DayKind.CLOSED, (BACK,))
WEEK = Asked(TODAY - timedelta(days=6), TODAY)


def _read(
    sessions: sessionmaker[Session],
    school: SmallSchool,
    asked: Asked = WEEK,
    grant: Grant = WHOLE_SCHOOL,
) -> list[Odd]:
    with sessions() as session:
        narrow(session, school.id, [grant])
        return read_findings(session, school.id, ZONE, asked)


def _look(sessions: sessionmaker[Session], school: SmallSchool, key: str, grant: Grant) -> None:
    with sessions.begin() as session:
        narrow(session, school.id, [grant])
        look_at(session, SYSTEM, school.id, key, NOW)


def _teacher(school: SmallSchool, room: int) -> Grant:
    return Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[room])


def test_each_finding_of_a_day_is_a_line(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_day(session, school, 0, TODAY, findings="missed_exit forgotten_exit")
        add_day(session, school, 1, TODAY - timedelta(days=8), findings="missed_exit")
    found = _read(sessions, school)
    assert [(one.kind, one.name, one.day) for one in found] == [
        (OddKind.FORGOTTEN_EXIT, "张三", TODAY),
        (OddKind.MISSED_EXIT, "张三", TODAY),
    ]
    only = _read(sessions, school, Asked(WEEK.first, WEEK.last, OddKind.MISSED_EXIT))
    assert [one.kind for one in only] == [OddKind.MISSED_EXIT]


def test_pairs_of_taps_say_where_and_how_far_apart(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_pair(session, school, 1, NOW - timedelta(seconds=5), PairKind.TRAVEL)
        add_pair(session, school, 2, NOW - timedelta(days=30), PairKind.TWO_CARDS)
    [one] = _read(sessions, school)
    assert (one.kind, one.name, one.seconds) == (OddKind.TRAVEL, "李四", 12)
    assert one.readers == "东门进 → 东门出"


def test_a_refused_card_is_a_line_from_the_third_time_on(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for _ in range(2):
            add_tap(session, school, 0, at=NOW, reason=Refusal.LOST)
        for _ in range(4):
            add_tap(session, school, 2, at=NOW, reason=Refusal.HELD)
    assert _read(sessions, school) == []
    with sessions.begin() as session:
        add_tap(session, school, 0, at=NOW, reason=Refusal.LOST)
        for _ in range(3):
            add_tap(session, school, None, at=NOW, reason=Refusal.UNKNOWN)
    found = {one.reason: one for one in _read(sessions, school)}
    assert (found[Refusal.LOST].times, found[Refusal.LOST].name) == (3, "张三")
    assert (found[Refusal.UNKNOWN].student_id, found[Refusal.UNKNOWN].uid) == (
        None,
        "04AAAAAAAAAAAA",
    )


def test_who_is_late_by_the_same_minutes_is_a_line(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for back in range(10):
            day = TODAY - timedelta(days=back)
            add_day(session, school, 1, day)
            if back < 4:
                add_day(session, school, 0, day, late=1, late_minutes=2 + back % 2)
                add_day(session, school, 2, day, late=1, late_minutes=1 + 9 * back)
    [one] = _read(sessions, school)
    assert (one.kind, one.name, one.times, one.minutes) == (OddKind.ALWAYS_LATE, "张三", 4, 2)


@pytest.mark.parametrize(("other", "known"), [(BOARDERS_ONLY, 4), (LESSONS, None)])
def test_ten_school_days_are_days_with_lessons_for_day_students(
    school: SmallSchool, sessions: sessionmaker[Session], other: DayPlan, known: int | None
) -> None:
    """Every third day boarders alone are back; somebody came, and nobody had a lesson."""
    late_on = []
    with sessions.begin() as session:
        for back in range(15):
            day, is_lessons = TODAY - timedelta(days=back), back % 3 != 1
            add_plan(session, school, day, LESSONS if is_lessons else other)
            add_day(session, school, 1, day)
            if is_lessons:
                late_on.append(day)
        for day in late_on[-4:]:
            add_day(session, school, 0, day, late=1, late_minutes=3)
    found = _read(sessions, school, Asked(TODAY - timedelta(days=30), TODAY))
    assert [one.times for one in found] == ([] if known is None else [known])


def test_late_back_on_a_boarders_sunday_is_none_of_the_ten_days(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for back in range(8):
            day = TODAY - timedelta(days=back)
            add_plan(session, school, day, BOARDERS_ONLY if back % 2 else LESSONS)
            add_day(session, school, 0, day, late=1, late_minutes=3)
    [one] = _read(sessions, school, Asked(TODAY - timedelta(days=30), TODAY))
    assert (one.times, one.day) == (4, TODAY)


def test_a_day_counts_that_had_lessons_for_some_homeroom(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for back in range(4):
            day = TODAY - timedelta(days=back)
            add_plan(session, school, day, BOARDERS_ONLY, school.homerooms[1:])
            add_plan(session, school, day, LESSONS, school.homerooms[:1])
            add_day(session, school, 0, day, late=1, late_minutes=3)
    [one] = _read(sessions, school)
    assert one.times == 4


@pytest.mark.parametrize(
    ("minutes", "known"),
    [
        ([3, 3, 3, 3], (4, 3)),
        ([1, 3, 4, 6], (4, 3)),
        ([3, 3, 3], None),
        ([1, 8, 15, 22], None),
        ([3, 3, 40, 2, 4], (4, 3)),
        ([], None),
    ],
)
def test_a_habit_is_four_times_about_the_same(
    minutes: Sequence[int], known: tuple[int, int] | None
) -> None:
    days = [(date(2026, 9, 1) + timedelta(days=n), late) for n, late in enumerate(minutes)]
    habit = habit_of(7, days)
    assert (habit and (habit.times, habit.minutes)) == known


def test_a_teacher_sees_the_own_homeroom_alone(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        for student in (0, 1):
            add_day(session, school, student, TODAY, findings="missed_exit")
            add_pair(session, school, student, NOW - timedelta(seconds=5), PairKind.TRAVEL)
            for _ in range(3):
                add_tap(session, school, student, at=NOW, reason=Refusal.LOST)
    found = _read(sessions, school, grant=_teacher(school, 1))
    assert {one.name for one in found} == {"李四"}
    assert len(found) == 3


def test_what_was_looked_at_is_open_no_more_until_it_is_opened_again(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_day(session, school, 0, TODAY, findings="missed_exit")
        add_pair(session, school, 0, NOW - timedelta(seconds=5), PairKind.TWO_CARDS)
        for _ in range(3):
            add_tap(session, school, None, at=NOW, reason=Refusal.UNKNOWN)
    keys = [one.key for one in _read(sessions, school)]
    assert len(keys) == 3
    for key in [*keys, *keys]:
        _look(sessions, school, key, WHOLE_SCHOOL)
    assert _read(sessions, school) == []
    looked = _read(sessions, school, Asked(WEEK.first, WEEK.last, is_looked_at=True))
    assert [one.key for one in looked] == keys
    with sessions.begin() as session:
        take_back(session, SYSTEM, school.id, keys[0])
    with sessions() as session:
        wanted = select(func.count()).where(AuditEntry.action.startswith("finding."))
        assert session.scalar(wanted) == 4
    assert [one.key for one in _read(sessions, school)] == keys[:1]


def test_only_what_one_sees_can_be_looked_at(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_day(session, school, 0, TODAY, findings="missed_exit")
        pair = add_pair(session, school, 0, NOW, PairKind.TRAVEL)
        add_tap(session, school, None, at=NOW, reason=Refusal.UNKNOWN)
    student = school.students[0]
    keys = [
        f"missed_exit:{student}:{TODAY}",
        f"travel:{pair.hex}",
        f"refused_again:04AAAAAAAAAAAA:{TODAY}",
    ]
    for key in keys:
        with pytest.raises(AppError):
            _look(sessions, school, key, _teacher(school, 1))
        _look(sessions, school, key, WHOLE_SCHOOL)


@pytest.mark.parametrize(
    "key", ["", "missed_exit", "nonsense:1:2026-09-01", "missed_exit:x:2026-09-01", "travel:1"]
)
def test_a_key_that_is_none_is_refused(
    school: SmallSchool, sessions: sessionmaker[Session], key: str
) -> None:
    with pytest.raises(AppError):
        _look(sessions, school, key, WHOLE_SCHOOL)

"""Homerooms and students over a time: sums, points, ranks, weeks, and which are counted."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert
from sqlalchemy.orm import Session, sessionmaker

from card_server.reports.rankings import Ranking, Sums, read_ranking
from card_server.reports.student_ranking import (
    Wanted,
    count_lines,
    list_counted,
    list_lines,
    read_lines,
)
from card_server.staff.scope import Grant, narrow
from schema.tables.attendance import AttendanceRules
from schema.tables.staff import Role, Scope
from tests.card_server.web.odd_things import add_day
from tests.card_server.web.small_school import SmallSchool

MONDAY = date(2026, 9, 7)
SUNDAY = MONDAY + timedelta(days=6)


@pytest.fixture(autouse=True)
def days(school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    """Students 0, 2, 4, 6 are of the first homeroom and 1, 3, 5, 7 of the second."""
    with sessions.begin() as session:
        for student in range(8):
            add_day(session, school, student, MONDAY)
        add_day(session, school, 0, MONDAY + timedelta(days=1), late=2, late_minutes=9, present=2)
        add_day(session, school, 2, MONDAY + timedelta(days=1), absent=2)
        add_day(session, school, 1, MONDAY + timedelta(days=1), left_early=1)
        add_day(session, school, 3, MONDAY + timedelta(days=7), on_leave=2)


def _read(
    sessions: sessionmaker[Session], school: SmallSchool, last: date = SUNDAY, **more: int
) -> Ranking:
    with sessions() as session:
        return read_ranking(session, school.id, MONDAY, last, **more)


def test_a_homeroom_has_its_sums_and_its_points(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    rows = {one.id: one for one in _read(sessions, school).rooms}
    first, second = (rows[room] for room in school.homerooms)
    # Two times late at half a point, and two sessions of absence at two points.
    assert first.sums == Sums(4, came=5, away=1, late=2, absent=2, points_tenths=50)
    assert second.sums == Sums(4, came=5, left_early=1, points_tenths=5)
    assert (first.rank, second.rank) == (2, 1)
    assert (first.sums.rate, second.sums.rate) == (83.3, 100.0)


def test_the_schools_own_points_count(school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(
            insert(AttendanceRules).values(
                school_id=school.id, late_tenths=10, early_tenths=100, absent_tenths=0
            )
        )
    points = {one.id: one.sums.points_tenths for one in _read(sessions, school).rooms}
    assert points == dict(zip(school.homerooms, (20, 100), strict=True))


def test_homerooms_that_are_equal_share_a_rank_and_grades_add_up(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions() as session:
        found = read_ranking(session, school.id, MONDAY, MONDAY)
    assert [one.rank for one in found.rooms] == [1, 1]
    assert [(one.grade, one.rooms, one.sums.came) for one in found.grades] == [(1, 2, 8)]
    assert found.total.came == 8


def test_weeks_begin_on_mondays(school: SmallSchool, sessions: sessionmaker[Session]) -> None:
    weeks = _read(sessions, school, MONDAY + timedelta(days=10)).weeks
    assert [(one.starts_on, one.sums.late, one.sums.on_leave) for one in weeks] == [
        (MONDAY, 2, 0),
        (MONDAY + timedelta(days=7), 0, 2),
    ]


def test_one_homeroom_is_ranked_by_itself_with_its_own_weeks(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    found = _read(sessions, school, homeroom_id=school.homerooms[1])
    assert [one.id for one in found.rooms] == [school.homerooms[1]]
    assert [one.sums.late for one in found.weeks] == [0]
    assert _read(sessions, school, grade=9).rooms == []


def test_a_day_of_before_there_were_timetables_is_once_late(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_day(session, school, 4, MONDAY + timedelta(days=2), late_minutes=7)
    rows = {one.id: one for one in _read(sessions, school).rooms}
    assert rows[school.homerooms[0]].sums.late == 3


def test_students_stand_in_the_order_that_is_asked(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    wanted = Wanted(MONDAY, SUNDAY)
    with sessions() as session:
        assert count_lines(session, school.id, wanted) == 3
        by_late = list_lines(session, school.id, wanted, "-late", 0, 10)
        by_absent = list_lines(session, school.id, wanted, "-absent", 0, 1)
        every = list(read_lines(session, school.id, wanted, "number", 2))
    assert (by_late[0].name, by_late[0].late, by_late[0].late_minutes) == ("张三", 2, 9)
    assert [(one.name, one.absent) for one in by_absent] == [("王小明", 2)]
    assert [one.name for one in every] == ["张三", "李四", "王小明"]


@pytest.mark.parametrize(("words", "names"), [("wxm", ["王小明"]), ("张", ["张三"]), ("%", [])])
def test_students_are_found_by_words(
    school: SmallSchool, sessions: sessionmaker[Session], words: str, names: list[str]
) -> None:
    with sessions() as session:
        found = list_lines(session, school.id, Wanted(MONDAY, SUNDAY, words=words), "name", 0, 10)
    assert [one.name for one in found] == names


def test_a_homeroom_teacher_sees_the_own_homeroom_alone(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[1])
    with sessions() as session:
        narrow(session, school.id, [grant])
        found = read_ranking(session, school.id, MONDAY, SUNDAY)
        lines = list_lines(session, school.id, Wanted(MONDAY, SUNDAY), "name", 0, 10)
    assert [one.id for one in found.rooms] == [school.homerooms[1]]
    assert [(one.sums.late, one.sums.left_early) for one in found.weeks] == [(0, 1)]
    assert [one.name for one in lines] == ["李四"]


def test_a_part_of_the_students_comes_with_how_many_there_are(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    wanted, nobody = Wanted(MONDAY, SUNDAY), Wanted(MONDAY, MONDAY)
    with sessions() as session:
        some, total = list_counted(session, school.id, wanted, "number", 1, 1)
        past = list_counted(session, school.id, wanted, "number", 50, 50)
        none = list_counted(session, school.id, nobody, "number", 0, 50)
    assert ([one.name for one in some], total) == (["李四"], 3)
    assert (past, none) == (([], 3), ([], 0))


def test_who_is_late_because_a_teacher_says_so_has_no_minutes_and_is_counted(
    school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_day(session, school, 5, MONDAY + timedelta(days=3), late=1, late_minutes=0)
    rows = {one.id: one for one in _read(sessions, school).rooms}
    with sessions() as session:
        lines = list_lines(session, school.id, Wanted(MONDAY, SUNDAY), "-late", 0, 10)
    assert rows[school.homerooms[1]].sums.late == 1
    assert [(one.late, one.late_minutes) for one in lines if one.late] == [(2, 9), (1, 0)]


def test_homerooms_are_ranked_without_a_look_at_their_students_days(
    school: SmallSchool, sessions: sessionmaker[Session], engine: Engine
) -> None:
    asked = _listen(engine)
    _read(sessions, school)
    assert len(asked) == 3
    assert not [text for text, _values in asked if "FROM attendance " in text]


def test_the_index_of_odd_days_alone_serves_the_sums_of_students(
    school: SmallSchool, sessions: sessionmaker[Session], engine: Engine
) -> None:
    """SQLite says which index it takes; PostgreSQL chooses by size, which the bench measures."""
    if engine.dialect.name != "sqlite":
        return
    asked = _listen(engine)
    with sessions() as session:
        list_lines(session, school.id, Wanted(MONDAY, SUNDAY), "-late", 0, 10)
        [(text, values)] = [one for one in asked if "FROM attendance " in one[0]]
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
    assert "COVERING INDEX ix_attendance_odd" in str(plan)


def _listen(engine: Engine) -> list[tuple[str, Any]]:
    """Each SELECT that is asked from now on, with its values."""
    asked: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        if given[2].startswith("SELECT"):
            asked.append((given[2], given[3]))

    event.listen(engine, "before_cursor_execute", note)
    return asked

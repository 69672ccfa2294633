"""The register of leave: which slips lie over which days, of whom, in which order, and how fast."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, text
from sqlalchemy.orm import Session, sessionmaker

from card_server.leave.register import (
    SORTS,
    Wanted,
    count_register,
    list_counted,
    moments_of,
    read_register,
    slips_after,
)
from card_server.staff.scope import Grant, narrow
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.people import Student
from schema.tables.school import Homeroom
from schema.tables.staff import Role, Scope
from tests.card_server.people.people_school import ZONE
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool

MONDAY = date(2026, 11, 23)
_MIDNIGHT = datetime(2026, 11, 23, tzinfo=ZONE).astimezone(UTC)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def _add(
    sessions: sessionmaker[Session],
    school: SmallSchool,
    student: int,
    begin: datetime,
    hours: int = 24,
    **more: Any,
) -> int:
    with sessions.begin() as session:
        slip = make_slip(school, student, begin, hours)
        for name, value in more.items():
            setattr(slip, name, value)
        session.add(slip)
        session.flush()
        return slip.id


def _found(
    sessions: sessionmaker[Session], school: SmallSchool, sort: str = "-from", **wanted: Any
) -> list[int]:
    with sessions() as session:
        asked = Wanted(**wanted)
        lines, total = list_counted(session, school.id, asked, sort, 0, 50)
        assert total == len(lines) == count_register(session, school.id, asked)
        assert list(read_register(session, school.id, asked, sort, 1)) == lines
        by_id = slips_after(session, school.id, asked, 0, 50)
        assert [one.id for one in by_id] == sorted(one.id for one in lines)
        return [one.id for one in lines]


@pytest.mark.parametrize(
    ("begins", "hours", "is_over_it"),
    [
        (timedelta(), 24, True),
        (-_DAY, 24, False),
        (-_DAY, 25, True),
        (_DAY, 24, False),
        (_DAY - _HOUR, 1, True),
        (-_HOUR, 1, False),
        (10 * _HOUR, 2, True),
        (-59 * _DAY, 60 * 24, True),
        (-60 * _DAY, 60 * 24, False),
    ],
)
def test_a_slip_is_on_a_day_that_any_part_of_it_lies_in(
    sessions: sessionmaker[Session],
    school: SmallSchool,
    begins: timedelta,
    hours: int,
    is_over_it: bool,
) -> None:
    _add(sessions, school, 0, _MIDNIGHT + begins, hours)
    begin, end = moments_of(MONDAY, MONDAY, ZONE)
    assert len(_found(sessions, school, begin=begin, end=end)) == is_over_it


def test_the_longest_leave_is_found_on_its_first_and_its_last_day(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    """Its end lies far beyond the days that are asked, where the index is not read any more."""
    slip = _add(sessions, school, 0, _MIDNIGHT, 60 * 24 + 1)
    for days in (0, 30, 60):
        day = MONDAY + days * _DAY
        begin, end = moments_of(day, day, ZONE)
        assert _found(sessions, school, begin=begin, end=end) == [slip]


def test_slips_are_chosen_by_homeroom_grade_kind_state_student_and_words(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    first, second = school.homerooms
    sick = _add(sessions, school, 0, _MIDNIGHT, state=LeaveState.APPROVED)
    other = _add(sessions, school, 1, _MIDNIGHT + _HOUR, kind=LeaveKind.OFFICIAL)
    with sessions.begin() as session:
        session.get_one(Homeroom, second).grade = 2
    for wanted, expected in (
        ({}, [other, sick]),
        ({"homeroom_id": first}, [sick]),
        ({"grade": 2}, [other]),
        ({"kind": LeaveKind.SICK}, [sick]),
        ({"state": LeaveState.ASKED}, [other]),
        ({"student_id": school.students[1]}, [other]),
        ({"words": "张"}, [sick]),
        ({"words": " LS "}, [other]),
        ({"words": "2026000"}, [other, sick]),
        ({"words": "nobody"}, []),
        ({"words": "zs", "state": LeaveState.ASKED}, []),
    ):
        assert _found(sessions, school, **wanted) == expected, wanted


@pytest.mark.parametrize("sort", SORTS)
def test_each_order_has_its_reverse(
    sessions: sessionmaker[Session], school: SmallSchool, sort: str
) -> None:
    for student in range(4):
        _add(sessions, school, student, _MIDNIGHT - student * _DAY)
    up, down = _found(sessions, school, sort), _found(sessions, school, f"-{sort}")
    assert up == down[::-1]
    assert len(up) == 4


def test_a_homeroom_teacher_sees_the_own_homeroom_alone(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    own = _add(sessions, school, 0, _MIDNIGHT)
    _add(sessions, school, 1, _MIDNIGHT)
    grant = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
    with sessions() as session:
        narrow(session, school.id, [grant])
        lines, total = list_counted(session, school.id, Wanted(), "name", 0, 50)
        assert ([one.id for one in lines], total) == ([own], 1)
        assert slips_after(session, school.id, Wanted(grade=1), own, 50) == []


def test_a_week_of_two_years_is_found_by_the_index_of_ends(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    """3,000 students of whom each is on leave four times a year."""
    _add_two_years(sessions, school)
    begin, end = moments_of(MONDAY, MONDAY + 6 * _DAY, ZONE)
    asked: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    with sessions() as session:
        found, total = list_counted(session, school.id, Wanted(begin, end), "-from", 0, 50)
        [(statement, values)] = [one for one in asked if "FROM leave_slip" in one[0]]
        explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        lines = session.connection().exec_driver_sql(f"{explain} {statement}", values).all()
    assert total > len(found) == 50
    assert "ix_leave_slip_school_id_until_at" in str(lines)


def _add_two_years(sessions: sessionmaker[Session], school: SmallSchool) -> None:
    columns = ("kind", "lets_out", "needs_school", "reason_sealed", "asked_by", "asked_at")
    with sessions.begin() as session:
        pattern = make_slip(school, 0, _MIDNIGHT)
        same = {name: getattr(pattern, name) for name in columns}
        students = [
            {"school_id": school.id, "homeroom_id": school.homerooms[n % 2], "number": f"x{n}"}
            | {"name": f"学生{n}", "pinyin": f"xs{n}"}
            for n in range(3_000)
        ]
        session.execute(insert(Student), students)
        ids = list(session.scalars(select(Student.id).where(Student.number.startswith("x"))))
        slips = [
            {"school_id": school.id, "student_id": id_, "state": LeaveState.APPROVED, **same}
            | {"from_at": begin, "until_at": begin + _DAY}
            for n in range(8 * len(ids))
            for id_, begin in [(ids[n % len(ids)], _MIDNIGHT + (300 - n % 730) * _DAY)]
        ]
        session.execute(insert(LeaveSlip), slips)
    with sessions.begin() as session:
        session.execute(text("ANALYZE"))

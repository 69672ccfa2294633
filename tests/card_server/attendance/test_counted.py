"""A homeroom's counts are what its students' days come to, whatever happened in which order."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict
from sqlalchemy import Engine, select

from card_server.attendance.counted import COUNTED, add_counted
from card_server.attendance.rows import THERE, Count, Counts, DayKey, DayRow
from card_server.storage.database import open_sessions
from schema.tables.attendance import Attendance, HomeroomDay, SessionStatus
from schema.tables.school import Homeroom
from tests.card_server.attendance.judged_school import (
    MONDAY,
    JudgedSchool,
    at,
    sessions_of,
)
from tests.card_server.attendance.random_week import (
    OF_DAYS,
    OF_STUDENTS,
    STUDENTS,
    Event,
    any_events,
    fresh_school,
    happen,
    some_events,
)
from tests.card_server.web.small_school import make_day

_KINDS = OF_DAYS + OF_STUDENTS
Sums = dict[tuple[int, date], dict[str, int]]


def add_room(school: JudgedSchool) -> None:
    """A second homeroom, to move to."""
    with school.sessions.begin() as session:
        session.add(Homeroom(school_id=school.school_id, grade=8, name="八(1)班", school_year=2026))


def kept(school: JudgedSchool) -> Sums:
    """The counts of homerooms' days that have any."""
    rows = {
        (row.homeroom_id, row.day): {name: getattr(row, name) for name in COUNTED}
        for row in school.rows(HomeroomDay)
    }
    return {key: numbers for key, numbers in rows.items() if any(numbers.values())}


def folded(school: JudgedSchool) -> Sums:
    """The same, from the results of each student's sessions."""
    sums: dict[tuple[int, date], Counter[str]] = {}
    for row in school.rows(Attendance):
        sums.setdefault((row.homeroom_id, row.day), Counter()).update(_of_day(row))
    return {
        key: {name: numbers[name] for name in COUNTED}
        for key, numbers in sums.items()
        if numbers.total()
    }


def _of_day(row: Attendance) -> Counter[str]:
    results = sessions_of(row)
    statuses = [one.status for one in results]
    early = [one.status is SessionStatus.LEFT_EARLY for one in results]
    late_and_early = [one.status is SessionStatus.LATE and one.early_minutes > 0 for one in results]
    sessions = {
        "late": statuses.count(SessionStatus.LATE),
        "left_early": sum(early) + sum(late_and_early),
        "absent": statuses.count(SessionStatus.ABSENT),
        "on_leave": statuses.count(SessionStatus.ON_LEAVE),
    }
    counted = Counter({name: number > 0 for name, number in sessions.items()})
    counted.update({f"{name}_sessions": number for name, number in sessions.items()})
    counted["arrived"] = int(row.arrived_at is not None)
    was_expected = bool(sessions["absent"] or sessions["on_leave"])
    counted["away"] = int(was_expected and not THERE.intersection(statuses))
    return counted


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=any_events(_KINDS), seed=st.integers(0, 2**32))
def test_kept_counts_are_the_sums_of_the_days(
    sqlite_template: Path, events: list[Event], seed: int
) -> None:
    school = fresh_school(sqlite_template)
    add_room(school)
    happen(school, events, seed)
    assert kept(school) == folded(school)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=any_events(_KINDS), seed=st.integers(0, 2**32))
def test_in_many_schools_kept_counts_are_the_sums_of_the_days(
    sqlite_template: Path, events: list[Event], seed: int
) -> None:
    school = fresh_school(sqlite_template)
    add_room(school)
    happen(school, events, seed)
    assert kept(school) == folded(school)


@pytest.mark.parametrize("seed", [1, 13])
def test_they_are_on_both_databases(engine: Engine, seed: int) -> None:
    school = JudgedSchool(open_sessions(engine), students=STUDENTS)
    add_room(school)
    happen(school, some_events(seed, _KINDS), seed)
    counts = kept(school)
    assert counts == folded(school)
    assert len({room for room, _day in counts}) == 2
    assert all(sum(one[name] for one in counts.values()) for name in COUNTED), counts


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"late": 2, "late_minutes": 9, "present": 2},
        {"late": 1, "present": 2},
        {"late_minutes": 7},
        {"left_early": 2, "absent": 1, "present": 2},
        {"absent": 2},
        {"on_leave": 1, "absent": 1},
        {"on_leave": 1, "present": 1},
    ],
    ids=str,
)
def test_a_day_adds_the_same_in_sql(engine: Engine, numbers: dict[str, int]) -> None:
    sessions = open_sessions(engine)
    row: DayRow = make_day(DayKey(1, MONDAY, 7), 3, at(MONDAY, "07:40"), **numbers)
    with sessions.begin() as session:
        session.add(Attendance(**asdict(row)))
        session.flush()
        found = session.execute(select(*COUNTED.values())).one()
    in_sql, counts = Count(1, 3, MONDAY), Counts()
    add_counted(in_sql, found)
    counts.add_day(row, 1)
    assert in_sql == counts.of(1, 3, MONDAY)
    counts.add_day(row, -1)
    assert counts.of(1, 3, MONDAY) == Count(1, 3, MONDAY)

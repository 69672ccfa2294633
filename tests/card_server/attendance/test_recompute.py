"""Recomputing gives what was judged tap by tap, mends what was spoilt, and is done once."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from card_server.attendance.dark_gates import judge_without
from card_server.attendance.recompute import Recomputing
from card_server.attendance.recomputed import Recomputed
from card_server.attendance.rows import Count
from card_server.audit.writing import SYSTEM
from card_server.people.student_status import StatusChange, change_status
from card_server.personal.erasure import Erasing, erase_student
from card_server.storage.database import open_sessions
from schema.tables.attendance import Attendance, HomeroomDay, Presence
from schema.tables.calendar import TimetableSession
from schema.tables.people import Student, StudentStatus
from schema.tables.taps import Tap
from tests.card_server.attendance.judged_school import MONDAY, ZONE, JudgedSchool, at
from tests.card_server.attendance.random_week import (
    BOARDERS,
    DAYS,
    END,
    OF_DAYS,
    OF_STUDENTS,
    STUDENTS,
    Event,
    any_events,
    fresh_school,
    happen,
    some_events,
)

_KINDS = (*OF_DAYS, *OF_STUDENTS)


def recompute(
    school: JudgedSchool, *, dry: bool = False, by_new_calendar: bool = False
) -> Recomputed:
    doing = Recomputing(
        school.sessions,
        school.school,
        DAYS[0],
        DAYS[-1],
        END,
        by_new_calendar=by_new_calendar,
    )
    return doing.try_out(_silent) if dry else doing.do(_silent)


def _silent(_done: int, _total: int) -> None:
    pass


def state(school: JudgedSchool) -> list[object]:
    """What recomputing may change; counts of nobody are as none, and so is who was never seen.

    Days after those that are recomputed are there when something of the register changed.
    """
    days = [row for row in school.values(Attendance) if row["day"] in DAYS]
    nobody = dict.fromkeys(Count.__struct_fields__[3:], 0)
    counts = [
        row
        for row in school.values(HomeroomDay)
        if row["day"] in DAYS and not nobody.items() <= row.items()
    ]
    places = [row for row in school.values(Presence) if row["since_at"].year > 2000]
    taps = [(tap.id, tap.direction, tap.direction_by, tap.effect) for tap in school.rows(Tap)]
    return [days, places, counts, sorted(taps)]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=any_events(_KINDS), seed=st.integers(0, 2**32))
def test_judged_tap_by_tap_or_all_at_once_it_is_the_same(
    sqlite_template: Path, events: list[Event], seed: int
) -> None:
    school = fresh_school(sqlite_template)
    happen(school, events, seed)
    judged = state(school)
    assert recompute(school, dry=True).changed == 0
    again = recompute(school)
    assert (again.changed, again.counts_mended) == (0, 0)
    school.forget_days()
    recompute(school)
    assert state(school) == judged


@pytest.mark.faults
@pytest.mark.timeout(3600)
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=any_events(_KINDS), seed=st.integers(0, 2**32))
def test_in_many_schools_it_is_the_same(
    sqlite_template: Path, events: list[Event], seed: int
) -> None:
    school = fresh_school(sqlite_template)
    happen(school, events, seed)
    judged = state(school)
    assert recompute(school, dry=True).changed == 0
    school.forget_days()
    recompute(school)
    assert state(school) == judged


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_same_on_both_databases(engine: Engine, seed: int) -> None:
    school = JudgedSchool(open_sessions(engine), students=STUDENTS, boarders=BOARDERS)
    happen(school, some_events(seed, _KINDS), seed)
    judged = state(school)
    school.forget_days()
    recompute(school)
    assert state(school) == judged
    assert recompute(school).changed == 0


@pytest.mark.parametrize("next_tap", ["00:02", "06:40"])
def test_who_came_in_after_closing_is_out_over_night_even_if_no_clock_ran(
    engine: Engine, next_tap: str
) -> None:
    day_student, boarder = 1, BOARDERS[0]
    school = JudgedSchool(open_sessions(engine), students=STUDENTS, boarders=BOARDERS)
    school.tick(at(MONDAY, "00:00"))
    pass_gate, who = school.pass_gate, (day_student, boarder)
    school.record([pass_gate(student, MONDAY, "22:05", "gate") for student in who])
    school.report(at(MONDAY, "22:06"))
    school.tick(at(MONDAY, "22:06"))
    school.record([pass_gate(student, DAYS[1], next_tap, "gate") for student in who])
    school.report(END)
    school.tick(END)
    evenings = [row for row in school.values(Attendance) if row["day"] == MONDAY]
    findings = {row["student_id"]: row["findings"] for row in evenings}
    assert "forgotten_exit" in findings[day_student]
    assert "forgotten_exit" not in findings[boarder]
    judged = state(school)
    assert recompute(school, dry=True).changed == 0
    school.forget_days()
    recompute(school)
    assert state(school) == judged


def test_what_was_spoilt_is_mended(engine: Engine) -> None:
    school = JudgedSchool(open_sessions(engine), students=STUDENTS)
    happen(school, some_events(9), 9)
    right = state(school)
    with school.sessions.begin() as session:
        session.execute(update(HomeroomDay).values(arrived=77, inside=5))
        session.execute(update(Attendance).values(absent=2, late_minutes=11))
        session.execute(update(Tap).values(effect="double"))
    result = recompute(school)
    assert result.counts_mended > 0
    assert result.changed == sum(result.by_homeroom.values()) > 0
    assert state(school) == right


def test_a_changed_timetable_changes_nothing_unless_it_is_asked_for(engine: Engine) -> None:
    school = JudgedSchool(open_sessions(engine), students=STUDENTS)
    happen(school, [("tap", 1, 0, 8 * 60 + 10, "gate-in")], 1)
    assert school.statuses(1)[0] == "late"
    judged = state(school)
    with school.sessions.begin() as session:
        for one in session.scalars(select(TimetableSession).where(TimetableSession.position == 1)):
            one.late_after = 8 * 60 + 15
    assert recompute(school).changed == 0
    trial = recompute(school, dry=True, by_new_calendar=True)
    assert state(school) == judged
    [changed] = [one for one in trial.listed if one.student_id == 1 and one.day == MONDAY]
    assert changed.before is not None
    assert (changed.before.late, changed.after.late) == (1, 0)
    done = recompute(school, by_new_calendar=True)
    assert done.listed == trial.listed
    assert school.statuses(1)[0] == "present"
    assert recompute(school, dry=True, by_new_calendar=True).changed == 0
    assert recompute(school).changed == 0


@pytest.mark.parametrize("is_left_out", [False, True])
def test_a_gate_in_the_dark_takes_back_nothing_that_was_judged(
    engine: Engine, is_left_out: bool
) -> None:
    school = JudgedSchool(open_sessions(engine), students=STUDENTS)
    school.tick(at(MONDAY, "00:00"))
    school.report(END)
    if is_left_out:
        school.report(at(MONDAY, "06:00"), "gate")
        gate = school.campus.readers["gate"]
        with school.sessions.begin() as session:
            judge_without(session, SYSTEM, school.school_id, MONDAY, gate, "坏了", END)
    school.tick(END)
    assert school.statuses(1) == ["absent", "absent"]
    school.report(None, "gate")
    assert recompute(school, dry=True, by_new_calendar=True).changed == 0
    assert recompute(school, by_new_calendar=True).changed == 0
    assert recompute(school).changed == 0


@pytest.mark.parametrize("by_new_calendar", [False, True])
def test_days_of_who_was_erased_stay_as_they_were(engine: Engine, by_new_calendar: bool) -> None:
    school = JudgedSchool(open_sessions(engine), students=STUDENTS)
    school.tick(at(MONDAY, "00:00"))
    school.record([school.pass_gate(1, MONDAY, "07:50")])
    school.report(END)
    school.tick(END)
    with school.sessions.begin() as session:
        student = session.get_one(Student, 1)
        gone = StatusChange(StudentStatus.TRANSFERRED, DAYS[-1], "转学")
        change_status(session, SYSTEM, school.school_id, 1, gone, END, ZONE)
        who = Erasing(SYSTEM, school.school_id, 1, student.number, "依书面申请", END)
        erase_student(session, who)
    judged = state(school)
    assert school.statuses(1) == ["present", "present"]
    assert recompute(school, dry=True, by_new_calendar=by_new_calendar).changed == 0
    assert recompute(school, by_new_calendar=by_new_calendar).changed == 0
    assert state(school) == judged

"""Recomputing gives what was judged tap by tap, mends what was spoilt, and is done once."""

import random
import tempfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from card_server.attendance.recompute import Recomputed, Recomputing
from card_server.attendance.refold import refold
from card_server.school_time import day_of
from card_server.storage.database import open_engine, open_sessions
from schema.tables.attendance import (
    Attendance,
    Correction,
    HandPassage,
    HomeroomDay,
    Presence,
    SessionStatus,
)
from schema.tables.calendar import TimetableSession
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.readers import Direction
from schema.tables.taps import Tap
from tests.card_server.attendance.judged_school import MONDAY, READERS, ZONE, JudgedSchool, at

DAYS = [MONDAY + timedelta(days=n) for n in range(3)]
STUDENTS = 4
BOARDERS = (3, 4)
END = at(DAYS[-1] + timedelta(days=1), "01:00")


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
    """What recomputing may change; counts of nobody are as none, and so is who was never seen."""
    nobody = {"arrived": 0, "late": 0, "inside": 0, "left_early": 0, "absent": 0, "on_leave": 0}
    counts = [row for row in school.values(HomeroomDay) if not nobody.items() <= row.items()]
    places = [row for row in school.values(Presence) if row["since_at"].year > 2000]
    taps = [(tap.id, tap.direction, tap.direction_by, tap.effect) for tap in school.rows(Tap)]
    return [school.values(Attendance), places, counts, sorted(taps)]


Event = tuple[str, int, int, int, str]
"""What happens: kind, student, day, minute, reader or session."""
_events = st.lists(
    st.tuples(
        st.sampled_from(["tap", "tap", "tap", "tap", "tap", "leave", "correction", "hand"]),
        st.integers(1, STUDENTS),
        st.integers(0, len(DAYS) - 1),
        st.one_of(st.integers(400, 540), st.integers(0, 1439)),
        st.sampled_from(sorted(READERS)),
    ),
    max_size=16,
    unique_by=lambda one: (one[1], one[2], one[3]),
)


def happen(school: JudgedSchool, events: list[Event], seed: int) -> None:
    """Some of it live, with the clock's ticks between; the rest afterwards, in any order."""
    chance = random.Random(seed)
    late = [one for one in events if chance.random() < 0.5]
    live = sorted((one for one in events if one not in late), key=lambda one: one[2:4])
    school.tick(at(DAYS[0], "00:00"))
    for kind, student, number, minute, reader in live:
        day, clock = DAYS[number], clock_of(minute)
        if kind == "tap":
            school.record([school.pass_gate(student, day, clock, reader)])
        else:
            put(school, kind, student, day, clock, at(day, clock))
        if chance.random() < 0.5:
            school.report(at(day, clock))
            school.tick(at(day, clock))
    school.report(END)
    school.tick(END)
    chance.shuffle(late)
    taps = []
    for kind, student, number, minute, reader in late:
        day, clock = DAYS[number], clock_of(minute)
        if kind == "tap":
            taps.append(school.pass_gate(student, day, clock, reader, received_at=END))
            if chance.random() < 0.6:
                continue
        else:
            put(school, kind, student, day, clock, END)
        if taps:
            school.record(taps)
            taps = []
    if taps:
        school.record(taps)


def clock_of(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def put(
    school: JudgedSchool, kind: str, student: int, day: date, clock: str, now: datetime
) -> None:
    moment = at(day, clock)
    with school.sessions.begin() as session:
        if kind == "leave":
            session.add(
                LeaveSlip(
                    school_id=school.school_id,
                    student_id=student,
                    kind=LeaveKind.PERSONAL,
                    from_at=moment,
                    until_at=moment + timedelta(hours=4),
                    needs_school=False,
                    reason_sealed=b"",
                    state=LeaveState.APPROVED,
                    asked_by="a",
                    asked_at=moment,
                )
            )
        elif kind == "correction":
            session.add(
                Correction(
                    school_id=school.school_id,
                    student_id=student,
                    day=day,
                    position=moment.minute % 3,
                    status=SessionStatus.PRESENT,
                    reason="更正",
                    made_by="a",
                    made_at=moment,
                )
            )
        else:
            session.add(
                HandPassage(
                    school_id=school.school_id,
                    student_id=student,
                    at=moment,
                    direction=Direction.IN if moment.minute % 2 else Direction.OUT,
                    reason="没带卡",
                    made_by="a",
                    made_at=moment,
                )
            )
        last = min(day_of(moment + timedelta(hours=4), ZONE), DAYS[-1])
        refold(session, school.school_id, student, day, last, now)


@pytest.fixture(scope="module")
def new_school(sqlite_template: Path) -> Callable[[], JudgedSchool]:
    """A maker of schools, each alone in a fresh SQLite file."""

    def make() -> JudgedSchool:
        path = Path(tempfile.mkdtemp(dir=sqlite_template.parent)) / "campus.db"
        path.write_bytes(sqlite_template.read_bytes())
        sessions = open_sessions(open_engine(f"sqlite:///{path}"))
        return JudgedSchool(sessions, students=STUDENTS, boarders=BOARDERS)

    return make


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=_events, seed=st.integers(0, 2**32))
def test_judged_tap_by_tap_or_all_at_once_it_is_the_same(
    new_school: Callable[[], JudgedSchool], events: list[Event], seed: int
) -> None:
    school = new_school()
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
@given(events=_events, seed=st.integers(0, 2**32))
def test_in_many_schools_it_is_the_same(
    new_school: Callable[[], JudgedSchool], events: list[Event], seed: int
) -> None:
    school = new_school()
    happen(school, events, seed)
    judged = state(school)
    school.forget_days()
    recompute(school)
    assert state(school) == judged


def _a_week(seed: int) -> list[Event]:
    chance = random.Random(seed)
    kinds = ["tap"] * 6 + ["leave", "correction", "hand"]
    events = {
        (student, day, chance.randrange(1440)): None
        for _ in range(60)
        for student, day in [(chance.randint(1, STUDENTS), chance.randrange(len(DAYS)))]
    }
    return [
        (chance.choice(kinds), student, day, minute, chance.choice(sorted(READERS)))
        for student, day, minute in events
    ]


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_same_on_both_databases(engine: Engine, seed: int) -> None:
    school = JudgedSchool(open_sessions(engine), students=STUDENTS, boarders=BOARDERS)
    happen(school, _a_week(seed), seed)
    judged = state(school)
    school.forget_days()
    recompute(school)
    assert state(school) == judged
    assert recompute(school).changed == 0


def test_what_was_spoilt_is_mended(engine: Engine) -> None:
    school = JudgedSchool(open_sessions(engine), students=STUDENTS)
    happen(school, _a_week(9), 9)
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

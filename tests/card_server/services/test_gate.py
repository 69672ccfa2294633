"""The gate: the rules in tables, and a day that comes out the same whatever order taps come in."""

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from card_server.services.gate import (
    Day,
    Whereabouts,
    add_passage,
    decide_effect,
    minutes_late,
    suppression_of,
)
from card_server.services.protocol import PlacedTap
from card_server.storage.database import open_engine, open_sessions
from card_server.taps.directory import ReaderFacts, SchoolFacts
from card_server.taps.record import ReceivedTap
from schema.messages import Decision
from schema.tables.attendance import Attendance, HomeroomDay, Presence
from schema.tables.messages import Message, Suppression
from schema.tables.readers import Direction, Purpose
from schema.tables.taps import Effect, Tap
from tests.card_server.tapping import MORNING, Gate

IN, OUT = Direction.IN, Direction.OUT
ZONE = ZoneInfo("Asia/Shanghai")
STUDENTS = 3


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("direction", "at_s", "is_inside", "effect"),
    [
        (IN, 0, False, Effect.ARRIVAL),
        (OUT, 0, True, Effect.DEPARTURE),
        (IN, 60, True, Effect.DOUBLE),
        (IN, 61, True, Effect.ARRIVAL),
        (IN, -60, True, Effect.DOUBLE),
        (IN, -61, True, Effect.ARRIVAL),
        (OUT, 5, False, Effect.DOUBLE),
        (OUT, 3600, False, Effect.DEPARTURE),
        (OUT, 5, True, Effect.DEPARTURE),
        (IN, 5, False, Effect.ARRIVAL),
    ],
)
def test_the_same_way_again_within_the_window_changes_nothing(
    direction: Direction, at_s: float, is_inside: bool, effect: Effect
) -> None:
    was = Whereabouts(1, 1, 1, is_inside, MORNING, 1)
    assert decide_effect(direction, MORNING + s(at_s), was, 60) is effect


def test_first_in_last_out_and_late_by_the_first_in() -> None:
    day = Day(1, date(2026, 9, 3), 1, 1)
    assert add_passage(day, IN, MORNING + s(60), 5)
    assert not add_passage(day, IN, MORNING + s(120), 9)
    assert add_passage(day, IN, MORNING, 0)
    assert add_passage(day, OUT, MORNING + s(600), 0)
    assert not add_passage(day, OUT, MORNING + s(500), 0)
    assert add_passage(day, OUT, MORNING + s(700), 0)
    assert (day.arrived_at, day.departed_at, day.late_minutes) == (MORNING, MORNING + s(700), 0)


@pytest.mark.parametrize("minutes", [(0, 7), (7, 0)])
def test_of_two_taps_in_one_moment_the_one_with_a_good_clock_says_how_late(
    minutes: tuple[int, int],
) -> None:
    day = Day(1, date(2026, 9, 3), 1, 1)
    for late in minutes:
        add_passage(day, IN, MORNING, late)
    assert day.late_minutes == 7


@pytest.mark.parametrize(
    ("local", "suspect", "late"),
    [
        ("00:00", False, 0),
        ("07:59", False, 0),
        ("08:00", False, 0),
        ("08:01", False, 1),
        ("09:30", False, 90),
        ("09:30", True, 0),
        ("23:59", False, 959),
    ],
)
def test_late_counts_whole_minutes_and_never_by_a_suspect_clock(
    local: str, suspect: bool, late: int
) -> None:
    moment = datetime.fromisoformat(f"2026-09-03T{local}:59").replace(tzinfo=ZONE)
    assert minutes_late(moment, 480, suspect) == late


@pytest.mark.parametrize(
    ("age_s", "suspect", "why"),
    [
        (0, False, None),
        (1800, False, None),
        (1801, False, Suppression.STALE),
        (0, True, Suppression.CLOCK_SUSPECT),
        (9000, True, Suppression.CLOCK_SUSPECT),
        (-10, False, None),
    ],
)
def test_old_and_doubtful_taps_are_not_told(
    age_s: float, suspect: bool, why: Suppression | None
) -> None:
    school = SchoolFacts(1, "no1", "一中", ZONE, 60, 480, 30, 1)
    reader = ReaderFacts(1, "gate-in", school, Purpose.GATE, IN, None)
    tap = PlacedTap(
        id=_ANY_ID,
        reader=reader,
        holder=None,
        is_admitted=True,
        occurred_at=MORNING,
        received_at=MORNING + s(age_s),
        clock_suspect=suspect,
    )
    assert suppression_of(tap) is why


_ANY_ID = UUID(int=1)


class Planned:
    """A day's taps before a database is there: (seconds, student, reader, admitted, suspect)."""

    def __init__(self, plan: list[tuple[int, int, str, bool, bool]]) -> None:
        # A reader makes its taps in the order of its clock.
        self.plan = sorted(plan)

    def taps(self, gate: Gate) -> list[ReceivedTap]:
        return [
            gate.tap(
                seconds,
                student,
                reader,
                received_at=MORNING + timedelta(hours=30),
                clock_suspect=suspect,
                decision=Decision.ADMITTED if admitted else Decision.REFUSED,
            )
            for seconds, student, reader, admitted, suspect in self.plan
        ]


READERS: dict[str, Direction | None] = {"gate-in": IN, "gate-in2": IN, "gate-out": OUT}
_times = st.one_of(
    st.integers(0, 300),
    st.integers(0, 12 * 3600),
    # Around midnight in the school's zone: a gate that was in the dark brings yesterday's taps.
    st.integers(16 * 3600, 18 * 3600),
)
_plans = st.lists(
    st.tuples(
        _times,
        st.integers(1, STUDENTS),
        st.sampled_from(sorted(READERS)),
        st.sampled_from([True, True, True, False]),
        st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=14,
).map(Planned)


@pytest.fixture(scope="module")
def new_gate(sqlite_template: Path) -> Callable[[], Gate]:
    """A maker of schools, each alone in a fresh SQLite file."""

    def make() -> Gate:
        folder = Path(tempfile.mkdtemp(dir=sqlite_template.parent))
        path = folder / "campus.db"
        path.write_bytes(sqlite_template.read_bytes())
        return Gate(
            open_sessions(open_engine(f"sqlite:///{path}")), students=STUDENTS, readers=READERS
        )

    return make


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(plan=_plans, seed=st.integers(0, 2**32), sizes=st.lists(st.integers(1, 6), min_size=1))
def test_any_order_any_duplicates_any_batches_give_the_same_day(
    new_gate: Callable[[], Gate], plan: Planned, seed: int, sizes: list[int]
) -> None:
    straight, shuffled = new_gate(), new_gate()
    straight.record(plan.taps(straight))
    taps = plan.taps(shuffled)
    chance = random.Random(seed)
    taps += chance.choices(taps, k=len(taps) // 2)
    chance.shuffle(taps)
    place = 0
    while taps[place:]:
        size = sizes[place % len(sizes)]
        recorded = shuffled.record(taps[place : place + size])
        assert not recorded.rejected
        place += size
    for table in (Attendance, Presence, HomeroomDay):
        assert shuffled.values(table) == straight.values(table), table.__tablename__
    _counts_are_what_a_scan_gives(shuffled)
    _no_tap_is_told_twice(shuffled)


def _counts_are_what_a_scan_gives(gate: Gate) -> None:
    arrived, late, inside = Counter[Any](), Counter[Any](), Counter[Any]()
    rows: set[Any] = set()
    for day in gate.rows(Attendance):
        key = (day.homeroom_id, day.day)
        rows.add(key)
        arrived[key] += day.arrived_at is not None
        late[key] += day.late_minutes > 0
    for where in gate.rows(Presence):
        inside[where.homeroom_id, where.since_at.astimezone(ZONE).date()] += where.is_inside
    counted = {
        (row.homeroom_id, row.day): (row.arrived, row.late, row.inside)
        for row in gate.rows(HomeroomDay)
    }
    assert counted == {key: (arrived[key], late[key], inside[key]) for key in rows}


def _no_tap_is_told_twice(gate: Gate) -> None:
    told = Counter((message.tap_id, message.guardian_id) for message in gate.rows(Message))
    assert all(times == 1 for times in told.values())
    changing = {
        tap.id for tap in gate.rows(Tap) if tap.effect in (Effect.ARRIVAL, Effect.DEPARTURE)
    }
    assert {tap_id for tap_id, _ in told} == changing


def test_who_stayed_over_night_counts_on_the_day_of_the_last_tap(
    new_gate: Callable[[], Gate],
) -> None:
    gate = new_gate()
    gate.record([gate.tap(0)])
    gate.record([gate.tap(86_400)])
    inside = {row.day: row.inside for row in gate.rows(HomeroomDay)}
    assert inside == {date(2026, 9, 3): 0, date(2026, 9, 4): 1}
    gate.record([gate.tap(2 * 86_400, reader="gate-out")])
    assert [row.inside for row in gate.rows(HomeroomDay)] == [0, 0, 0]


def test_two_readers_see_one_tap_one_change_and_one_message(new_gate: Callable[[], Gate]) -> None:
    gate = new_gate()
    gate.record([gate.tap(0), gate.tap(0.2, reader="gate-in2")])
    assert sorted(tap.effect for tap in gate.rows(Tap)) == [Effect.ARRIVAL, Effect.DOUBLE]
    assert len(gate.rows(Message)) == 1


def test_a_reader_without_direction_keeps_the_tap_and_changes_nothing(
    sqlite_url: str,
) -> None:
    gate = Gate(open_sessions(open_engine(sqlite_url)), readers={"gate": None})
    gate.record([gate.tap(reader="gate")])
    assert [tap.effect for tap in gate.rows(Tap)] == [Effect.NONE]
    assert gate.rows(Attendance) == gate.rows(Message) == []


def test_the_day_is_the_schools_not_utcs(new_gate: Callable[[], Gate]) -> None:
    gate = new_gate()
    gate.record([gate.tap()])
    assert MORNING.astimezone(UTC).date() == date(2026, 9, 2)
    assert [row.day for row in gate.rows(Attendance)] == [date(2026, 9, 3)]

"""The gate: a day that comes out the same whatever order taps come in, told once."""

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from card_server.attendance.notices import suppression_of
from card_server.messages.templates import compile_texts
from card_server.services.protocol import PlacedTap
from card_server.storage.database import open_engine, open_sessions
from card_server.taps.directory import ReaderFacts, SchoolFacts
from card_server.taps.record import ReceivedTap
from schema.messages import Decision
from schema.tables.attendance import Attendance, HomeroomDay, Presence
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import HomeroomStay, Student
from schema.tables.readers import Direction, Purpose
from schema.tables.school import Homeroom
from schema.tables.taps import DirectionBy, Effect, Tap
from tests.card_server.tapping import MORNING, Gate

IN, OUT = Direction.IN, Direction.OUT
ZONE = ZoneInfo("Asia/Shanghai")
STUDENTS = 3


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


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
    school = SchoolFacts(1, "no1", compile_texts("一中"), ZONE, 60, 480, 30, 1)
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


READERS: dict[str, Direction | None] = {
    "gate-in": IN,
    "gate-in2": IN,
    "gate-out": OUT,
    "gate": None,
}
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
    told = Counter(
        (message.tap_id, message.guardian_id)
        for message in gate.rows(Message)
        if message.suppression not in (Suppression.DUPLICATE, Suppression.WITHDRAWN)
    )
    assert all(times == 1 for times in told.values())
    changing = {
        tap.id for tap in gate.rows(Tap) if tap.effect in (Effect.ARRIVAL, Effect.DEPARTURE)
    }
    assert {tap_id for tap_id, _ in told} == changing


def test_who_stays_over_night_and_does_not_board_has_left_at_the_hour_of_closing(
    new_gate: Callable[[], Gate],
) -> None:
    gate = new_gate()
    gate.record([gate.tap(0)])
    assert [row.inside for row in gate.rows(HomeroomDay)] == [1]
    next_noon = MORNING + timedelta(hours=30)
    gate.record([gate.tap(60, reader="gate-in2", received_at=next_noon)])
    [where] = gate.rows(Presence)
    assert (where.is_inside, where.is_closed) == (False, True)
    assert where.since_at == MORNING + timedelta(hours=14, minutes=30)
    [day] = gate.rows(Attendance)
    assert (day.findings, day.departed_at) == ("forgotten_exit", None)
    assert [row.inside for row in gate.rows(HomeroomDay)] == [0]
    gate.record([gate.tap(15 * 3600, reader="gate-out", received_at=next_noon)])
    [where] = gate.rows(Presence)
    assert (where.is_inside, where.is_closed) == (False, False)
    assert where.since_at == MORNING + timedelta(hours=15)
    assert [day.findings for day in gate.rows(Attendance)] == [""]


def test_who_is_inside_counts_on_the_day_of_the_last_tap(new_gate: Callable[[], Gate]) -> None:
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


def test_a_reader_without_direction_lets_in_and_out_by_turns(new_gate: Callable[[], Gate]) -> None:
    gate = new_gate()
    gate.record([gate.tap(0, reader="gate")])
    gate.record([gate.tap(3600, reader="gate")])
    gate.record([gate.tap(30, reader="gate")])
    taps = sorted(gate.rows(Tap), key=lambda tap: tap.occurred_at)
    assert [tap.effect for tap in taps] == [Effect.ARRIVAL, Effect.DOUBLE, Effect.DEPARTURE]
    assert [tap.direction for tap in taps] == [IN, IN, OUT]
    assert DirectionBy.READER not in {tap.direction_by for tap in taps}


def test_a_double_at_a_reader_without_direction_is_not_taken_for_the_readers_word(
    new_gate: Callable[[], Gate],
) -> None:
    """It has its direction from the tap before, and finds it anew when that one turns out other."""
    gate = new_gate()
    earlier = [gate.tap(50, reader="gate-out"), gate.tap(80)]
    gate.record([gate.tap(100), gate.tap(130, reader="gate")])
    gate.record(earlier)
    taps = sorted(gate.rows(Tap), key=lambda tap: tap.occurred_at)
    assert [tap.effect for tap in taps] == [
        Effect.DEPARTURE,
        Effect.ARRIVAL,
        Effect.DOUBLE,
        Effect.DOUBLE,
    ]
    assert taps[-1].direction_by is not DirectionBy.READER


def test_an_earlier_tap_takes_the_place_of_an_arrival_that_is_not_told_yet(
    new_gate: Callable[[], Gate],
) -> None:
    gate = new_gate()
    later, earlier = gate.tap(30, reader="gate-in2"), gate.tap(0)
    gate.record([later])
    gate.record([earlier])
    told = {row.tap_id: (row.state, row.suppression) for row in gate.rows(Message)}
    assert told == {
        later.id: (MessageState.SUPPRESSED, Suppression.DUPLICATE),
        earlier.id: (MessageState.QUEUED, None),
    }


@pytest.mark.parametrize("state", [MessageState.SENDING, MessageState.ACCEPTED])
def test_who_was_told_of_an_arrival_is_not_told_again_of_its_earlier_tap(
    new_gate: Callable[[], Gate], state: MessageState
) -> None:
    gate = new_gate()
    later, earlier = gate.tap(30, reader="gate-in2"), gate.tap(0)
    gate.record([later])
    with gate.sessions.begin() as session:
        session.execute(update(Message).values(state=state))
    gate.record([earlier])
    told = {row.tap_id: (row.state, row.suppression) for row in gate.rows(Message)}
    assert told == {
        later.id: (state, None),
        earlier.id: (MessageState.SUPPRESSED, Suppression.DUPLICATE),
    }


def test_a_double_tap_that_counts_after_all_is_told(new_gate: Callable[[], Gate]) -> None:
    gate = new_gate()
    first = gate.tap(0)
    gate.record([gate.tap(40), gate.tap(80, reader="gate-in2")])
    assert len(gate.rows(Message)) == 1
    gate.record([first])
    _no_tap_is_told_twice(gate)
    states = Counter((row.state, row.suppression) for row in gate.rows(Message))
    assert states[MessageState.QUEUED, None] == 2


def test_an_arrival_that_turns_out_a_departure_is_not_told_as_an_arrival(
    new_gate: Callable[[], Gate],
) -> None:
    gate = new_gate()
    later, earlier = gate.tap(3600, reader="gate"), gate.tap(0)
    gate.record([later])
    gate.record([earlier])
    told = {(row.tap_id, row.kind): (row.state, row.suppression) for row in gate.rows(Message)}
    assert told == {
        (later.id, MessageKind.LATE): (MessageState.SUPPRESSED, Suppression.WITHDRAWN),
        (later.id, MessageKind.DEPARTURE): (MessageState.QUEUED, None),
        (earlier.id, MessageKind.ARRIVAL): (MessageState.QUEUED, None),
    }


def test_a_late_tap_from_before_a_move_counts_for_the_homeroom_of_then(
    new_gate: Callable[[], Gate],
) -> None:
    gate, day = new_gate(), timedelta(days=1)
    with gate.sessions.begin() as session:
        room = Homeroom(school_id=gate.campus.school_id, grade=7, name="七(9)班")
        session.add(room)
        session.flush()
        new, student = room.id, session.get_one(Student, 1)
        old = student.homeroom_id
        student.homeroom_id = new
        began = date(2026, 9, 1)
        for homeroom, first, until in (
            (old, began, date(2026, 9, 4)),
            (new, date(2026, 9, 4), None),
        ):
            session.add(
                HomeroomStay(
                    student_id=1,
                    school_id=gate.campus.school_id,
                    homeroom_id=homeroom,
                    from_on=first,
                    until_on=until,
                )
            )
    gate.record([gate.tap(0, received_at=MORNING + day), gate.tap(86_400)])
    assert [(row.day.day, row.homeroom_id) for row in gate.rows(Attendance)] == [(3, old), (4, new)]
    assert {row.homeroom_id: row.arrived for row in gate.rows(HomeroomDay)} == {old: 1, new: 1}
    assert [where.homeroom_id for where in gate.rows(Presence)] == [new]


def test_the_day_is_the_schools_not_utcs(new_gate: Callable[[], Gate]) -> None:
    gate = new_gate()
    gate.record([gate.tap()])
    assert MORNING.astimezone(UTC).date() == date(2026, 9, 2)
    assert [row.day for row in gate.rows(Attendance)] == [date(2026, 9, 3)]

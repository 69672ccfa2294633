"""Registration by card: the first tap of a term, whatever order taps come in."""

import random
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from card_server.services.enrolment import TermDays, find_term
from card_server.storage.database import open_engine, open_sessions
from card_server.taps.record import ReceivedTap
from schema.messages import Decision, Refusal
from schema.tables.readers import Purpose, Reader
from schema.tables.registration import Registration
from schema.tables.school import Term
from schema.tables.taps import Effect, Tap
from tests.card_server.tapping import MORNING, Gate

AUTUMN = TermDays(1, date(2026, 9, 1), date(2027, 1, 22))
SPRING = TermDays(2, date(2027, 2, 22), date(2027, 7, 9))
DAY_S = 86_400
STUDENTS = 3


def _open(sessions: object) -> Gate:
    gate = Gate(sessions, readers={"hall": None, "side": None})  # type: ignore[arg-type]
    with gate.sessions.begin() as session:
        session.execute(update(Reader).values(purpose=Purpose.ENROLMENT))
        _add_terms(session, gate)
    return gate


def _add_terms(session: Session, gate: Gate) -> None:
    session.add_all(
        Term(
            school_id=gate.campus.school_id,
            school_year=2026,
            name=f"第{term.id}学期",
            starts_on=term.starts_on,
            ends_on=term.ends_on,
        )
        for term in (AUTUMN, SPRING)
    )


@pytest.fixture
def hall(database_url: str) -> Gate:
    return _open(open_sessions(open_engine(database_url)))


def _tap(hall: Gate, seconds: float = 0, **changes: object) -> ReceivedTap:
    return hall.tap(seconds, **{"reader": "hall", **changes})  # type: ignore[arg-type]


def _effects(hall: Gate) -> list[Effect]:
    taps: list[Tap] = sorted(hall.rows(Tap), key=lambda tap: tap.seq or 0)
    return [tap.effect for tap in taps]


@pytest.mark.parametrize(
    ("day", "term"),
    [
        (date(2026, 8, 31), None),
        (date(2026, 9, 1), 1),
        (date(2027, 1, 22), 1),
        (date(2027, 1, 23), None),
        (date(2027, 2, 22), 2),
    ],
)
def test_a_days_term_has_both_its_first_and_its_last_day(day: date, term: int | None) -> None:
    assert find_term([AUTUMN, SPRING], day) == term


def test_a_tap_registers_and_the_next_one_changes_nothing(hall: Gate) -> None:
    hall.record([_tap(hall)])
    hall.record([_tap(hall, 5), _tap(hall, 9)])
    [row] = hall.rows(Registration)
    assert (row.student_id, row.at, row.by) == (1, MORNING, "")
    assert row.reader_id == hall.campus.readers["hall"]
    assert row.homeroom_id
    assert _effects(hall) == [Effect.REGISTERED, Effect.DOUBLE, Effect.DOUBLE]


def test_an_earlier_tap_that_comes_late_takes_the_place(hall: Gate) -> None:
    late, early = _tap(hall, 600), _tap(hall, 0)
    hall.record([late])
    hall.record([early])
    [row] = hall.rows(Registration)
    assert (row.at, row.tap_id) == (MORNING, early.id)


def test_a_tap_outside_any_term_is_kept_and_said_to_be(hall: Gate) -> None:
    hall.record([_tap(hall, 150 * DAY_S)])
    assert hall.rows(Registration) == []
    assert _effects(hall) == [Effect.NO_TERM]


def test_each_term_is_registered_for_anew(hall: Gate) -> None:
    hall.record([_tap(hall), _tap(hall, 180 * DAY_S)])
    terms = {row.term_id for row in hall.rows(Registration)}
    assert len(terms) == 2


def test_a_refused_card_and_an_unknown_one_register_nobody(hall: Gate) -> None:
    lost = _tap(hall, decision=Decision.REFUSED, reason=Refusal.LOST)
    hall.record([lost, _tap(hall, uid="04FFFFFFFFFFFF")])
    assert hall.rows(Registration) == []
    assert _effects(hall) == [Effect.NONE, Effect.NONE]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_any_order_and_any_batches_give_the_same_registrations(data: st.DataObject) -> None:
    taps = data.draw(
        st.lists(
            st.tuples(st.integers(0, 50_000), st.integers(1, STUDENTS)),
            min_size=1,
            max_size=12,
            unique_by=lambda one: one[0],
        )
    )
    seed = data.draw(st.integers(0, 1000))
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'campus.db'}")
        try:
            _hold(engine, taps, seed)
        finally:
            engine.dispose()


def _hold(engine: object, taps: list[tuple[int, int]], seed: int) -> None:
    from card_server.storage.migrate import migrate

    migrate(engine)  # type: ignore[arg-type]
    hall = _open(open_sessions(engine))  # type: ignore[arg-type]
    made = [_tap(hall, at, student=student) for at, student in taps]
    mixed = random.Random(seed).sample(made + made[: len(made) // 2], len(made) + len(made) // 2)
    size = max(1, seed % 5)
    for begin in range(0, len(mixed), size):
        hall.record(mixed[begin : begin + size])
    first = {student: min(at for at, one in taps if one == student) for _, student in taps}
    held = {row.student_id: row.at for row in hall.rows(Registration)}
    assert held == {one: MORNING + timedelta(seconds=at) for one, at in first.items()}

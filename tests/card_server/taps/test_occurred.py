"""When a tap happened: what three clocks may say, and what is believed of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.taps.occurred import (
    SUSPICIOUS,
    TRANSIT,
    LastTap,
    believe,
    find_skew,
    ran_backwards,
)

NOW = datetime(2026, 9, 3, tzinfo=UTC)
moments = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - strategies add the zone
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("said", "sent_s", "held_s", "skew_s"),
    [
        ("a live tap", -0.3, 0, 0),
        ("a slow network", -2, 0, 0),
        ("just more than a network takes", -2.5, 0, 2.5),
        ("held by the broker for an hour", -3600, 3600, 0),
        ("held, and counted in whole seconds", -3601.5, 3600, 0),
        ("held by the broker, and a clock that is slow", -3700, 3600, 100),
        ("one minute slow", -60, 0, 60),
        ("one hour back", -3600, 0, 3600),
        ("one day ahead", 86_400, 0, -86_400),
        ("a broker that held what was sent just now", 0, 60, -60),
    ],
)
def test_the_skew_is_what_neither_network_nor_broker_explains(
    said: str, sent_s: float, held_s: float, skew_s: float
) -> None:
    assert find_skew(NOW + s(sent_s), NOW, held_s) == s(skew_s), said


@pytest.mark.parametrize(
    ("said", "tapped_s", "skew_s", "step_s", "occurred_s", "is_suspect"),
    [
        ("live", -0.1, 0, 0, -0.1, False),
        ("a backlog of eight hours", -28_800, 0, 0, -28_800, False),
        ("a small skew is corrected and believed", -60, 60, 0, 0, False),
        ("two minutes are still believed", -120, 120, 0, 0, False),
        ("more is not", -121, 121, 0, 0, True),
        ("one hour back", -3600, 3600, 0, 0, True),
        ("one day ahead", 86_400, -86_400, 0, 0, True),
        ("the clock was set between tap and sending", -3600, 0, 3590, -10, True),
        ("a small step", -40, 0, 30, -10, False),
        ("skew and step against each other", -10, 300, -300, -10, False),
        ("five minutes ahead, and no skew to explain it", 300, 0, 0, 300, False),
        ("further ahead", 301, 0, 0, 301, True),
    ],
)
def test_a_large_correction_or_a_tap_to_come_is_suspect(
    said: str, tapped_s: float, skew_s: float, step_s: float, occurred_s: float, is_suspect: bool
) -> None:
    belief = believe(NOW + s(tapped_s), NOW, s(skew_s), step_s)
    assert belief == (NOW + s(occurred_s), is_suspect), said


@pytest.mark.parametrize(
    ("said", "boot", "seq", "at_s", "is_backwards"),
    [
        ("the next tap, later", 5, 11, 1, False),
        ("the next tap, at the same time", 5, 11, 0, False),
        ("the next tap, a little earlier: rounding", 5, 11, -2, False),
        ("the next tap, earlier", 5, 11, -3, True),
        ("after a restart, earlier", 6, 1, -3, True),
        ("after a restart, later", 6, 1, 3, False),
        ("an older tap from the backlog", 5, 9, -600, False),
        ("an older tap that says it is later", 5, 9, 3, True),
        ("an older boot that says it is later", 4, 99, 3, True),
        ("the same tap again", 5, 10, 0, False),
    ],
)
def test_a_clock_runs_backwards_when_times_go_against_the_readers_order(
    said: str, boot: int, seq: int, at_s: float, is_backwards: bool
) -> None:
    last = LastTap(5, 10, NOW)
    assert ran_backwards(last, LastTap(boot, seq, NOW + s(at_s))) is is_backwards, said


@given(moments, st.floats(0, 86_400), st.floats(-1e8, 1e8))
def test_a_reader_whose_clock_is_off_is_corrected_to_within_transit(
    true_time: datetime, held_s: float, off_s: float
) -> None:
    received = true_time + s(held_s)
    device = true_time + s(off_s)
    skew = find_skew(device, received, held_s)
    belief = believe(device, received, skew, 0)
    assert abs(belief.occurred_at - true_time) <= TRANSIT + s(1e-5)
    if abs(off_s) > SUSPICIOUS.total_seconds() + 1:
        assert belief.is_suspect


@given(moments, moments, moments, st.floats(0, 1e9), st.floats(-4e9, 4e9))
def test_no_times_that_the_inbox_lets_through_overflow(
    tapped: datetime, sent: datetime, received: datetime, held_s: float, step_s: float
) -> None:
    belief = believe(tapped, received, find_skew(sent, received, held_s), step_s)
    assert belief.occurred_at.tzinfo is UTC


@given(st.tuples(st.integers(0, 3), st.integers(0, 3), moments), st.data())
def test_two_taps_are_in_conflict_whichever_is_known_first(
    one: tuple[int, int, datetime], data: st.DataObject
) -> None:
    other = data.draw(
        st.tuples(st.integers(0, 3), st.integers(0, 3), moments).filter(lambda o: o[:2] != one[:2])
    )
    first, second = LastTap(*one), LastTap(*other)
    assert ran_backwards(first, second) is ran_backwards(second, first)

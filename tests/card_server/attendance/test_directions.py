"""Which way each tap went, what said so, and what it changed."""

import pytest

from card_server.attendance.facts import DayPlan, Standing
from card_server.attendance.fold import judge_day
from schema.tables.calendar import DayKind
from schema.tables.readers import Direction
from schema.tables.taps import DirectionBy
from tests.card_server.attendance.day_text import CLOSED, MORNING, TWO, clock_time, facts, session


def ways(taps: str, plan: DayPlan = TWO, was_inside: bool = False) -> str:
    """ "in:timetable:arrival", a word for each tap."""
    day = judge_day(facts(taps, plan, was_inside=was_inside))
    return " ".join(f"{tap.direction}:{tap.by}:{tap.effect}" for tap in day.taps)


@pytest.mark.parametrize(
    ("taps", "told"),
    [
        ("in 07:31", "in:reader:arrival"),
        ("out 07:31", "out:reader:departure"),
        # Hours for coming: from `arrive_from` until the end of the minute `absent_after`.
        ("tap 06:29:59", "in:alternation:arrival"),
        ("tap 06:30", "in:timetable:arrival"),
        ("tap 08:30:59", "in:timetable:arrival"),
        ("tap 08:31", "in:alternation:arrival"),
        ("tap 12:59:59", "in:alternation:arrival"),
        ("tap 13:00", "in:timetable:arrival"),
        # Hours for going: until half an hour after the end, or the next session's hours for coming.
        ("in 07:31 tap 11:29:59", "in:reader:arrival out:alternation:departure"),
        ("in 07:31 tap 11:30", "in:reader:arrival out:timetable:departure"),
        ("in 07:31 tap 12:09:59", "in:reader:arrival out:timetable:departure"),
        ("in 07:31 tap 12:10", "in:reader:arrival out:alternation:departure"),
        ("in 07:31 tap 13:00", "in:reader:arrival in:timetable:arrival"),
        ("in 07:31 tap 17:00", "in:reader:arrival out:timetable:departure"),
        ("in 07:31 tap 17:39:59", "in:reader:arrival out:timetable:departure"),
        ("in 07:31 tap 17:40", "in:reader:arrival out:alternation:departure"),
        # One missed tap does not turn those that follow.
        ("tap 11:35 tap 13:40 tap 17:05",
         "out:timetable:departure in:timetable:arrival out:timetable:departure"),
        ("tap 07:31 tap 13:40 tap 17:05",
         "in:timetable:arrival in:timetable:arrival out:timetable:departure"),
        # The first in the hours for it; after that one goes and comes as one likes.
        ("in 07:00 tap 07:10", "in:reader:arrival out:alternation:departure"),
        ("tap 07:00 tap 07:10 tap 07:20",
         "in:timetable:arrival out:alternation:departure in:alternation:arrival"),
        ("tap 11:35 tap 12:00", "out:timetable:departure in:alternation:arrival"),
        ("tap 07:31 tap 11:40 tap 13:40 tap 17:05",
         "in:timetable:arrival out:timetable:departure in:timetable:arrival "
         "out:timetable:departure"),
    ],
)  # fmt: skip
def test_the_reader_says_which_way_then_the_timetable_then_alternation(
    taps: str, told: str
) -> None:
    assert ways(taps) == told


def test_the_timetable_says_nothing_of_sessions_without_entry_or_exit() -> None:
    stays_on = session(1, "06:30 08:00 08:30 11:30 11:40", expects_entry=False, expects_exit=False)
    plan = DayPlan(DayKind.LESSONS, (stays_on,))
    assert ways("tap 07:31 tap 11:35", plan) == "in:alternation:arrival out:alternation:departure"
    assert ways("tap 07:31", CLOSED) == "in:alternation:arrival"


def test_hours_that_are_for_both_say_nothing() -> None:
    first = session(1, "06:30 08:00 08:30 11:30 11:40")
    second = session(2, "11:00 11:50 12:00 16:00 16:10")
    assert ways("tap 11:35", DayPlan(DayKind.LESSONS, (first, second))) == "in:timetable:arrival"
    second = session(2, "11:20 11:50 12:00 11:55 16:10")
    assert ways("tap 11:57", DayPlan(DayKind.LESSONS, (second,))) == "in:timetable:arrival"


def test_a_boarder_comes_and_goes_at_any_hour_but_that_of_the_return() -> None:
    back = session(90, "16:00 18:30 19:00 24:00 24:00", is_return=True)
    plan = DayPlan(DayKind.LESSONS, (MORNING, back))
    known = facts("tap 07:31 tap 08:00 tap 17:00", plan, standing=Standing.BOARDER)
    assert [tap.by for tap in judge_day(known).taps] == [
        DirectionBy.ALTERNATION,
        DirectionBy.ALTERNATION,
        DirectionBy.TIMETABLE,
    ]


def test_who_stayed_overnight_goes_out_first() -> None:
    assert ways("tap 05:31", was_inside=True) == "out:alternation:departure"


@pytest.mark.parametrize(
    ("taps", "told"),
    [
        ("in 07:31 in 07:32", "in:reader:arrival in:reader:double"),
        ("in 07:31 in 07:32:01", "in:reader:arrival in:reader:arrival"),
        ("in 07:31 tap 07:32", "in:reader:arrival in:reader:double"),
        ("tap 07:31 tap 07:31:30", "in:timetable:arrival in:timetable:double"),
        ("tap 05:00 in 05:00:30", "in:alternation:arrival in:reader:double"),
        ("in 07:31 out 07:31:05", "in:reader:arrival out:reader:departure"),
        ("tap 07:31 out 07:31:05", "in:timetable:arrival out:reader:departure"),
        ("out 11:40 out 11:40:30", "out:reader:departure out:reader:double"),
        # Measured from the last passing that counted, not from the last double.
        ("in 07:31 in 07:31:40 in 07:32:20",
         "in:reader:arrival in:reader:double in:reader:arrival"),
        ("in 07:31 in 07:31:40 out 07:31:50 out 07:32:30 in 07:32:40",
         "in:reader:arrival in:reader:double out:reader:departure out:reader:double "
         "in:reader:arrival"),
        ("hand-in 07:31 in 07:31:30", "in:reader:double"),
    ],
)  # fmt: skip
def test_the_same_way_again_within_the_window_changes_nothing(taps: str, told: str) -> None:
    assert ways(taps) == told


def test_a_double_tap_moves_neither_arrival_nor_since() -> None:
    day = judge_day(facts("in 07:31 in 07:31:40"))
    assert clock_time(day.arrived_at) == "07:31"
    assert day.since_at == day.arrived_at


def test_first_in_and_last_out() -> None:
    day = judge_day(facts("in 07:31 out 11:40 in 13:40 out 17:15", TWO))
    assert clock_time(day.arrived_at) == "07:31"
    assert clock_time(day.departed_at) == "17:15"
    assert (day.is_inside, day.since_reader_id) == (False, 2)


def test_of_two_taps_in_one_moment_the_id_says_which_is_first() -> None:
    known = facts("in 07:31 out 07:31", DayPlan(DayKind.LESSONS, (MORNING,)))
    day = judge_day(known)
    turned = facts("out 07:31 in 07:31", DayPlan(DayKind.LESSONS, (MORNING,)))
    assert [tap.direction for tap in day.taps] == [Direction.IN, Direction.OUT]
    assert [tap.direction for tap in judge_day(turned).taps] == [Direction.OUT, Direction.IN]
    assert not day.is_inside
    assert judge_day(turned).is_inside

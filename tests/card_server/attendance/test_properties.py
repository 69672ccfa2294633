"""What holds for every student's day in every school, whatever is known of it and when."""

import random
from collections.abc import Iterable
from datetime import timedelta
from math import inf
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from card_server.attendance.day_clock import clock_of
from card_server.attendance.facts import (
    ALL_DAY,
    Corrected,
    DayFacts,
    DayPlan,
    Finding,
    Leave,
    Passing,
    SessionResult,
    Waiting,
)
from card_server.attendance.fold import judge_day
from schema.tables.attendance import SessionStatus
from schema.tables.calendar import DayKind
from schema.tables.readers import Direction
from schema.tables.taps import DirectionBy, Effect
from tests.card_server.attendance.random_days import days, days_and_more_leave

_SHORT = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
_LONG = settings(_SHORT, max_examples=1000)
_FEW = settings(_SHORT, max_examples=50)
_S = SessionStatus
_BADNESS = {
    _S.PRESENT: 0,
    _S.ON_LEAVE: 0,
    _S.NOT_EXPECTED: 0,
    _S.LATE: 1,
    _S.LEFT_EARLY: 1,
    _S.NOT_JUDGED: 2,
    _S.ABSENT: 2,
}
_LAST_ID = UUID(int=2**128 - 1)
News = Passing | Leave | Corrected


def check_any_way_gives_the_same_day(known: DayFacts, seed: int) -> None:
    """Permuted, doubled and in batches, as a caller meets them who keeps all and judges anew."""
    chance = random.Random(seed)
    news: list[News] = [
        *known.passings,
        *known.leaves,
        *known.corrections,
    ]
    news += chance.choices(news, k=chance.randint(0, 5)) if news else []
    chance.shuffle(news)
    expected = judge_day(known)
    kept: list[News] = []
    while news:
        size = chance.randint(1, len(news))
        kept += news[:size]
        del news[:size]
        day = judge_day(_known_by(known, kept))
    if kept:
        assert day == expected
    chance.shuffle(kept)
    assert judge_day(_known_by(known, kept)) == expected


def _known_by(known: DayFacts, kept: Iterable[News]) -> DayFacts:
    kept = list(kept)
    return replace(
        known,
        passings=[one for one in kept if isinstance(one, Passing)],
        leaves=[one for one in kept if isinstance(one, Leave)],
        corrections=[one for one in kept if isinstance(one, Corrected)],
    )


@given(known=days(), seed=st.integers())
@_SHORT
def test_order_doubles_and_batches_give_the_same_day(known: DayFacts, seed: int) -> None:
    check_any_way_gives_the_same_day(known, seed)


@pytest.mark.faults
@given(known=days(), seed=st.integers())
@_LONG
def test_order_doubles_and_batches_give_the_same_day_in_a_thousand_schools(
    known: DayFacts, seed: int
) -> None:
    check_any_way_gives_the_same_day(known, seed)


@given(known=days())
@_FEW
def test_every_session_has_one_status_that_fits_its_minutes(known: DayFacts) -> None:
    is_boarder = known.standing.sleeps_here
    positions = [one.position for one in known.plan.sessions if is_boarder or not one.is_return]
    day = judge_day(known)
    assert [result.position for result in day.sessions] == positions
    for result in day.sessions:
        assert result.late_minutes >= 0
        assert result.early_minutes >= 0
        assert (result.waiting is not None) <= (result.status is _S.NOT_JUDGED)
        if result.is_corrected:
            continue
        assert (result.waiting is not None) is (result.status is _S.NOT_JUDGED)
        assert (result.late_minutes > 0) >= (result.status is _S.LATE)
        assert (result.late_minutes > 0) <= (result.status in {_S.LATE, _S.ABSENT})
        assert (result.early_minutes > 0) >= (result.status is _S.LEFT_EARLY)
        assert (result.early_minutes > 0) <= (result.status in {_S.LATE, _S.LEFT_EARLY})
        assert (result.leave_kind is not None) >= (result.status is _S.ON_LEAVE)


@given(known=days())
@_FEW
def test_minutes_that_staff_say_stand_where_the_status_has_any(known: DayFacts) -> None:
    boards = known.standing.sleeps_here
    of_others = {one.position for one in known.plan.sessions if not one.is_for(boards=boards)}
    for result in judge_day(known).sessions:
        naming = {result.position} if result.position in of_others else {ALL_DAY, result.position}
        said = [one for one in known.corrections if one.position in naming]
        newest = max(said, key=lambda one: one.id, default=None)
        if newest is None or newest.minutes is None:
            continue
        late, early = result.late_minutes, result.early_minutes
        assert late == (newest.minutes if newest.status is _S.LATE else 0)
        if newest.status is not _S.LATE:
            assert early == (newest.minutes if newest.status is _S.LEFT_EARLY else 0)


@given(known=days())
@_FEW
def test_a_session_for_others_is_never_expected_unless_somebody_says_so(known: DayFacts) -> None:
    boards = known.standing.sleeps_here
    others = {one.position for one in known.plan.sessions if not one.is_for(boards=boards)}
    said = {one.position for one in known.corrections}
    for result in judge_day(known).sessions:
        if result.position in others - said:
            assert result == SessionResult(result.position, _S.NOT_EXPECTED)


@given(known=days())
@_FEW
def test_nobody_is_absent_before_every_gate_has_reported_past_it(known: DayFacts) -> None:
    clock = clock_of(known.day, known.zone)
    reported_s = clock.seconds_to(known.reported_to) if known.reported_to else -inf
    absent_after = {one.position: one.absent_after for one in known.plan.sessions}
    for result in judge_day(replace(known, corrections=())).sessions:
        ends_s = clock.second_of(absent_after[result.position]) + 60
        if result.status is _S.ABSENT:
            assert reported_s >= ends_s
            assert clock.seconds_to(known.as_of) >= ends_s
        if result.waiting is Waiting.GATE_DARK:
            assert clock.seconds_to(known.as_of) >= ends_s


@given(known=days(), later=st.integers(0, 100_000))
@_FEW
def test_a_gate_that_reports_further_makes_absent_and_nothing_else(
    known: DayFacts, later: int
) -> None:
    if known.reported_to is None:
        reported = clock_of(known.day, known.zone).moment_at(later)
    else:
        reported = known.reported_to + timedelta(seconds=later)
    before, after = judge_day(known), judge_day(replace(known, reported_to=reported))
    assert replace(before, sessions=()) == replace(after, sessions=())
    for was, now in zip(before.sessions, after.sessions, strict=True):
        if was.status is _S.NOT_JUDGED and was != now:
            assert now.status in {_S.ABSENT, _S.NOT_JUDGED}
        else:
            assert was == now


@given(known=days(), later=st.integers(0, 100_000))
@_FEW
def test_what_is_judged_stays_judged_as_time_goes_on(known: DayFacts, later: int) -> None:
    after = replace(known, as_of=known.as_of + timedelta(seconds=later))
    for was, now in zip(judge_day(known).sessions, judge_day(after).sessions, strict=True):
        if was.waiting is None:
            assert now.waiting is None
        if was.status in {_S.ABSENT, _S.LATE}:
            assert now.status is was.status


def check_more_leave_makes_nothing_worse(known: DayFacts, more: Leave) -> None:
    with_more = replace(known, leaves=[*known.leaves, more])
    for was, now in zip(judge_day(known).sessions, judge_day(with_more).sessions, strict=True):
        assert _BADNESS[now.status] <= _BADNESS[was.status], (was, now)
        if was.status is not _S.ABSENT:
            assert now.status is not _S.ABSENT


@given(both=days_and_more_leave())
@_SHORT
def test_more_leave_makes_no_session_worse(both: tuple[DayFacts, Leave]) -> None:
    check_more_leave_makes_nothing_worse(*both)


@pytest.mark.faults
@given(both=days_and_more_leave())
@_LONG
def test_more_leave_makes_no_session_worse_in_a_thousand_schools(
    both: tuple[DayFacts, Leave],
) -> None:
    check_more_leave_makes_nothing_worse(*both)


@given(known=days())
@_FEW
def test_a_closed_day_asks_nothing_of_anybody(known: DayFacts) -> None:
    day = judge_day(replace(known, plan=DayPlan(DayKind.CLOSED)))
    assert day.sessions == ()
    assert Finding.LEFT_AND_BACK not in day.findings


@given(known=days())
@_FEW
def test_times_that_may_be_wrong_make_nobody_late_or_early(known: DayFacts) -> None:
    doubtful = [replace(one, is_suspect=True) for one in known.passings]
    day = judge_day(replace(known, passings=doubtful, corrections=()))
    assert not {_S.LATE, _S.LEFT_EARLY} & {result.status for result in day.sessions}
    assert not any(result.late_minutes or result.early_minutes for result in day.sessions)
    assert set(day.findings) <= {Finding.CLOCK_SUSPECT, Finding.FORGOTTEN_EXIT}


@given(known=days())
@_FEW
def test_every_tap_has_one_judgement_in_the_order_of_time(known: DayFacts) -> None:
    day = judge_day(known)
    taps = {one.id: one for one in known.passings if one.id is not None}
    assert sorted(tap.id for tap in day.taps) == sorted(taps)
    order = [(taps[tap.id].at, tap.id) for tap in day.taps]
    assert order == sorted(order)
    for tap in day.taps:
        fixed = taps[tap.id].fixed
        if fixed is not None:
            assert (tap.direction, tap.by) == (fixed, DirectionBy.READER)
        if tap.effect is not Effect.DOUBLE:
            is_in = tap.direction is Direction.IN
            assert tap.effect is (Effect.ARRIVAL if is_in else Effect.DEPARTURE)


@given(known=days())
@_FEW
def test_one_more_tap_within_the_window_changes_nothing(known: DayFacts) -> None:
    taps = {one.id: one for one in known.passings}
    counted = [tap for tap in judge_day(known).taps if tap.effect is not Effect.DOUBLE]
    if not counted:
        return
    last = taps[counted[-1].id]
    known = replace(
        known,
        passings=[one for one in known.passings if one.at <= last.at],
        double_tap_s=max(known.double_tap_s, 1),
    )
    again = replace(last, id=_LAST_ID, at=last.at + timedelta(seconds=1), fixed=None)
    before = judge_day(known)
    after = judge_day(replace(known, passings=[*known.passings, again]))
    assert after.taps[-1].effect is Effect.DOUBLE
    assert replace(after, taps=()) == replace(before, taps=())


@given(known=days())
@_FEW
def test_nobody_but_boarders_is_inside_when_the_day_is_over(known: DayFacts) -> None:
    day = judge_day(known)
    assert (day.closed_at is not None) is (Finding.FORGOTTEN_EXIT in day.findings)
    if day.closed_at is not None:
        assert not day.is_inside
        assert day.since_at == day.closed_at
        assert day.closed_at <= known.as_of
    clock = clock_of(known.day, known.zone)
    over = judge_day(replace(known, as_of=clock.moment_at(clock.length_s)))
    assert over.is_inside <= known.standing.sleeps_here
    assert list(over.findings) == sorted(over.findings, key=list(Finding).index)
    assert len(set(over.findings)) == len(over.findings)

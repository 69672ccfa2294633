"""Random schools and random days in them, for properties."""

from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from card_server.attendance.day_clock import DayClock, clock_of
from card_server.attendance.facts import (
    Corrected,
    DayFacts,
    DayPlan,
    Leave,
    Passing,
    SessionPlan,
    Standing,
)
from schema.tables.attendance import SessionStatus
from schema.tables.calendar import DayKind, DayPart, ForWhom
from schema.tables.leave import LeaveKind
from schema.tables.readers import Direction

_SHANGHAI, _BERLIN, _SAO_PAULO = (
    ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo")
)
_DAYS = st.sampled_from(
    (
        (_SHANGHAI, date(2026, 9, 3)),
        (_BERLIN, date(2026, 3, 29)),
        (_BERLIN, date(2026, 10, 25)),
        (_SAO_PAULO, date(2018, 11, 4)),
    )
)
_EDGES = (0, 390, 480, 481, 510, 511, 690, 700, 780, 840, 870, 1020, 1030, 1320, 1440)
"""Where the hours of schools, and so the edges of rules, are likely to fall together."""

_minutes = st.sampled_from(_EDGES) | st.integers(0, 1440)
_seconds = st.tuples(_minutes, st.sampled_from((-1, 0, 0, 1, 30, 59, 60, 61)))
"""A minute of the day, and seconds beside it."""
_seldom = st.sampled_from((False, False, False, True))
_hours = st.lists(_minutes, min_size=20, max_size=20).map(sorted)
_whom = st.sampled_from((ForWhom.EVERYBODY, *ForWhom))
_flags = st.lists(st.tuples(st.booleans(), st.booleans(), _seldom, _whom), min_size=4, max_size=4)
_ways = st.sampled_from((Direction.IN, Direction.OUT, None))
_passings = st.lists(st.tuples(_seconds, st.integers(0, 3), _ways, _seldom), max_size=7)
_leaves = st.tuples(_minutes, _minutes, _seldom, st.sampled_from(LeaveKind))
_corrections = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(SessionStatus),
        st.none() | st.sampled_from(LeaveKind),
        st.none() | st.integers(1, 600),
    ),
    max_size=2,
)
_ends = st.tuples(st.just(1440), st.just(60))
_reported = st.none() | _seconds | _ends
_now = _seconds | _ends


@st.composite
def days(draw: st.DrawFn) -> DayFacts:
    """Any student's day in any school, with its odd and impossible taps."""
    day, zone, clock = _clock(draw(_DAYS))
    standing = draw(st.sampled_from(Standing))
    reported = draw(_reported)
    return DayFacts(
        day=day,
        zone=zone,
        plan=DayPlan(DayKind.LESSONS, _sessions(draw), closes=draw(_minutes)),
        standing=standing,
        was_inside=standing.sleeps_here and draw(st.booleans()),
        passings=[
            _passing(clock, number, drawn) for number, drawn in enumerate(draw(_passings), start=1)
        ],
        leaves=[_leave(clock, drawn) for drawn in draw(st.lists(_leaves, max_size=3))],
        corrections=[
            Corrected(number, *drawn) for number, drawn in enumerate(draw(_corrections), start=1)
        ],
        double_tap_s=draw(st.sampled_from((0, 60, 600))),
        reported_to=None if reported is None else clock.moment_at(_second(clock, reported)),
        as_of=clock.moment_at(_second(clock, draw(_now))),
    )


@st.composite
def days_and_more_leave(draw: st.DrawFn) -> tuple[DayFacts, Leave]:
    """Such a day, and a slip that was not yet known."""
    known = draw(days())
    return known, _leave(clock_of(known.day, known.zone), draw(_leaves))


def _clock(where: tuple[ZoneInfo, date]) -> tuple[date, ZoneInfo, DayClock]:
    zone, day = where
    return day, zone, clock_of(day, zone)


def _sessions(draw: st.DrawFn) -> tuple[SessionPlan, ...]:
    """From no session to four, one after the other."""
    count, hours, flags = draw(st.integers(0, 4)), draw(_hours), draw(_flags)
    found = []
    for place in range(count):
        first, late, absent, leave, ends = hours[5 * place : 5 * place + 5]
        found.append(
            SessionPlan(
                place + 1, "", DayPart.MORNING, first, late, absent, leave, ends, *flags[place]
            )
        )
    return tuple(found)


def _second(clock: DayClock, about: tuple[int, int]) -> int:
    minute, beside = about
    return clock.second_of(minute) + beside


def _passing(
    clock: DayClock, number: int, drawn: tuple[tuple[int, int], int, Direction | None, bool]
) -> Passing:
    about, reader_id, fixed, is_suspect = drawn
    at = clock.moment_at(min(max(_second(clock, about), 0), clock.length_s - 1))
    if reader_id == 0:
        return Passing(None, at, 0, fixed or Direction.IN)
    return Passing(UUID(int=number), at, reader_id, fixed, is_suspect)


def _leave(clock: DayClock, drawn: tuple[int, int, bool, LeaveKind]) -> Leave:
    one, other, since_yesterday, kind = drawn
    from_at, until_at = (
        clock.moment_at(clock.second_of(minute)) for minute in (min(one, other), max(one, other))
    )
    return Leave(from_at - timedelta(days=since_yesterday), until_at, kind)

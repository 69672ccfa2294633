"""A session's hours as seconds since the day began, and what leave takes off them.

A student owes a session the time from its `late_after` to its `leave_from`. Leave that covers the
minute of `late_after` moves that minute to the leave's end, and `absent_after` with it; leave that
reaches `leave_from` lets the student go at its begin. Leave from the one to the other covers the
session. Slips that touch or overlap count as one.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from card_server.attendance.day_clock import DayClock
from card_server.attendance.facts import Leave, SessionPlan
from schema.tables.leave import LeaveKind

MINUTE_S = 60


class Hours(Struct, frozen=True, gc=False):
    """One session's hours, in seconds since the day began."""

    position: int
    arrive_from: int
    late_after: int
    """The minute that begins here is the last one in time."""
    absent_from: int
    """The end of the minute `absent_after`: who comes now or later was absent."""
    leave_from: int
    ends: int
    expects_entry: bool
    expects_exit: bool
    is_return: bool
    is_owed: bool = True
    """Whether the session is for the student at all."""


class Away(NamedTuple):
    """A time of leave, in seconds since the day began, until the second after its last."""

    from_s: float
    until_s: float


class Slip(NamedTuple):
    """One slip's time and kind."""

    from_s: float
    until_s: float
    kind: LeaveKind


class AllLeave(NamedTuple):
    """A student's leave of a day."""

    slips: tuple[Slip, ...]
    """In the order of their times."""
    joined: tuple[Away, ...]
    """The same without seams."""


class Duty(Struct, frozen=True, gc=False):
    """What a student owes a session, in seconds since the day began."""

    late_after: int
    absent_from: int
    leave_from: float
    leave_kind: LeaveKind | None = None
    """Where leave covers a part of the session or all of it."""
    is_covered: bool = False


NO_LEAVE = AllLeave((), ())


def hours_of(session: SessionPlan, clock: DayClock) -> Hours:
    """A session's hours on a day."""
    second_of = clock.second_of
    return Hours(
        session.position,
        second_of(session.arrive_from),
        second_of(session.late_after),
        second_of(session.absent_after) + MINUTE_S,
        second_of(session.leave_from),
        second_of(session.ends),
        session.expects_entry,
        session.expects_exit,
        session.is_return,
    )


def join_leave(leaves: Iterable[Leave], clock: DayClock) -> AllLeave:
    """A student's leave in the order of its times, and the same with slips that touch as one."""
    slips = sorted(
        Slip(clock.seconds_to(leave.from_at), clock.seconds_to(leave.until_at), leave.kind)
        for leave in leaves
        if leave.from_at < leave.until_at
    )
    joined: list[Away] = []
    for slip in slips:
        if joined and slip.from_s <= joined[-1].until_s:
            last = joined.pop()
            joined.append(Away(last.from_s, max(last.until_s, slip.until_s)))
        else:
            joined.append(Away(slip.from_s, slip.until_s))
    return AllLeave(tuple(slips), tuple(joined))


def duty_of(hours: Hours, leave: AllLeave) -> Duty:
    """What is owed to a session after leave is taken off."""
    late_after, leave_from = hours.late_after, float(hours.leave_from)
    if not leave.slips:
        return Duty(late_after, hours.absent_from, leave_from)
    is_covered = False
    for away in leave.joined:
        has_begun = away.from_s <= hours.late_after < away.until_s
        reaches_end = away.from_s < hours.leave_from <= away.until_s
        is_covered = is_covered or (has_begun and away.until_s >= hours.leave_from)
        if has_begun:
            late_after = max(late_after, int(away.until_s) // MINUTE_S * MINUTE_S)
        if reaches_end:
            leave_from = min(leave_from, away.from_s)
    return Duty(
        late_after,
        hours.absent_from + late_after - hours.late_after,
        leave_from,
        kind_within(
            leave.slips, hours.late_after, max(hours.leave_from, hours.late_after + MINUTE_S)
        ),
        is_covered,
    )


def kind_within(slips: Sequence[Slip], from_s: float, until_s: float) -> LeaveKind | None:
    """The kind of the first slip that covers a part of a time."""
    for slip in slips:
        if slip.from_s < until_s and slip.until_s > from_s:
            return slip.kind
    return None


def end_of_leave(at_s: float, leave: AllLeave) -> float:
    """When the leave ends that holds at a moment; the moment itself where none does."""
    for away in leave.joined:
        if away.from_s <= at_s < away.until_s:
            return away.until_s
    return at_s

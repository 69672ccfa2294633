"""What becomes of a student in one session, from the times on campus and the leave.

A day student, and a boarder on the day of return:

- There and in time: inside at the end of the minute `late_after`, however long since. Where leave
  moved that minute, to have been inside at the end of the old one, the new one or any between is as
  good. Whoever comes after it and not after `absent_after` is late, by whole minutes of which the
  last is cut.
- Who comes later than that was absent, and the minutes are told beside it. Who does not come is
  absent; but nobody is before `absent_after` is over and every gate has reported past it.
- Who goes before `leave_from` and does not come back before the session's end leaves early, by
  whole minutes of which the last is filled up. Who comes back was out without leave: a finding and
  no early leave. Time that leave covers counts for neither.
- Late and early in one session is late, with both minutes.
- Leave over all that is owed is leave, unless the student was there for all of it.
- A time that may be wrong makes nobody late, early or absent: such an entry is in time, and such an
  exit is no earlier than the session's end.

A session that is for boarders, or for day students, alone is not judged for anybody else (`fold`).

A boarder in any other session is present who was inside at any moment of it, on leave, or else not
expected: the dormitory's roll call asks after boarders.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil

from msgspec import Struct

from card_server.attendance.directions import Stay
from card_server.attendance.facts import SessionResult, Waiting
from card_server.attendance.hours import (
    MINUTE_S,
    NO_LEAVE,
    AllLeave,
    Duty,
    Hours,
    duty_of,
    end_of_leave,
    kind_within,
)
from schema.tables.attendance import SessionStatus


class Known(Struct, frozen=True, gc=False):
    """How far a day is known, in seconds since it began."""

    as_of_s: float
    """The server's time."""
    reported_s: float
    """Up to here every gate has delivered its taps."""
    last_s: float
    """The last passing."""
    has_suspect: bool
    """Whether any passing's time may be wrong."""

    def has_begun(self, second: float) -> bool:
        """Whether the day has come so far, by the server's clock or by a tap."""
        return self.as_of_s >= second or self.last_s >= second


class Judged(Struct, frozen=True, gc=False):
    """A session's result, and what is odd about it."""

    result: SessionResult
    has_left_and_back: bool = False
    """Out during the session and in again, without leave."""
    is_covered: bool = False
    """Leave covers all of it."""
    came_s: float = 0.0
    """When who came late came in."""


def judge_session(hours: Hours, stays: Sequence[Stay], leave: AllLeave, known: Known) -> Judged:
    """One session of a day student, or of a boarder's return."""
    if known.has_suspect:
        stays = [_without_doubt(stay, hours) for stay in stays]
    duty = duty_of(hours, leave)
    if duty.is_covered:
        return _judge_covered(hours, stays, duty, known)
    if not known.has_begun(hours.arrive_from):
        return Judged(_wait(hours, duty, Waiting.NOT_DUE))
    there = _attend(hours, duty, stays, leave, known.as_of_s)
    if there is None or there.is_too_late:
        missed = _miss(hours, duty, known, there.late_minutes if there else 0)
        return Judged(missed, came_s=there.came_s if there else 0.0)
    if there.late_minutes:
        status = SessionStatus.LATE
    else:
        status = SessionStatus.LEFT_EARLY if there.early_minutes else SessionStatus.PRESENT
    result = SessionResult(
        hours.position, status, there.late_minutes, there.early_minutes, duty.leave_kind
    )
    return Judged(result, there.has_left_and_back, came_s=there.came_s)


def judge_boarder(
    hours: Hours, stays: Sequence[Stay], leave: AllLeave, known: Known
) -> SessionResult:
    """One session of a boarder, who is on campus anyway."""
    kind = kind_within(leave.slips, hours.late_after, hours.ends)
    if known.has_begun(hours.late_after):
        for stay in stays:
            if stay.from_s < hours.ends and stay.until_s > hours.late_after:
                return SessionResult(hours.position, SessionStatus.PRESENT, leave_kind=kind)
    status = SessionStatus.ON_LEAVE if kind else SessionStatus.NOT_EXPECTED
    return SessionResult(hours.position, status, leave_kind=kind)


def _without_doubt(stay: Stay, hours: Hours) -> Stay:
    """A stay as it counts for a session where the clock of its begin or end may be wrong."""
    from_s, until_s = stay.from_s, stay.until_s
    if stay.is_begin_suspect and hours.late_after < from_s < hours.ends:
        from_s = hours.late_after
    if stay.is_end_suspect and hours.arrive_from <= until_s < hours.ends:
        until_s = hours.ends
    return Stay(from_s, until_s)


def _judge_covered(hours: Hours, stays: Sequence[Stay], duty: Duty, known: Known) -> Judged:
    there = None
    if known.has_begun(hours.arrive_from):
        whole = Duty(hours.late_after, hours.absent_from, hours.leave_from)
        there = _attend(hours, whole, stays, NO_LEAVE, known.as_of_s)
    was_there = there is not None and not (
        there.late_minutes or there.early_minutes or there.has_left_and_back
    )
    status = SessionStatus.PRESENT if was_there else SessionStatus.ON_LEAVE
    result = SessionResult(hours.position, status, leave_kind=duty.leave_kind)
    return Judged(result, is_covered=True)


class _There(Struct, frozen=True, gc=False):
    """How a student who came attended a session."""

    late_minutes: int
    is_too_late: bool
    early_minutes: int
    has_left_and_back: bool
    came_s: float


def _attend(
    hours: Hours, duty: Duty, stays: Sequence[Stay], leave: AllLeave, as_of_s: float
) -> _There | None:
    """None for who did not come before the session's end."""
    first_s, in_time_s = hours.late_after + MINUTE_S, duty.late_after + MINUTE_S
    during = [stay for stay in stays if stay.until_s >= first_s and stay.from_s < hours.ends]
    if not during:
        return None
    came = during[0]
    late_minutes = 0
    if came.from_s >= in_time_s:
        late_minutes = _minutes_late(came.from_s, duty)
    early_minutes = _minutes_early(during[-1].until_s, duty, leave, as_of_s)
    is_too_late = late_minutes > 0 and came.from_s >= duty.absent_from
    was_back = len(during) > 1 and _was_out_without_leave(during, duty, leave)
    return _There(late_minutes, is_too_late, early_minutes, was_back, came.from_s)


def _minutes_late(came_s: float, duty: Duty) -> int:
    """From the minute of `late_after`, and no more than there was to miss."""
    owed = int(duty.leave_from - duty.late_after) // MINUTE_S
    return max(1, min(int(came_s - duty.late_after) // MINUTE_S, owed))


def _minutes_early(left_s: float, duty: Duty, leave: AllLeave, as_of_s: float) -> int:
    if left_s >= duty.leave_from:
        return 0
    counts_from = end_of_leave(left_s, leave)
    if counts_from >= duty.leave_from or (counts_from > left_s and as_of_s < counts_from):
        # Still on leave: the student may come back in time.
        return 0
    return ceil((duty.leave_from - counts_from) / MINUTE_S)


def _was_out_without_leave(during: Sequence[Stay], duty: Duty, leave: AllLeave) -> bool:
    for stay, following in pairwise(during):
        left_s, back_s = stay.until_s, following.from_s
        if left_s >= duty.leave_from or back_s <= left_s:
            continue
        leave_ends = end_of_leave(left_s, leave)
        if leave_ends == left_s or back_s >= leave_ends + MINUTE_S:
            return True
    return False


def _miss(hours: Hours, duty: Duty, known: Known, late_minutes: int) -> SessionResult:
    if known.as_of_s < duty.absent_from:
        return _wait(hours, duty, Waiting.NOT_DUE)
    if known.reported_s < duty.absent_from:
        return _wait(hours, duty, Waiting.GATE_DARK)
    return SessionResult(
        hours.position,
        SessionStatus.ABSENT,
        late_minutes=late_minutes,
        leave_kind=duty.leave_kind,
    )


def _wait(hours: Hours, duty: Duty, waiting: Waiting) -> SessionResult:
    return SessionResult(
        hours.position, SessionStatus.NOT_JUDGED, leave_kind=duty.leave_kind, waiting=waiting
    )

"""A student's day: all that is known of it goes in, what became of the student comes out.

Nothing else decides: the same facts give the same day, whatever the order in which they came to be
known and however often, today or in a year. `directions` finds where the student was, `hours` what
is owed to each session after leave, `judging` what became of it; then

- a session for boarders, or for day students, alone is not expected of anybody else;
- a correction of staff stands over what was found. Of several the newest counts for each session,
  whether it names that session or all that are for the student. Minutes are those that it says, or
  else stay where its status has any;
- whoever is still inside when the school closes, and is no boarder, has forgotten the exit: outside
  from then on, without an exit that nobody saw. Who comes in after that hour is out at midnight;
- an entry on a closed day, or during leave that covers a session, was not expected;
- of an exempt student nothing is expected; taps are followed all the same, and who boards stays.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from math import inf

from msgspec.structs import replace

from card_server.attendance.day_clock import DayClock, clock_of
from card_server.attendance.directions import Path, follow
from card_server.attendance.facts import (
    ALL_DAY,
    Corrected,
    DayFacts,
    DayPlan,
    Finding,
    Passing,
    SessionResult,
    Standing,
    StudentDay,
    TapJudgement,
)
from card_server.attendance.hours import NO_LEAVE, AllLeave, Hours, hours_of, join_leave
from card_server.attendance.judging import Known, judge_boarder, judge_session
from schema.tables.attendance import SessionStatus
from schema.tables.calendar import DayKind
from schema.tables.taps import Effect

_ORDER = {finding: place for place, finding in enumerate(Finding)}


def judge_day(facts: DayFacts) -> StudentDay:
    """What a student's day is by these facts; pure, and the same for them in any order."""
    clock = clock_of(facts.day, facts.zone)
    is_boarder = facts.standing.sleeps_here
    hours, ways = _hours_on(facts.plan, clock, is_boarder)
    path = follow(facts.passings, ways, clock, facts.was_inside, facts.double_tap_s)
    as_of_s = clock.seconds_to(facts.as_of)
    sessions = _judge_sessions(facts, hours, path, clock, as_of_s)
    closed_at = None if is_boarder else _find_closing(facts, path, clock, as_of_s)
    if closed_at is not None:
        path.findings.add(Finding.FORGOTTEN_EXIT)
    last = path.last
    return StudentDay(
        arrived_at=path.arrived.at if path.arrived else None,
        departed_at=path.departed.at if path.departed else None,
        sessions=tuple(sessions),
        taps=_with_minutes(facts.passings, path, sessions, clock),
        findings=_in_order(path.findings),
        is_inside=path.is_inside and closed_at is None,
        since_at=closed_at or (last.at if last else None),
        since_reader_id=last.reader_id if last else None,
        closed_at=closed_at,
    )


@lru_cache(maxsize=2048)
def _hours_on(
    plan: DayPlan, clock: DayClock, is_boarder: bool
) -> tuple[Sequence[Hours], Sequence[Hours]]:
    """The sessions' hours, and those that tell ways; all boarders of a homeroom have the same.

    A boarder comes and goes at any hour; only the return has one, and no day student has that.
    """
    sessions = [one for one in plan.sessions if is_boarder or not one.is_return]
    hours = tuple(
        replace(hours_of(one, clock), is_owed=one.is_for(boards=is_boarder)) for one in sessions
    )
    if is_boarder:
        return hours, tuple(one for one in hours if one.is_return)
    return hours, _ways(hours)


def _ways(hours: Sequence[Hours]) -> tuple[Hours, ...]:
    """The hours of a day student's sessions: who has no part in the next one goes out before it."""
    found = []
    for place, one in enumerate(hours):
        if one.is_owed:
            comes = one.expects_entry or (place > 0 and not hours[place - 1].is_owed)
            goes = one.expects_exit or not all(each.is_owed for each in hours[place + 1 :][:1])
            found.append(replace(one, expects_entry=comes, expects_exit=goes))
    return tuple(found)


def _judge_sessions(
    facts: DayFacts, hours: Sequence[Hours], path: Path, clock: DayClock, as_of_s: float
) -> list[SessionResult]:
    """Every session's result; what is odd goes to the path's findings."""
    if facts.standing.is_exempt:
        return _correct([_not_expected(one) for one in hours], hours, facts.corrections)
    if facts.standing is Standing.DAY and facts.plan.kind is DayKind.CLOSED and path.entries:
        path.findings.add(Finding.UNEXPECTED)
    reported_s = -inf if facts.reported_to is None else clock.seconds_to(facts.reported_to)
    known = Known(as_of_s, reported_s, path.last_s, path.has_suspect)
    leave = join_leave(facts.leaves, clock) if facts.leaves else NO_LEAVE
    stays = path.all_stays()
    results = []
    for one in hours:
        if not one.is_owed:
            results.append(_not_expected(one))
            continue
        if facts.standing is Standing.BOARDER and not one.is_return:
            results.append(judge_boarder(one, stays, leave, known))
            continue
        judged = judge_session(one, stays, leave, known)
        results.append(judged.result)
        if judged.result.late_minutes:
            path.late_entries[one.position] = judged.came_s
        if judged.has_left_and_back:
            path.findings.add(Finding.LEFT_AND_BACK)
        if judged.is_covered and _came_on_leave(one, path.entries, leave):
            path.findings.add(Finding.UNEXPECTED)
    return _correct(results, hours, facts.corrections)


def _not_expected(hours: Hours) -> SessionResult:
    return SessionResult(hours.position, SessionStatus.NOT_EXPECTED)


def _with_minutes(
    passings: Sequence[Passing], path: Path, sessions: Iterable[SessionResult], clock: DayClock
) -> tuple[TapJudgement, ...]:
    """What the taps were; those that came in late with their minutes, if those still stand."""
    if not path.late_entries:
        return tuple(path.taps)
    minutes: dict[float, int] = {}
    for one in sessions:
        # Staff may say that somebody was late whom no tap shows coming in late.
        if one.late_minutes and one.position in path.late_entries:
            came_s = path.late_entries[one.position]
            minutes[came_s] = max(minutes.get(came_s, 0), one.late_minutes)
    late = {one.id: minutes.get(clock.seconds_to(one.at), 0) for one in passings}
    return tuple(
        replace(tap, late_minutes=late[tap.id])
        if late[tap.id] and tap.effect is Effect.ARRIVAL
        else tap
        for tap in path.taps
    )


def _came_on_leave(hours: Hours, entries: Sequence[float], leave: AllLeave) -> bool:
    return any(
        hours.arrive_from <= entry < hours.ends and away.from_s <= entry < away.until_s
        for entry in entries
        for away in leave.joined
    )


def _correct(
    results: list[SessionResult], hours: Sequence[Hours], corrections: Sequence[Corrected]
) -> list[SessionResult]:
    """What staff said; of a session that is not for the student only what names it."""
    if not corrections:
        return results
    return [
        _correct_one(
            result, {ALL_DAY, one.position} if one.is_owed else {one.position}, corrections
        )
        for result, one in zip(results, hours, strict=True)
    ]


def _correct_one(
    result: SessionResult, positions: Collection[int], corrections: Iterable[Corrected]
) -> SessionResult:
    newest = None
    for one in corrections:
        if one.position in positions and (newest is None or one.id > newest.id):
            newest = one
    if newest is None:
        return result
    late, early = _minutes_of(result, newest)
    return replace(
        result,
        status=newest.status,
        late_minutes=late,
        early_minutes=early,
        leave_kind=newest.leave_kind or result.leave_kind,
        waiting=None,
        is_corrected=True,
    )


def _minutes_of(result: SessionResult, said: Corrected) -> tuple[int, int]:
    """How late and how early; what the taps say where staff said nothing of it."""
    if said.status is SessionStatus.LATE:
        late = result.late_minutes if said.minutes is None else said.minutes
        return late, result.early_minutes
    if said.status is SessionStatus.LEFT_EARLY:
        return 0, result.early_minutes if said.minutes is None else said.minutes
    return 0, 0


def _find_closing(facts: DayFacts, path: Path, clock: DayClock, as_of_s: float) -> datetime | None:
    """When the school closed upon a student who is still inside; None for anybody else."""
    if not path.is_inside:
        return None
    closes_s = clock.second_of(facts.plan.closes)
    if path.last_s >= closes_s:
        closes_s = clock.length_s
    return clock.moment_at(closes_s) if as_of_s >= closes_s else None


def _in_order(findings: set[Finding]) -> tuple[Finding, ...]:
    if len(findings) < 2:
        return tuple(findings)
    return tuple(sorted(findings, key=_ORDER.__getitem__))

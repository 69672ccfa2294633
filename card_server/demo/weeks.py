"""What the demo's students did on days that are over: when each came and went, or why not.

Most come in time and go home; as at any school some are late, some ill, and some forget a tap.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from card_server.attendance.facts import DayPlan, SessionPlan
from card_server.attendance.plans import moment_of
from card_server.calendar.rules import Rules
from schema.tables.leave import LeaveKind
from schema.tables.readers import Direction

Days = Mapping[date, Mapping[int, DayPlan]]
"""Each day's plans, by homeroom."""

_SICK, _PERSONAL, _ABSENT = 0.014, 0.018, 0.022
"""The shares of those who are ill, away for another reason, or absent, each with those before."""
_LATE, _EARLY, _NO_EXIT, _TWICE = 0.02, 0.004, 0.008, 0.01
_ALWAYS_LATE_EACH = 211
"""One student in so many comes three minutes late every day."""


class Pupil(NamedTuple):
    """A student with a card."""

    student_id: int
    homeroom_id: int
    uid: str
    boards: bool


class Passed(NamedTuple):
    """A card that was held to a gate."""

    at: datetime
    uid: str
    direction: Direction


class Away(NamedTuple):
    """A day of leave."""

    student_id: int
    day: date
    kind: LeaveKind


def play_days(
    days: Days, until: date, pupils: Sequence[Pupil], zone: ZoneInfo
) -> tuple[list[Passed], list[Away]]:
    """Taps in their order and days of leave, before `until`; the same for the same days.

    `days` should reach a day further: who boards goes home when no lessons follow.
    """
    passed: list[Passed] = []
    away: list[Away] = []
    for pupil in pupils:
        chance = Random(pupil.uid)  # noqa: S311 - a play, not a secret
        plans = {day: of_rooms[pupil.homeroom_id] for day, of_rooms in days.items()}
        play = _play_boarder if pupil.boards else _play_day_student
        for one in play(chance, pupil, plans, zone):
            if isinstance(one, Away):
                away.append(one)
            else:
                passed.append(one)
    end = moment_of(until, 0, zone)
    return (
        sorted(one for one in passed if one.at < end),
        [one for one in away if one.day < until],
    )


def _play_day_student(
    chance: Random, pupil: Pupil, plans: Mapping[date, DayPlan], zone: ZoneInfo
) -> Iterator[Passed | Away]:
    is_always_late = pupil.student_id % _ALWAYS_LATE_EACH == 0
    for day, plan in plans.items():
        sessions = [one for one in plan.sessions if one.is_for(boards=False)]
        if not sessions:
            continue
        drawn = chance.random()
        if drawn < _PERSONAL:
            kind = LeaveKind.SICK if drawn < _SICK else LeaveKind.PERSONAL
            yield Away(pupil.student_id, day, kind)
        if drawn < _ABSENT:
            continue
        came = 3 if is_always_late else _minutes_to(chance)
        at = _moment(chance, day, sessions[0].late_after + came, zone)
        yield Passed(at, pupil.uid, Direction.IN)
        if chance.random() < _TWICE:
            yield Passed(at + timedelta(seconds=3), pupil.uid, Direction.IN)
        if chance.random() >= _NO_EXIT:
            left = _leaves(chance, sessions[-1])
            yield Passed(_moment(chance, day, left, zone), pupil.uid, Direction.OUT)


def _play_boarder(
    chance: Random, pupil: Pupil, plans: Mapping[date, DayPlan], zone: ZoneInfo
) -> Iterator[Passed | Away]:
    """In on the evening before lessons, out after the last of them."""
    for day, plan in plans.items():
        before, after = (plans.get(day + timedelta(days=n)) for n in (-1, 1))
        sessions = [one for one in plan.sessions if not one.is_return]
        if not sessions:
            continue
        if before is None:
            at = sessions[0].late_after - 30
            yield Passed(_moment(chance, day, at, zone), pupil.uid, Direction.IN)
        elif not _has_lessons(before):
            at = Rules().boarders_by + (20 if chance.random() < _LATE else -chance.randrange(5, 90))
            evening = day - timedelta(days=1)
            yield Passed(_moment(chance, evening, at, zone), pupil.uid, Direction.IN)
        if after is not None and not _has_lessons(after):
            last = max(one.ends for one in sessions if one.is_for(boards=True))
            left = last + chance.randrange(5, 40)
            yield Passed(_moment(chance, day, left, zone), pupil.uid, Direction.OUT)


def _has_lessons(plan: DayPlan) -> bool:
    return any(not one.is_return for one in plan.sessions)


def _minutes_to(chance: Random) -> int:
    """How long after the bell, in minutes; most come before it."""
    if chance.random() < _LATE:
        return chance.randrange(1, 18)
    return -round(min(55.0, max(1.0, chance.gauss(14, 8))))


def _leaves(chance: Random, last: SessionPlan) -> int:
    if chance.random() < _EARLY:
        return last.leave_from - chance.randrange(15, 80)
    return last.ends + round(min(45.0, max(1.0, chance.gauss(12, 8))))


def _moment(chance: Random, day: date, minute: int, zone: ZoneInfo) -> datetime:
    return moment_of(day, minute, zone) + timedelta(seconds=chance.randrange(60))

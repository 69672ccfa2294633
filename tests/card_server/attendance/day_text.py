"""Days in few words: "in 07:31 out 11:40" goes in, "present; late 10" comes out."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from card_server.attendance.facts import (
    Corrected,
    DayFacts,
    DayPlan,
    Leave,
    Passing,
    SessionPlan,
    SessionResult,
    Standing,
    StudentDay,
)
from card_server.attendance.fold import judge_day
from schema.tables.attendance import SessionStatus
from schema.tables.calendar import DayKind, DayPart
from schema.tables.leave import LeaveKind
from schema.tables.readers import Direction

ZONE = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 9, 3)
WINDOW_S = 60

_WORD = re.compile(r"(hand-in|hand-out|in|out|tap)(\?)? (\d\d:\d\d(?::\d\d)?)")
_READERS = {"in": 1, "out": 2, "tap": 3, "hand-in": 0, "hand-out": 0}
_FIXED = {"in": Direction.IN, "out": Direction.OUT, "tap": None}


def minute(text: str) -> int:
    """ "07:30" as a minute of the day."""
    hour, rest = text.split(":")
    return int(hour) * 60 + int(rest)


def session(position: int, times: str, **changed: Any) -> SessionPlan:
    """ "06:30 08:00 08:30 11:30 11:40": from, late after, absent after, may leave from, ends."""
    part = (DayPart.MORNING, DayPart.AFTERNOON, DayPart.EVENING)[min(position, 3) - 1]
    first, late, absent, leave, ends = (minute(text) for text in times.split())
    return SessionPlan(position, part.value, part, first, late, absent, leave, ends, **changed)


MORNING = session(1, "06:30 08:00 08:30 11:30 11:40")
AFTERNOON = session(2, "13:00 14:00 14:30 17:00 17:10")
EVENING = session(3, "18:30 19:00 19:20 20:30 20:40")
RETURN = session(9, "12:00 18:30 18:30 18:31 18:31", is_return=True)
ONE = DayPlan(DayKind.LESSONS, (MORNING,))
TWO = DayPlan(DayKind.LESSONS, (MORNING, AFTERNOON))
THREE = DayPlan(DayKind.LESSONS, (MORNING, AFTERNOON, EVENING))
CLOSED = DayPlan(DayKind.CLOSED)


def at(text: str, day: date = DAY, zone: ZoneInfo = ZONE) -> datetime:
    """A time of a day in the school's zone, in UTC; "24:00" is the next midnight."""
    if text == "24:00":
        return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    return datetime.combine(day, time.fromisoformat(text), zone).astimezone(UTC)


def passings(text: str, day: date = DAY, zone: ZoneInfo = ZONE) -> list[Passing]:
    """ "in 07:31 out? 11:40 tap 13:05 hand-in 14:00"; `?` for a clock that may be wrong."""
    found = []
    for number, (way, doubt, when) in enumerate(_WORD.findall(text), start=1):
        fixed = _FIXED[way.removeprefix("hand-")]
        id_ = None if way.startswith("hand") else UUID(int=number)
        found.append(Passing(id_, at(when, day, zone), _READERS[way], fixed, bool(doubt)))
    assert len(found) * 2 == len(text.split()), text
    return found


def leaves(text: str, day: date = DAY, zone: ZoneInfo = ZONE) -> list[Leave]:
    """ "09:00-10:00 sick, 13:00-24:00 personal"."""
    found = []
    for slip in filter(None, text.split(", ")):
        span, kind = slip.split(" ")
        first, last = span.split("-")
        found.append(Leave(at(first, day, zone), at(last, day, zone), LeaveKind(kind)))
    return found


def facts(
    text: str,
    plan: DayPlan = ONE,
    *,
    leave: str = "",
    standing: Standing = Standing.DAY,
    was_inside: bool = False,
    corrections: Sequence[Corrected] = (),
    now: str = "21:00",
    reported: str | None = "21:00",
    day: date = DAY,
    zone: ZoneInfo = ZONE,
) -> DayFacts:
    """A day in few words; as the evening sees it unless said otherwise."""
    return DayFacts(
        day=day,
        zone=zone,
        plan=plan,
        standing=standing,
        was_inside=was_inside,
        passings=passings(text, day, zone),
        leaves=leaves(leave, day, zone),
        corrections=corrections,
        double_tap_s=WINDOW_S,
        reported_to=None if reported is None else at(reported, day, zone),
        as_of=at(now, day, zone),
    )


def told(day: StudentDay) -> str:
    """ "late 10 early 5 (sick); absent; not_judged gate_dark"."""
    return "; ".join(_told(result) for result in day.sessions)


def sessions_of(known: DayFacts) -> str:
    """What became of the student in each session, in words."""
    return told(judge_day(known))


def findings_of(known: DayFacts) -> str:
    """What is odd, in words."""
    return " ".join(judge_day(known).findings)


def clock_time(moment: datetime | None, zone: ZoneInfo = ZONE) -> str:
    """ "07:31", or "never"."""
    return moment.astimezone(zone).strftime("%H:%M") if moment else "never"


def _told(result: SessionResult) -> str:
    words = [result.status.value]
    if result.late_minutes:
        early = result.status is SessionStatus.LATE
        words.append(str(result.late_minutes))
        if early and result.early_minutes:
            words.append(f"early {result.early_minutes}")
    elif result.early_minutes:
        words.append(str(result.early_minutes))
    if result.waiting:
        words.append(result.waiting.value)
    if result.leave_kind:
        words.append(f"({result.leave_kind.value})")
    if result.is_corrected:
        words.append("corrected")
    return " ".join(words)

"""What somebody asks for on a leave slip (请假条), read from a form: by days or by hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from card_server.register.terms import read_day
from card_server.school_time import bounds_of, day_of
from schema.tables.leave import LeaveKind

MAX_DAYS = 60
"""Longer than this nobody is on leave: it takes two slips, or the student is suspended."""
MAX_BACK = 30
"""How many days back leave may be handed in afterwards (补假)."""
MAX_AHEAD = 366
MAX_REASON = 200


@dataclass(frozen=True)
class Wish:
    """Leave as it is asked for; `until_at` is the first moment after it."""

    kind: LeaveKind
    from_at: datetime
    until_at: datetime
    lets_out: bool
    reason: str


def read_wish(typed: Mapping[str, str], zone: ZoneInfo, now: datetime) -> Wish:
    """What somebody typed, as a wish. Raises FieldsError.

    A day without an hour counts from its begin, or to its end; without a last day the leave is
    over on its first.
    """
    wrong = Problems()
    kind = typed.get("kind", "")
    if kind not in list(LeaveKind):
        wrong.add("kind", _("Choose from the list."))
    first = read_day(wrong, "from_on", typed.get("from_on", ""))
    last_typed = typed.get("until_on", "").strip()
    last = read_day(wrong, "until_on", last_typed) if last_typed else first
    begins = read_hour(wrong, "from_time", typed.get("from_time", ""))
    ends = read_hour(wrong, "until_time", typed.get("until_time", ""))
    reason = wrong.text("reason", typed.get("reason", ""), MAX_REASON)
    wrong.refuse()
    wish = Wish(
        LeaveKind(kind),
        _begin(first, begins, zone),
        _end(last, ends, zone),
        bool(typed.get("lets_out")),
        reason,
    )
    _judge(wrong, wish, zone, now)
    wrong.refuse()
    return wish


def read_end(typed: Mapping[str, str], zone: ZoneInfo) -> datetime:
    """When leave ended that was to last longer: an hour of a day, or the day's begin.

    Raises FieldsError.
    """
    wrong = Problems()
    day = read_day(wrong, "until_on", typed.get("until_on", ""))
    hour = read_hour(wrong, "until_time", typed.get("until_time", ""))
    wrong.refuse()
    return _begin(day, hour, zone)


def read_hour(wrong: Problems, field: str, typed: str) -> time | None:
    """An hour written 07:30; None when none is typed."""
    if not typed.strip():
        return None
    try:
        found = time.fromisoformat(typed.strip())
    except ValueError:
        wrong.add(field, NO_HOUR)
        return None
    if found.tzinfo is not None:
        wrong.add(field, NO_HOUR)
        return None
    return found


NO_HOUR = _("Write the time like 07:30.")


def _begin(day: date, hour: time | None, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, hour or time.min, zone).astimezone(UTC)


def _end(day: date, hour: time | None, zone: ZoneInfo) -> datetime:
    if hour is None:
        return bounds_of(day, zone)[1]
    return datetime.combine(day, hour, zone).astimezone(UTC)


def _judge(wrong: Problems, wish: Wish, zone: ZoneInfo, now: datetime) -> None:
    today = day_of(now, zone)
    first, last = days_of(wish.from_at, wish.until_at, zone)
    if wish.until_at <= wish.from_at:
        wrong.add("until_on", _("The end lies before the begin."))
    elif (last - first).days >= MAX_DAYS:
        wrong.add(
            "until_on",
            _("Leave lasts 60 days at most. For longer, write two slips or suspend the student."),
        )
    if first < today - timedelta(days=MAX_BACK):
        wrong.add("from_on", _("Leave can be handed in for the last 30 days only."))
    elif first > today + timedelta(days=MAX_AHEAD):
        wrong.add("from_on", _("This lies more than a year ahead."))


def days_of(from_at: datetime, until_at: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """The first and the last day that leave touches."""
    last_moment = until_at - timedelta(microseconds=1)
    return day_of(from_at, zone), day_of(max(last_moment, from_at), zone)

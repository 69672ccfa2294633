"""A school day's clock: moments and minutes of the day as seconds since the day began.

Plans speak in minutes of the wall clock, taps in UTC. Both become seconds that really passed since
the school's midnight, so that they compare without asking the zone for each tap. On a day when the
zone changes its offset, a minute of the day stands for the first moment at which the wall clock
shows it or a later one: a minute that is left out falls on the change, one that comes twice on the
first time.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from card_server.school_time import bounds_of

_MINUTE_S = 60


class DayClock(Struct, frozen=True, gc=False):
    """When a day began, and when the wall clock was put forward or back in it."""

    begin: datetime
    """In UTC."""
    length_s: int
    changes_at_s: int
    """When the zone changes its offset."""
    forward_s: int
    """By how much the wall clock goes forward then; negative for back, 0 on most days."""

    def second_of(self, minute: int) -> int:
        """When the wall clock first shows this minute of the day, or a later one."""
        wall_s = minute * _MINUTE_S
        if not self.forward_s:
            return wall_s
        if wall_s < self.changes_at_s or (wall_s == self.changes_at_s and self.forward_s > 0):
            return wall_s
        return max(self.changes_at_s, wall_s - self.forward_s)

    def seconds_to(self, moment: datetime) -> float:
        """How long after the day's begin a moment is; negative before it."""
        return (moment - self.begin).total_seconds()

    def moment_at(self, second: float) -> datetime:
        """The moment so many seconds after the day's begin, in UTC."""
        return self.begin + timedelta(seconds=second)


@lru_cache(maxsize=2048)
def clock_of(day: date, zone: ZoneInfo) -> DayClock:
    """The clock of a school's day; each day's is found once."""
    begin, end = bounds_of(day, zone)
    length_s = int((end - begin).total_seconds())
    shown = begin.astimezone(zone)
    if shown.date() == day and (shown.hour or shown.minute):
        # Midnight itself was left out.
        return DayClock(begin, length_s, 0, (shown.hour * 60 + shown.minute) * _MINUTE_S)
    before, after = _offset_s(begin, zone), _offset_s(end, zone)
    if before == after:
        return DayClock(begin, length_s, 0, 0)
    return DayClock(begin, length_s, _find_change(begin, length_s, zone), after - before)


def _find_change(begin: datetime, length_s: int, zone: ZoneInfo) -> int:
    """The second at which the offset is no longer that of the day's begin."""
    before = _offset_s(begin, zone)
    low, high = 0, length_s
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_s(begin + timedelta(seconds=middle), zone) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_s(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0

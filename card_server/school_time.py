"""The school's own days: which day it is there, and when one begins and ends in UTC."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DISTRICT_ZONE = ZoneInfo("Asia/Shanghai")
"""Of what belongs to no school: the district's pages and its log."""


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The school's day that a moment falls into."""
    return moment.astimezone(zone).date()


@lru_cache(maxsize=4_096)
def bounds_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Begin and end of a school's day, in UTC; the end is the next day's begin."""
    begin = datetime.combine(day, time.min, zone)
    end = datetime.combine(day + timedelta(days=1), time.min, zone)
    return begin.astimezone(UTC), end.astimezone(UTC)

"""The time zone in which it is this hour now: for stories whose taps are made while they run."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

EARLY = 6
"""Before any school begins: who taps now is in time."""
NOON = 12
"""Minutes ago and in minutes it is the same day."""


def zone_where_it_is(hour: int) -> ZoneInfo:
    """A zone of whole hours, from 11 behind to 12 ahead of UTC."""
    east = (hour - datetime.now(UTC).hour + 11) % 24 - 11
    return ZoneInfo(f"Etc/GMT{-east:+d}")

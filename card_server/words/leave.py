"""How leave is written: its time, and that it runs into another slip."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext


def leave_time(from_at: datetime, until_at: datetime, zone: ZoneInfo) -> str:
    """2026-11-23 – 2026-11-25 for whole days, 2026-11-23 13:00–16:00 for hours of one day."""
    begin, end = from_at.astimezone(zone), until_at.astimezone(zone)
    ends_at_midnight = end.time() == time.min
    last = end.date() - timedelta(days=1) if ends_at_midnight else end.date()
    if begin.time() == time.min and ends_at_midnight:
        return f"{begin.date()}" if last == begin.date() else f"{begin.date()} – {last}"
    hour = "24:00" if ends_at_midnight else f"{end:%H:%M}"
    if last == begin.date():
        return f"{begin:%Y-%m-%d %H:%M}–{hour}"
    return f"{begin:%Y-%m-%d %H:%M} – {last} {hour}"


def overlap_sentence(from_at: datetime, until_at: datetime, zone: ZoneInfo) -> str:
    """That the student has leave in that time, and from when until when."""
    written = leave_time(from_at, until_at, zone)
    return str(gettext("The student has leave in this time already: %(time)s.", time=written))

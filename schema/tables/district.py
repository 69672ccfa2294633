"""The indexes by which a district's overview is read: all schools at once, a day at a time.

They stand apart from their tables, for nothing that one school asks needs them.
"""

from sqlalchemy import Index, text

from schema.tables.attendance import HomeroomDay
from schema.tables.messages import Message

HOMEROOM_DAY_BY_DAY = Index("ix_homeroom_day_day_school_id", HomeroomDay.day, HomeroomDay.school_id)

_FAILED = text("state IN ('failed', 'unknown')")
MESSAGE_FAILED = Index(
    "ix_message_failed",
    Message.changed_at,
    Message.school_id,
    postgresql_where=_FAILED,
    sqlite_where=_FAILED,
)
"""The few that went wrong: a district's messages of a day are a million."""

"""What changed at a school since one last looked, by a few small indexed questions."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, select

from schema.tables.attendance import Deadline
from schema.tables.audit import AuditEntry
from schema.tables.evacuation import Evacuation
from schema.tables.jobs import Job
from schema.tables.messages import Message
from schema.tables.readers import ReaderHealth
from schema.tables.taps import Tap


class Change(StrEnum):
    """What kind of rows came or changed."""

    TAPS = "taps"
    MESSAGES = "messages"
    READERS = "readers"
    JOBS = "jobs"
    EVACUATION = "evacuation"
    JUDGED = "judged"
    """Sessions whose time was up."""
    STAFF = "staff"
    """Whatever is audited but looks: a correction, leave, a calendar's day."""


_WINDOW = timedelta(seconds=5)
"""Two processes may commit in another order than their times: rows this old are counted too."""
_TIMES = {
    Change.TAPS: (Tap.school_id, Tap.received_at),
    Change.MESSAGES: (Message.school_id, Message.changed_at),
    Change.JOBS: (Job.school_id, Job.changed_at),
    Change.READERS: (ReaderHealth.school_id, ReaderHealth.seen_at),
    Change.EVACUATION: (Evacuation.school_id, Evacuation.changed_at),
    Change.JUDGED: (Deadline.school_id, Deadline.judged_at),
    Change.STAFF: (AuditEntry.school_id, AuditEntry.at),
}
_NO_LOOK = AuditEntry.action.not_like("%seen")
"""A page that notes who looks at it would otherwise wake itself, and others, for ever."""


class Watch:
    """One school, and where its rows stood at the last look."""

    def __init__(self, school_id: int) -> None:
        self._school_id = school_id
        self._marks: dict[Change, tuple[datetime | None, int]] = {}
        self._since = dict.fromkeys(Change, datetime.now(UTC) - _WINDOW)

    def look(self, connection: Connection) -> set[Change]:
        """What changed since the last look; nothing at the first one."""
        changed = set()
        for change, (school, time) in _TIMES.items():
            newest, number = self._read_mark(connection, change, school, time)
            if change in self._marks and self._marks[change] != (newest, number):
                changed.add(change)
            since = newest - _WINDOW if newest else self._since[change]
            if since != self._since[change]:
                self._since[change] = since
                newest, number = self._read_mark(connection, change, school, time)
            self._marks[change] = (newest, number)
        return changed

    def _read_mark(
        self, connection: Connection, change: Change, school: Any, time: Any
    ) -> tuple[datetime | None, int]:
        wanted = select(func.max(time), func.count()).where(
            school == self._school_id, time >= self._since[change]
        )
        if change is Change.STAFF:
            wanted = wanted.where(_NO_LOOK)
        newest, number = connection.execute(wanted).one()
        return newest, number

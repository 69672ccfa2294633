"""What recomputing changes, or would: days, sessions from one status to another, and of whom."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from card_server.attendance.day_book import Rewritten
from card_server.attendance.facts import SessionResult
from card_server.attendance.rows import DayRow
from schema.tables.attendance import SessionStatus

MOST_LISTED: Final = 5_000
"""Changed days that a report names; all are counted."""
_DECODER = msgspec.json.Decoder(tuple[SessionResult, ...])
_ENCODER = msgspec.msgpack.Encoder()


class Changed(NamedTuple):
    """A student's day that is not as it was."""

    student_id: int
    day: date
    homeroom_id: int
    before: DayRow | None
    after: DayRow


class Moved(NamedTuple):
    """A session of a changed day whose status is another; None where there is no such session."""

    position: int
    before: SessionStatus | None
    after: SessionStatus | None


@dataclass
class Recomputed:
    """What became of a time; in a trial, what would."""

    today: date
    students: int = 0
    changed: int = 0
    """Days of students."""
    changed_students: set[int] = field(default_factory=set)
    by_homeroom: dict[int, int] = field(default_factory=dict)
    """Changed days by homeroom."""
    by_status: Counter[tuple[SessionStatus | None, SessionStatus | None]] = field(
        default_factory=Counter
    )
    """Sessions by what they were and what they are."""
    same_status: int = 0
    """Changed days of which every session keeps its status: minutes or findings differ."""
    listed: list[Changed] = field(default_factory=list)
    """The first of them."""
    counts_mended: int = 0
    """Homerooms' days whose counts were wrong by themselves."""

    def __post_init__(self) -> None:
        self._digest = hashlib.sha256()

    def note(self, one: Rewritten) -> None:
        """Count a changed day."""
        after = one.after
        changed = Changed(after.student_id, after.day, after.homeroom_id, one.before, after)
        self.changed += 1
        self.changed_students.add(after.student_id)
        self.by_homeroom[after.homeroom_id] = self.by_homeroom.get(after.homeroom_id, 0) + 1
        moved = moved_sessions(changed)
        self.by_status.update((move.before, move.after) for move in moved)
        self.same_status += not moved
        if len(self.listed) < MOST_LISTED:
            self.listed.append(changed)
        if after.day < self.today:
            self._digest.update(_ENCODER.encode(changed))

    @property
    def seen(self) -> str:
        """What tells these changes from others, as far as their days are over.

        Today goes on: each tap would make it another difference, however right it is to go on.
        """
        return self._digest.hexdigest()


def moved_sessions(changed: Changed) -> list[Moved]:
    """The sessions of a changed day whose status is another, in their order."""
    before = _statuses(changed.before.sessions) if changed.before else {}
    after = _statuses(changed.after.sessions)
    return list(_differing(before, after))


def _differing(
    before: Mapping[int, SessionStatus], after: Mapping[int, SessionStatus]
) -> Iterator[Moved]:
    for position in sorted({*before, *after}):
        was, now = before.get(position), after.get(position)
        if was is not now:
            yield Moved(position, was, now)


@lru_cache(maxsize=16_384)
def _statuses(sessions: str) -> Mapping[int, SessionStatus]:
    """By position; most students of a school share theirs."""
    return {one.position: one.status for one in _DECODER.decode(sessions)}

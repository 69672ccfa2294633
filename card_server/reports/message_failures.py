"""Messages that nobody got, or of which nobody knows it, counted by the reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from schema.tables.messages import MISSED, Message, MessageState, Suppression

_UNKNOWN: Final = "state = 'unknown'"
_LONGEST: Final = 100


@dataclass(frozen=True)
class Failure:
    """One reason, and how often it was one."""

    state: MessageState
    suppression: Suppression | None
    error: str | None
    """The carrier's code and sentence, or our own sentence."""
    times: int
    last_at: datetime

    @property
    def beginning(self) -> str:
        """What its messages' sentences begin with: the carrier and its code, if it has one."""
        if not self.error:
            return ""
        head, colon, _ = self.error.partition(": ")
        return (head + colon if colon else self.error)[:_LONGEST]


def list_failures(session: Session, school_id: int, since: datetime) -> list[Failure]:
    """The reasons since a moment, the most frequent first."""
    found = [
        Failure(*row)
        for condition in (MISSED, _UNKNOWN)
        for row in session.execute(
            select(
                Message.state,
                Message.suppression,
                Message.error,
                func.count(),
                func.max(Message.changed_at, type_=Message.changed_at.type),
            )
            .where(Message.school_id == school_id, Message.changed_at >= since, text(condition))
            .group_by(Message.state, Message.suppression, Message.error)
        )
    ]
    return sorted(found, key=lambda one: (-one.times, one.state, one.error or ""))

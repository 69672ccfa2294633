"""What waits to be sent, how much of it, until when, and why."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import case, func, literal_column, or_, select
from sqlalchemy.orm import Session

from card_server.messages.kinds import AT_ONCE
from card_server.messages.waiting import Facts, WaitReason, why
from schema.tables.messages import CarrierHealth, Message, MessageRules, MessageState


@dataclass(frozen=True)
class Waiting:
    """Messages that wait for the same."""

    reason: WaitReason
    count: int
    until: datetime | None
    """When the last of them is looked at again; None: as soon as may be."""
    oldest: datetime
    error: str | None
    """Why they were not taken when they were tried last."""


def list_waiting(session: Session, school_id: int, now: datetime) -> list[Waiting]:
    """All that waits, grouped by why."""
    is_stopped = session.scalar(
        select(MessageRules.stopped_at.is_not(None)).where(MessageRules.school_id == school_id)
    )
    rests = session.scalar(
        select(func.max(CarrierHealth.passed_over_until, type_=_MOMENT)).where(
            CarrierHealth.passed_over_until > now
        )
    )
    is_due = case((Message.due_at <= now, 1), else_=0)
    is_at_once = case((Message.kind.in_(sorted(AT_ONCE)), 1), else_=0)
    waiting = [Message.state == literal_column(f"'{state}'") for state in _STATES]
    found = session.execute(
        select(
            Message.state,
            is_due,
            is_at_once,
            Message.error,
            func.count(),
            func.max(Message.due_at, type_=_MOMENT),
            func.min(Message.due_at, type_=_MOMENT),
            func.min(Message.created_at, type_=_MOMENT),
        )
        .where(Message.school_id == school_id, or_(*waiting))
        .group_by(Message.state, is_due, is_at_once, Message.error)
    )
    groups: dict[tuple[WaitReason, str | None, bool], Waiting] = {}
    for state, due, at_once, error, count, last, first, oldest in found:
        facts = Facts(bool(is_stopped), rests, state, bool(due), bool(at_once), error, first, last)
        reason = why(facts, now)
        until = None if due or state is MessageState.SENDING else last
        one = Waiting(reason, count, until, oldest, error)
        key = reason, error, until is None
        groups[key] = _together(groups[key], one) if key in groups else one
    return sorted(groups.values(), key=lambda one: (list(WaitReason).index(one.reason), one.oldest))


def _together(one: Waiting, other: Waiting) -> Waiting:
    """The same reason, of messages of two kinds."""
    return replace(
        one,
        count=one.count + other.count,
        until=max(one.until, other.until) if one.until and other.until else None,
        oldest=min(one.oldest, other.oldest),
    )


_STATES: Final = (MessageState.QUEUED, MessageState.SENDING)
_MOMENT: Final = Message.due_at.type

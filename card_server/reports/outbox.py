"""The message outbox: what was sent to guardians, what waits, and what went wrong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal_column, or_, select
from sqlalchemy.orm import Session

from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Guardian, Student
from schema.tables.school import Homeroom

_WAITING = (MessageState.QUEUED, MessageState.SENDING)


@dataclass(frozen=True)
class OutboxMessage:
    """One message; of the phone only the last digits."""

    id: UUID
    created_at: datetime
    changed_at: datetime
    kind: MessageKind
    state: MessageState
    suppression: Suppression | None
    student_id: int
    student: str
    homeroom: str
    phone_tail: str
    provider: str | None
    attempts: int
    error: str | None
    body: str


def read_phone(
    session: Session, school_id: int, provider: str, since: datetime, limit: int
) -> list[OutboxMessage]:
    """The newest messages that one provider took since a moment, newest first, in one query."""
    wanted = select_messages(school_id).where(
        Message.changed_at >= since,
        Message.provider == provider,
        Message.state == MessageState.ACCEPTED,
    )
    return [OutboxMessage(*row) for row in session.execute(wanted.limit(limit))]


def count_states(session: Session, school_id: int, since: datetime) -> dict[MessageState, int]:
    """How many messages are in each state: those changed since a moment, and all that wait."""
    # As literals, so that PostgreSQL sees that its two small partial indexes answer this.
    waiting = [Message.state == literal_column(f"'{state}'") for state in _WAITING]
    found = session.execute(
        select(Message.state, func.count())
        .where(Message.school_id == school_id, or_(Message.changed_at >= since, *waiting))
        .group_by(Message.state)
    )
    counted = dict(found.all())
    return {state: counted.get(state, 0) for state in MessageState}


def select_messages(school_id: int) -> Select[*tuple[Any, ...]]:
    """What an OutboxMessage is made of, for all of a school, newest first."""
    return (
        select(
            Message.id,
            Message.created_at,
            Message.changed_at,
            Message.kind,
            Message.state,
            Message.suppression,
            Message.student_id,
            Student.name,
            Homeroom.name,
            Guardian.phone_tail,
            Message.provider,
            Message.attempts,
            Message.error,
            Message.body,
        )
        .join(Student, Student.id == Message.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .join(Guardian, Guardian.id == Message.guardian_id)
        .where(Message.school_id == school_id)
        .order_by(Message.changed_at.desc(), Message.id.desc())
    )

"""The message outbox: what was sent to guardians, what waits, and what went wrong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal_column, or_, select, text, tuple_
from sqlalchemy.orm import Session

from schema.tables.messages import MISSED, Message, MessageKind, MessageState, Suppression
from schema.tables.people import Guardian, Student
from schema.tables.school import Homeroom

_WAITING = (MessageState.QUEUED, MessageState.SENDING)
_MISSED = (MessageState.FAILED, MessageState.UNDELIVERED, MessageState.SUPPRESSED)


@dataclass(frozen=True)
class OutboxMessage:
    """One message; of the phone only the last digits."""

    id: UUID
    created_at: datetime
    changed_at: datetime
    due_at: datetime
    kind: MessageKind
    state: MessageState
    suppression: Suppression | None
    student_id: int
    student: str
    homeroom: str
    guardian_id: int
    phone_tail: str
    provider: str | None
    attempts: int
    error: str | None
    body: str


@dataclass(frozen=True)
class Wanted:
    """Which messages of a school; whatever is None lets all through."""

    since: datetime | None = None
    """Changed since then."""
    until: datetime | None = None
    """Changed before then."""
    state: MessageState | None = None
    kind: MessageKind | None = None
    homeroom_id: int | None = None
    """Of students who are in this homeroom today."""
    suppression: Suppression | None = None
    failure: str | None = None
    """What the sentence of their failure begins with."""


def list_messages(
    session: Session,
    school_id: int,
    wanted: Wanted,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[OutboxMessage]:
    """The next wanted messages that changed before a moment (and id), newest first."""
    found = narrow_messages(select_messages(), school_id, wanted)
    if before is not None:
        found = found.where(tuple_(Message.changed_at, Message.id) < before)
    found = found.order_by(Message.changed_at.desc(), Message.id.desc())
    return [OutboxMessage(*row) for row in session.execute(found.limit(limit))]


def narrow_messages(
    found: Select[*tuple[Any, ...]], school_id: int, wanted: Wanted
) -> Select[*tuple[Any, ...]]:
    """A query over messages, of the wanted ones alone."""
    found = found.where(Message.school_id == school_id)
    if wanted.since is not None:
        found = found.where(Message.changed_at >= wanted.since)
    if wanted.until is not None:
        found = found.where(Message.changed_at < wanted.until)
    if wanted.state is not None:
        found = found.where(Message.state == wanted.state)
        if wanted.state in _MISSED:
            found = found.where(text(MISSED))
    if wanted.kind is not None:
        found = found.where(Message.kind == wanted.kind)
    if wanted.homeroom_id is not None:
        students = select(Student.id).where(Student.homeroom_id == wanted.homeroom_id)
        found = found.where(Message.student_id.in_(students))
    if wanted.suppression is not None:
        found = found.where(Message.suppression == wanted.suppression, text(MISSED))
    if wanted.failure is not None:
        found = found.where(Message.error.startswith(wanted.failure, autoescape=True))
    return found


def select_messages() -> Select[*tuple[Any, ...]]:
    """What an OutboxMessage is made of."""
    return (
        select(
            Message.id,
            Message.created_at,
            Message.changed_at,
            Message.due_at,
            Message.kind,
            Message.state,
            Message.suppression,
            Message.student_id,
            Student.name,
            Homeroom.name,
            Message.guardian_id,
            func.coalesce(Guardian.phone_tail, ""),
            Message.provider,
            Message.attempts,
            Message.error,
            Message.body,
        )
        .join(Student, Student.id == Message.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        # Of a guardian who was deleted there is the message left, and perhaps a person must decide.
        .outerjoin(Guardian, Guardian.id == Message.guardian_id)
    )


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

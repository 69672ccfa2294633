"""The messages to one guardian, as the guardian may read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from schema.tables.messages import Message, MessageKind, MessageState, Suppression


@dataclass(frozen=True)
class ToldMessage:
    """One message."""

    id: UUID
    created_at: datetime
    kind: MessageKind
    body: str
    state: MessageState
    suppression: Suppression | None


def read_messages(
    session: Session,
    school_id: int,
    guardian_id: int,
    student_ids: Iterable[int],
    leave_out: Iterable[MessageKind],
    before: UUID | None,
    limit: int,
) -> list[ToldMessage]:
    """The newest messages about these students, older than `before`, in one query."""
    wanted = (
        select(
            Message.id,
            Message.created_at,
            Message.kind,
            Message.body,
            Message.state,
            Message.suppression,
        )
        .where(
            Message.school_id == school_id,
            Message.guardian_id == guardian_id,
            Message.student_id.in_(student_ids),
            Message.kind.not_in(leave_out),
        )
        .order_by(Message.id.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(Message.id < before)
    return [ToldMessage(*row) for row in session.execute(wanted)]

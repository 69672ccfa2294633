"""The messages about one student, or to one guardian, from the newest back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, tuple_
from sqlalchemy.orm import Session

from card_server.reports.outbox import OutboxMessage, select_messages
from schema.tables.messages import Message

Before = tuple[datetime, UUID] | None
"""When the last message that was seen was written, and its id."""


def list_of_student(
    session: Session, school_id: int, student_id: int, before: Before, limit: int
) -> list[OutboxMessage]:
    """The next messages about a student, to whichever guardian."""
    return _list(session, school_id, Message.student_id == student_id, before, limit)


def list_of_guardian(
    session: Session, school_id: int, guardian_id: int, before: Before, limit: int
) -> list[OutboxMessage]:
    """The next messages to a guardian, about whichever of the students that the caller sees."""
    return _list(session, school_id, Message.guardian_id == guardian_id, before, limit)


def _list(
    session: Session, school_id: int, whose: ColumnElement[bool], before: Before, limit: int
) -> list[OutboxMessage]:
    found = select_messages().where(Message.school_id == school_id, whose)
    if before is not None:
        found = found.where(tuple_(Message.created_at, Message.id) < before)
    found = found.order_by(Message.created_at.desc(), Message.id.desc())
    return [OutboxMessage(*row) for row in session.execute(found.limit(limit))]

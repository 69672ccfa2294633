"""One message with all that became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from card_server.errors import AppError, Code
from card_server.messages.resending import Ended
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Channel, Guardian, Guardianship, Language, Student
from schema.tables.school import Homeroom


@dataclass(frozen=True)
class MessageRecord:
    """One message; of the phone only the last digits."""

    id: UUID
    kind: MessageKind
    state: MessageState
    suppression: Suppression | None
    student_id: int
    student: str
    homeroom: str
    guardian_id: int
    guardian: str
    """Empty, as the number's tail, of one who was deleted."""
    relation: str | None
    """None when the guardian is not this student's any more."""
    phone_tail: str
    language: Language
    channel: Channel
    body: str
    provider: str | None
    attempts: int
    error: str | None
    segments: int
    price: int
    """In thousandths of the school's currency."""
    about_at: datetime | None
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    tried_at: datetime | None
    look_up_at: datetime | None
    look_ups: int
    changed_at: datetime
    resend_of: UUID | None
    resent_by: UUID | None
    """The message by which staff sent this one again."""

    @property
    def ended(self) -> Ended:
        """What decides whether it may be sent again."""
        was_resent = self.resent_by is not None
        return Ended(self.kind, self.state, self.suppression, self.expires_at, was_resent)


def read_message(session: Session, school_id: int, message_id: UUID) -> MessageRecord:
    """One message that the session may see. Raises AppError(NOT_FOUND)."""
    again = aliased(Message)
    of_message = (
        getattr(Message, name)
        for name in MessageRecord.__dataclass_fields__
        if name not in {"student", "homeroom", "guardian", "relation", "phone_tail", "resent_by"}
    )
    row = session.execute(
        select(
            *of_message,
            Student.name.label("student"),
            Homeroom.name.label("homeroom"),
            func.coalesce(Guardian.name, "").label("guardian"),
            func.coalesce(Guardian.phone_tail, "").label("phone_tail"),
            Guardianship.relation,
            again.id.label("resent_by"),
        )
        .join(Student, Student.id == Message.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .outerjoin(Guardian, Guardian.id == Message.guardian_id)
        .outerjoin(
            Guardianship,
            and_(
                Guardianship.student_id == Message.student_id,
                Guardianship.guardian_id == Message.guardian_id,
            ),
        )
        .outerjoin(
            again,
            and_(
                again.school_id == Message.school_id,
                again.student_id == Message.student_id,
                again.created_at >= Message.created_at,
                again.resend_of == Message.id,
            ),
        )
        .where(Message.school_id == school_id, Message.id == message_id)
    ).one_or_none()
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such message.")
    values: dict[str, Any] = dict(row._mapping)
    return MessageRecord(**values)

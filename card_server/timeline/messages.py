"""What a student's guardians were told, on the timeline: whom, what, and what became of it."""

from flask_babel import lazy_gettext
from sqlalchemy import and_, func, select

from card_server.timeline.protocol import Asking, Moment, Source
from card_server.words.failures import failure
from schema.tables.messages import Message, MessageState
from schema.tables.people import Guardian, Guardianship

_ALARMING = (MessageState.FAILED, MessageState.UNDELIVERED, MessageState.UNKNOWN)


def _read(asking: Asking) -> list[Moment]:
    """Of who is no guardian of the student any more the name; of who was deleted nothing."""
    of_student = and_(
        Guardianship.student_id == Message.student_id,
        Guardianship.guardian_id == Message.guardian_id,
    )
    name = func.coalesce(Guardian.name, "")
    relation = func.coalesce(Guardianship.relation, "")
    wanted = (
        select(Message, name, relation)
        .outerjoin(Guardian, Guardian.id == Message.guardian_id)
        .outerjoin(Guardianship, of_student)
        .where(Message.school_id == asking.school_id, Message.student_id == asking.student_id)
    )
    found = asking.session.execute(asking.newest(wanted, Message.created_at, Message.id.desc()))
    return [_moment(*row) for row in found]


def _moment(one: Message, guardian: str, relation: str) -> Moment:
    why_not = (one.suppression,) if one.suppression else ()
    return Moment(
        one.created_at,
        str(one.id),
        one.body,
        (one.kind, one.state, *why_not),
        one.state in _ALARMING,
        reason=failure(one.error),
        to=" ".join(filter(None, (guardian, relation))),
    )


MESSAGES = Source("messages", lazy_gettext("Message"), _read)

"""What a student's guardians were told, on the timeline."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.timeline.protocol import Asking, Moment, Source
from schema.tables.messages import Message, MessageState

_ALARMING = (MessageState.FAILED, MessageState.UNKNOWN)


def _read(asking: Asking) -> list[Moment]:
    wanted = select(Message).where(
        Message.school_id == asking.school_id, Message.student_id == asking.student_id
    )
    if asking.before is not None:
        wanted = wanted.where(Message.created_at < asking.before)
    order = (Message.created_at.desc(), Message.id.desc())
    found = asking.session.scalars(wanted.order_by(*order).limit(asking.limit))
    return [
        Moment(one.created_at, str(one.id), one.body, (one.state,), one.state in _ALARMING)
        for one in found
    ]


MESSAGES = Source("messages", lazy_gettext("Message"), _read)

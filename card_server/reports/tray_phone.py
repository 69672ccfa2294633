"""A guardian's phone as a demo draws it: the messages that came, with codes and links to use."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.messages.states import TAKEN
from card_server.messages.templates import reveal
from card_server.storage.sealing import Seal
from schema.tables.messages import Message, MessageKind
from schema.tables.parents import ParentCode
from schema.tables.people import Guardian

_LINK: Final = re.compile(r"https?://[!-~]+")
"""What a phone makes a link of; Han characters end it."""


@dataclass(frozen=True)
class Bubble:
    """One message on the phone's screen."""

    before: str
    link: str
    """An address in the text; empty when there is none."""
    after: str
    sent_at: datetime
    phone_tail: str


def read_bubbles(
    session: Session, school_id: int, seal: Seal, provider: str, since: datetime, limit: int
) -> list[Bubble]:
    """The newest messages that one provider took since a moment, newest first."""
    found = session.execute(
        select(
            Message.kind,
            Message.body,
            Message.changed_at,
            Guardian.phone_tail,
            ParentCode.code_sealed,
        )
        .join(Guardian, Guardian.id == Message.guardian_id)
        .outerjoin(ParentCode, ParentCode.guardian_id == Message.guardian_id)
        .where(
            Message.school_id == school_id,
            Message.changed_at >= since,
            Message.provider == provider,
            Message.state.in_(TAKEN),
        )
        .order_by(Message.changed_at.desc(), Message.id.desc())
        .limit(limit)
    )
    bubbles = []
    for kind, body, sent_at, phone_tail, code_sealed in found:
        text = body
        if kind is MessageKind.CODE and code_sealed:
            text = reveal(body, seal.open(code_sealed))
        bubbles.append(_bubble(text, sent_at, phone_tail))
    return bubbles


def _bubble(text: str, sent_at: datetime, phone_tail: str) -> Bubble:
    link = _LINK.search(text)
    if link is None:
        return Bubble(text, "", "", sent_at, phone_tail)
    return Bubble(text[: link.start()], link.group(), text[link.end() :], sent_at, phone_tail)

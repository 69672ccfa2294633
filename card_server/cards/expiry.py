"""The end of temporary cards (临时卡到期): what the clock process does with them each minute."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.cards.cards import Doing, expire_card
from card_server.cards.steps import OWNED
from schema.tables.cards import Card

_AT_ONCE = 1000
"""The rest follows a minute later."""


def expire_cards(session: Session, now: datetime) -> None:
    """End the cards whose time is over, in every school.

    Each in a transaction of its own: who holds one student's lock must not wait for another's.
    """
    due = session.execute(
        select(Card.school_id, Card.id)
        .where(Card.expires_at <= now, Card.state.in_(OWNED))
        .order_by(Card.school_id, Card.id)
        .limit(_AT_ONCE)
    ).all()
    session.commit()
    for school_id, card_id in due:
        expire_card(session, Doing(SYSTEM, school_id, now), card_id)
        session.commit()

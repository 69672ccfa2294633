"""Cards in any state at once, without the steps that lead there: for tests of what comes after."""

from datetime import datetime

from sqlalchemy.orm import Session

from card_server.cards.versions import list_changes
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding


def add_card(session: Session, school_id: int, uid: str, at: datetime) -> Card:
    """A new card that is active and nobody's."""
    card = Card(school_id=school_id, uid=uid, state=CardState.ACTIVE, state_since=at)
    session.add(card)
    list_changes(session, school_id, [card], at)
    return card


def bind_card(session: Session, card: Card, student_id: int, at: datetime) -> CardBinding:
    """From now on the card is the student's."""
    binding = CardBinding(
        school_id=card.school_id, card_id=card.id, student_id=student_id, bound_at=at
    )
    session.add(binding)
    session.flush()
    return binding


def set_card_state(session: Session, card: Card, state: CardState, at: datetime) -> None:
    """Lost, found, expired, …; nothing when it is so already."""
    if card.state is state:
        return
    card.state, card.state_since = state, at
    list_changes(session, card.school_id, [card], at)

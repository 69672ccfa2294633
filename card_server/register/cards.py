"""Cards and whose they are; each change reaches the readers as the next version of the list."""

import re
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardChange
from schema.tables.school import School

_UID = re.compile("[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}")
_RANDOM = "08"
"""First byte of a four-byte number that is random (ISO/IEC 14443-3 §6.5.4)."""


def add_card(session: Session, school_id: int, uid: str, at: datetime) -> Card:
    """A new active card.

    Raises AppError: INVALID for what is no card number, CONFLICT when the school has it.
    """
    if not _UID.fullmatch(uid):
        raise AppError(
            Code.INVALID, f"{uid!r} is no card number: 8, 14 or 20 digits 0–9 and A–F, in capitals."
        )
    if len(uid) == 8 and uid.startswith(_RANDOM):
        raise AppError(Code.INVALID, f"The card {uid} invents a new number at each tap.")
    if session.scalar(select(Card.id).where(Card.school_id == school_id, Card.uid == uid)):
        raise AppError(Code.CONFLICT, f"The school has a card {uid} already.")
    card = Card(school_id=school_id, uid=uid, state=CardState.ACTIVE, state_since=at)
    session.add(card)
    session.flush()
    _list_change(session, card, at)
    return card


def bind_card(session: Session, card: Card, student_id: int, at: datetime) -> CardBinding:
    """From now on the card is the student's. Raises AppError(CONFLICT) when it is somebody's."""
    session.execute(select(Card.id).where(Card.id == card.id).with_for_update())
    held = select(CardBinding.id).where(
        CardBinding.card_id == card.id, CardBinding.unbound_at.is_(None)
    )
    if session.scalar(held):
        raise AppError(Code.CONFLICT, f"The card {card.uid} is bound to a student.")
    binding = CardBinding(
        school_id=card.school_id, card_id=card.id, student_id=student_id, bound_at=at
    )
    session.add(binding)
    session.flush()
    return binding


def set_card_state(session: Session, card: Card, state: CardState, at: datetime) -> None:
    """Lost, found, expired, …: counts at every reader as soon as it has the new list."""
    if card.state is state:
        return
    card.state = state
    card.state_since = at
    session.flush()
    _list_change(session, card, at)


def _list_change(session: Session, card: Card, at: datetime) -> None:
    """Take the next version under the school's row lock, so that versions have no gaps."""
    version = session.scalar(
        update(School)
        .where(School.id == card.school_id)
        .values(cards_version=School.cards_version + 1)
        .returning(School.cards_version)
        .execution_options(synchronize_session=False)
    )
    session.add(
        CardChange(
            school_id=card.school_id,
            version=version,
            uid=card.uid,
            state=card.state,
            changed_at=at,
        )
    )
    session.flush()

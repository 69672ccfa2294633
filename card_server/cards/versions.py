"""The list that readers judge by: each change of a card is its next version."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from schema.tables.cards import Card, CardChange
from schema.tables.school import School


def list_changes(session: Session, school_id: int, cards: Sequence[Card], at: datetime) -> None:
    """Note these cards' states as the next versions of the school's list, one for each.

    Versions are taken under the school's row lock, so that they have no gaps.
    """
    if not cards:
        return
    session.flush()
    newest = session.scalars(
        update(School)
        .where(School.id == school_id)
        .values(cards_version=School.cards_version + len(cards))
        .returning(School.cards_version)
        .execution_options(synchronize_session=False)
    ).one()
    session.add_all(
        CardChange(
            school_id=school_id,
            version=version,
            uid=card.uid,
            state=card.state,
            changed_at=at,
        )
        for version, card in enumerate(cards, newest - len(cards) + 1)
    )
    session.flush()

"""What to tell a reader so that it has the school's card list."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from schema.messages import CARDS_PER_PART, CardsChange, CardsMessage, CardsSnapshot, ListedCard
from schema.tables.cards import Card, CardChange
from schema.tables.readers import Reader
from schema.tables.school import School

_MOST_CHANGES = 200
"""Beyond this many changes the whole list is the shorter message."""


def list_versions(session: Session) -> dict[int, int]:
    """Each school's id and the version that its readers should have."""
    rows = session.execute(select(School.id, School.cards_version))
    return {row.id: row.cards_version for row in rows}


def bring_up_to_date(session: Session, school_id: int, has_version: int) -> list[CardsMessage]:
    """The messages for a reader that has this version: never empty.

    A reader that is up to date gets an empty change, which tells it that its list still holds.
    """
    version = session.scalar(select(School.cards_version).where(School.id == school_id)) or 0
    behind = version - has_version
    if has_version and 0 <= behind <= _MOST_CHANGES:
        changes = _changes(session, school_id, has_version, version)
        if len(changes) == behind:
            latest = {change.uid: change for change in changes}
            return [CardsChange(has_version, version, list(latest.values()))]
    return _snapshot(session, school_id, version)


def readers_of(session: Session, school_id: int) -> list[tuple[str, str]]:
    """The (school code, reader code) of each reader of a school."""
    rows = session.execute(
        select(School.code, Reader.code)
        .join(Reader, Reader.school_id == School.id)
        .where(School.id == school_id)
    )
    return [(school, reader) for school, reader in rows]


def _changes(session: Session, school_id: int, after: int, upto: int) -> list[ListedCard]:
    rows = session.execute(
        select(CardChange.uid, CardChange.state)
        .where(
            CardChange.school_id == school_id,
            CardChange.version > after,
            CardChange.version <= upto,
        )
        .order_by(CardChange.version)
    )
    return [ListedCard(uid, state) for uid, state in rows]


def _snapshot(session: Session, school_id: int, version: int) -> list[CardsMessage]:
    rows = session.execute(
        select(Card.uid, Card.state).where(Card.school_id == school_id).order_by(Card.uid)
    ).all()
    cards = [ListedCard(uid, state) for uid, state in rows]
    parts = max(1, -(-len(cards) // CARDS_PER_PART))
    return [
        CardsSnapshot(
            version, part, parts, cards[part * CARDS_PER_PART : (part + 1) * CARDS_PER_PART]
        )
        for part in range(parts)
    ]

"""What to tell a reader so that it has the school's card list in its own byte order.

The version is the school's, and a reader knows of its list nothing else. So the one thing that
makes a list worthless for a reader whose version it is, another byte order, takes a version too:
one to which no change leads, whatever the reader had and however long it was away.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.cards.byte_order import turn
from schema.messages import CARDS_PER_PART, CardsChange, CardsMessage, CardsSnapshot, ListedCard
from schema.tables.cards import Card, CardChange
from schema.tables.readers import ByteOrder, Reader
from schema.tables.school import School

_MOST_CHANGES = 200
"""Beyond this many changes the whole list is the shorter message."""


class ForReader(NamedTuple):
    """What one reader is to be told."""

    school: str
    reader: str
    messages: list[CardsMessage]


def list_versions(session: Session) -> dict[int, int]:
    """Each school's id and the version that its readers should have."""
    rows = session.execute(select(School.id, School.cards_version))
    return {row.id: row.cards_version for row in rows}


def bring_up_to_date(session: Session, reader_id: int, has_version: int) -> list[CardsMessage]:
    """The messages for a reader that has this version: never empty.

    A reader that is up to date gets an empty change, which tells it that its list still holds.
    """
    # In one statement, or a list of the new version might go out in the old order.
    school_id, version, order = session.execute(
        select(School.id, School.cards_version, Reader.byte_order)
        .join(Reader, Reader.school_id == School.id)
        .where(Reader.id == reader_id)
    ).one()
    return _as_read(_messages(session, school_id, version, has_version), order)


def bring_all_up_to_date(session: Session, school_id: int, had_version: int) -> Iterator[ForReader]:
    """The same for each reader of a school, as if all had this version."""
    rows = session.execute(
        select(School.code, School.cards_version, Reader.code, Reader.byte_order)
        .join(Reader, Reader.school_id == School.id)
        .where(School.id == school_id)
    ).all()
    if not rows:
        return
    messages = _messages(session, school_id, rows[0][1], had_version)
    in_order = {order: _as_read(messages, order) for order in {row[3] for row in rows}}
    for school, _version, reader, order in rows:
        yield ForReader(school, reader, in_order[order])


def start_lists_anew(session: Session, school_id: int) -> None:
    """Let every reader of the school have the whole list again, whichever version it has.

    To be called in the transaction that changes in which order a reader gives numbers.
    """
    session.execute(
        update(School)
        .where(School.id == school_id)
        .values(cards_version=School.cards_version + 1)
        .execution_options(synchronize_session=False)
    )


def _messages(
    session: Session, school_id: int, version: int, has_version: int
) -> list[CardsMessage]:
    """In canonical numbers: the changes if they lead all the way, else the whole list."""
    behind = version - has_version
    if has_version and 0 <= behind <= _MOST_CHANGES:
        changes = _changes(session, school_id, has_version, version)
        if len(changes) == behind:
            latest = {change.uid: change for change in changes}
            return [CardsChange(has_version, version, list(latest.values()))]
    return _snapshot(session, school_id, version)


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


def _as_read(messages: list[CardsMessage], order: ByteOrder) -> list[CardsMessage]:
    """The messages in numbers as a reader of this order reads them."""
    if order is ByteOrder.AS_SENT:
        return messages
    return [
        msgspec.structs.replace(
            message, cards=[ListedCard(turn(one.uid, order), one.state) for one in message.cards]
        )
        for message in messages
    ]

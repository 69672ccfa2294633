"""Taking cards into the school's stock (入库), one or a whole list at once."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.audit.writing import note
from card_server.cards.cards import Doing
from card_server.cards.numbers import KNOWN, REPEATED, TWIN, clean_number, fault_of, twin_of
from card_server.cards.steps import IN_STOCK
from card_server.cards.versions import list_changes
from card_server.errors import AppError, Code
from schema.tables.cards import Card, CardHistory, CardKind, CardStep
from schema.tables.school import School


class NewCard(NamedTuple):
    """A card that the school has bought; `label` is what is printed on it, if not its number."""

    uid: str
    label: str = ""
    kind: CardKind = CardKind.PERMANENT


_ASKED_AT_ONCE = 500


def judge_new(session: Session, school_id: int, uids: Sequence[str]) -> list[str | None]:
    """For each number why it cannot be taken into stock, or None: a sentence to be translated."""
    whole = [uid for uid in uids if fault_of(uid) is None]
    known = known_numbers(session, school_id, {*whole, *map(twin_of, whole)})
    seen: set[str] = set()
    found: list[str | None] = []
    for uid in uids:
        fault = fault_of(uid)
        if fault is None:
            fault = _fault_beside(uid, seen, known)
            seen.add(uid)
        found.append(fault)
    return found


def _fault_beside(uid: str, seen: set[str], known: Mapping[str, int]) -> str | None:
    if uid in known:
        return KNOWN
    if uid in seen:
        return REPEATED
    return TWIN if twin_of(uid) in known or twin_of(uid) in seen else None


def known_numbers(session: Session, school_id: int, uids: Collection[str]) -> dict[str, int]:
    """Those of these numbers that the school has, with the cards' ids."""
    wanted, found = list(uids), dict[str, int]()
    for begin in range(0, len(wanted), _ASKED_AT_ONCE):
        part = wanted[begin : begin + _ASKED_AT_ONCE]
        rows = session.execute(
            select(Card.uid, Card.id).where(Card.school_id == school_id, Card.uid.in_(part))
        )
        found.update((uid, id_) for uid, id_ in rows)
    return found


def stock_card(session: Session, doing: Doing, typed: str, label: str = "") -> Card:
    """One card into stock, by its number as somebody typed it.

    Raises AppError: INVALID for what can be no card's number, CONFLICT for a known one or a twin.
    """
    [card] = stock_cards(session, doing, [NewCard(clean_number(typed), label)])
    return card


def stock_cards(session: Session, doing: Doing, cards: Sequence[NewCard]) -> list[Card]:
    """All of these into stock, or none of them. Raises AppError: INVALID, CONFLICT."""
    # Two lists at once must not bring a number and its twin past one another.
    session.get_one(School, doing.school_id, with_for_update={"key_share": True})
    faults = [one for one in judge_new(session, doing.school_id, [c.uid for c in cards]) if one]
    if faults:
        is_known = faults[0] in (KNOWN, TWIN, REPEATED)
        raise AppError(Code.CONFLICT if is_known else Code.INVALID, faults[0])
    made = [
        Card(
            school_id=doing.school_id,
            uid=one.uid,
            label=one.label[:32],
            kind=one.kind,
            state=IN_STOCK,
            state_since=doing.at,
        )
        for one in cards
    ]
    try:
        with session.begin_nested():
            session.add_all(made)
    except IntegrityError as error:
        raise AppError(Code.CONFLICT, KNOWN) from error
    session.add_all(_stocked(card, doing, doing.at) for card in made)
    list_changes(session, doing.school_id, made, doing.at)
    _note_stocked(session, doing, made)
    return made


def _stocked(card: Card, doing: Doing, at: datetime) -> CardHistory:
    return CardHistory(
        school_id=card.school_id,
        card_id=card.id,
        step=CardStep.STOCKED,
        state=card.state,
        at=at,
        by=doing.actor.name[:120],
        reason=doing.reason[:200],
    )


def _note_stocked(session: Session, doing: Doing, made: Sequence[Card]) -> None:
    """One entry for a card; one for a whole list, with all its numbers."""
    subject = f"card:{made[0].id}" if len(made) == 1 else f"school:{doing.school_id}"
    if made:
        note(
            session,
            doing.school_id,
            doing.actor,
            "card.stocked",
            subject,
            reason=doing.reason,
            details={"cards": len(made), "numbers": [card.uid for card in made]},
        )

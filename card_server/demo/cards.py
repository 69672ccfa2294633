"""The demo's cards: one to each student, a lost one, and blank ones in the drawer of the desk."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from random import Random

from sqlalchemy.orm import Session

from card_server.cards.steps import IN_STOCK
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardChange, CardHistory, CardKind, CardStep
from schema.tables.people import Student
from schema.tables.school import School

_CARDS_ARE_OLD = timedelta(days=60)
_BLANK = 8
_TEMPORARY = 4
_BY = "演示管理员"


def add_cards(
    session: Session, school: School, students: Sequence[Student], random: Random, now: datetime
) -> None:
    """One card to each student; the first one lost a card before and got this one for it."""
    bound_at, lost_at = now - _CARDS_ARE_OLD, now - timedelta(days=1)
    uids = _uids(random)
    lost = Card(school_id=school.id, uid=next(uids), state=CardState.LOST, state_since=lost_at)
    cards = [
        Card(school_id=school.id, uid=next(uids), state_since=bound_at, state=CardState.ACTIVE)
        for _ in students
    ]
    blank = _blank_cards(school, uids, bound_at)
    session.add_all([lost, *cards, *blank])
    session.flush()
    given = list(zip([lost, *cards], [students[0], *students], strict=True))
    session.add_all(
        CardBinding(school_id=school.id, card_id=card.id, student_id=student.id, bound_at=bound_at)
        for card, student in given
    )
    session.add_all(_step(card, CardStep.ISSUED, bound_at, student) for card, student in given)
    session.add(_step(lost, CardStep.LOST, lost_at, students[0]))
    session.add_all(_step(card, CardStep.STOCKED, bound_at, None) for card in blank)
    session.add_all(
        CardChange(
            school_id=school.id, version=version, uid=card.uid, state=card.state, changed_at=now
        )
        for version, card in enumerate([lost, *cards, *blank], 1)
    )
    school.cards_version = 1 + len(cards) + len(blank)


def _blank_cards(school: School, uids: Iterator[str], at: datetime) -> list[Card]:
    kinds = [(CardKind.PERMANENT, "")] * _BLANK
    kinds += [(CardKind.TEMPORARY, f"临时 {number}") for number in range(1, _TEMPORARY + 1)]
    return [
        Card(school_id=school.id, uid=uid, state=IN_STOCK, state_since=at, kind=kind, label=label)
        for (kind, label), uid in zip(kinds, islice(uids, len(kinds)), strict=True)
    ]


def _step(card: Card, step: CardStep, at: datetime, student: Student | None) -> CardHistory:
    states = {CardStep.ISSUED: CardState.ACTIVE, CardStep.LOST: CardState.LOST}
    return CardHistory(
        school_id=card.school_id,
        card_id=card.id,
        step=step,
        state=states.get(step, IN_STOCK),
        student_id=student.id if student else None,
        at=at,
        by=_BY,
    )


def _uids(random: Random) -> Iterator[str]:
    """Seven-byte card numbers of a maker with the code 04 (ISO/IEC 7816-6), each once."""
    given: set[str] = set()
    while True:
        uid = f"04{random.randrange(256**6):012X}"
        if uid not in given:
            given.add(uid)
            yield uid

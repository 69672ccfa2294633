"""Cards as staff look at them: the list, one card with its history, and a student's cards."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from card_server.cards.numbers import clean_number
from card_server.cards.steps import allowed_steps
from card_server.errors import AppError, Code
from card_server.people.student_search import matches, to_narrow
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardHistory, CardKind, CardStep
from schema.tables.people import Student
from schema.tables.school import Homeroom

MAX_FOUND = 50


@dataclass(frozen=True)
class ListedCard:
    """A card, and whose it is."""

    id: int
    uid: str
    label: str
    kind: CardKind
    state: CardState
    state_since: datetime
    expires_at: datetime | None
    student_id: int | None
    student: str | None
    number: str | None
    homeroom: str | None

    @property
    def steps(self) -> list[CardStep]:
        """What can be done with it now."""
        return allowed_steps(self.state)


@dataclass(frozen=True)
class PastStep:
    """One step of a card."""

    at: datetime
    step: CardStep
    state: CardState
    by: str
    reason: str
    student_id: int | None
    student: str | None


@dataclass(frozen=True)
class CardReport:
    """One card with all that was done with it, newest first."""

    card: ListedCard
    history: list[PastStep]


def count_cards(session: Session, school_id: int) -> dict[CardState, int]:
    """How many cards of each state the caller's session sees."""
    rows = session.execute(
        select(Card.state, func.count()).where(Card.school_id == school_id).group_by(Card.state)
    )
    found: dict[CardState, int] = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in CardState if state is not CardState.GONE}


def list_cards(
    session: Session,
    school_id: int,
    state: CardState | None,
    limit: int,
    *,
    offset: int = 0,
    before: tuple[datetime, int] | None = None,
) -> list[ListedCard]:
    """Cards of a state, or all, that changed before a moment (and id); the latest first."""
    wanted = select_cards(school_id)
    if state is not None:
        wanted = wanted.where(Card.state == state)
    if before is not None:
        wanted = wanted.where(tuple_(Card.state_since, Card.id) < before)
    wanted = wanted.order_by(Card.state_since.desc(), Card.id.desc()).offset(offset).limit(limit)
    return [ListedCard(*row) for row in session.execute(wanted)]


def list_cards_by_id(
    session: Session, school_id: int, state: CardState | None, after: int, limit: int
) -> list[ListedCard]:
    """The next cards after an id, by id."""
    wanted = select_cards(school_id).where(Card.id > after)
    if state is not None:
        wanted = wanted.where(Card.state == state)
    return [ListedCard(*row) for row in session.execute(wanted.order_by(Card.id).limit(limit))]


def search_cards(session: Session, school_id: int, words: str) -> list[ListedCard]:
    """At most MAX_FOUND cards that answer to a number, a label, or their student's name."""
    words = " ".join(words.split())
    if not words:
        return []
    wanted = select_cards(school_id).where(or_(_answers_to(words), matches(words)))
    wanted = wanted.order_by(Card.state_since.desc(), Card.id.desc()).limit(MAX_FOUND)
    return [ListedCard(*row) for row in session.execute(wanted)]


def _answers_to(words: str) -> ColumnElement[bool]:
    label = Card.label.contains(words, autoescape=True) | (_loose_label() == _loosen(words))
    number = clean_number(words)
    return or_(label, Card.uid.contains(number, autoescape=True)) if number else label


def read_card(session: Session, school_id: int, card_id: int) -> CardReport:
    """One card. Raises AppError(NOT_FOUND)."""
    row = session.execute(select_cards(school_id).where(Card.id == card_id)).one_or_none()
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such card.")
    steps = session.execute(
        select(
            CardHistory.at,
            CardHistory.step,
            CardHistory.state,
            CardHistory.by,
            CardHistory.reason,
            CardHistory.student_id,
            Student.name,
        )
        .outerjoin(Student, Student.id == CardHistory.student_id)
        .where(CardHistory.card_id == card_id, CardHistory.school_id == school_id)
        .order_by(CardHistory.id.desc())
    )
    return CardReport(ListedCard(*row), [PastStep(*step) for step in steps])


def cards_of_student(session: Session, school_id: int, student_id: int) -> list[ListedCard]:
    """The cards that are this student's now, the newest first."""
    found = session.execute(
        select_cards(school_id)
        .where(CardBinding.student_id == student_id)
        .order_by(Card.state_since.desc(), Card.id.desc())
    )
    return [ListedCard(*row) for row in found]


def find_typed_card(session: Session, school_id: int, typed: str) -> int:
    """The card with this number, or with this label. Raises AppError(NOT_FOUND) when none is."""
    wanted = select(Card.id).where(Card.school_id == school_id)
    found = session.scalar(wanted.where(Card.uid == clean_number(typed)))
    if found is None and typed.strip():
        found = _find_labelled(session, wanted, typed)
    if found is None:
        raise AppError(Code.NOT_FOUND, "The school has no card with this number or label.")
    return found


def _find_labelled(session: Session, wanted: Select[int], typed: str) -> int | None:
    """The one card with this label as it is written; else as it may be typed in a hurry."""
    for fits in (Card.label == typed.strip(), _loose_label() == _loosen(typed)):
        found = session.scalars(wanted.where(fits).limit(2)).all()
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _loose_label() -> ColumnElement[str]:
    return func.lower(func.replace(Card.label, " ", ""))


def _loosen(typed: str) -> str:
    """Without spaces, in ordinary width: 临时１ and 临时1 are 临时 1."""
    return "".join(to_narrow(typed).split()).lower()


def select_cards(school_id: int) -> Select[*tuple[Any, ...]]:
    """Rows for ListedCard."""
    return (
        select(
            Card.id,
            Card.uid,
            Card.label,
            Card.kind,
            Card.state,
            Card.state_since,
            Card.expires_at,
            Student.id,
            Student.name,
            Student.number,
            Homeroom.name,
        )
        .outerjoin(
            CardBinding, and_(CardBinding.card_id == Card.id, CardBinding.unbound_at.is_(None))
        )
        .outerjoin(Student, Student.id == CardBinding.student_id)
        .outerjoin(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Card.school_id == school_id)
    )

"""The desk (发卡台): what a card that was tapped there is, and giving it to a student."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from card_server.cards.cards import Doing, issue_card, replace_card
from card_server.cards.numbers import fault_of, twin_of
from card_server.cards.stock import known_numbers, stock_card
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardKind
from schema.tables.people import Student, StudentStatus
from schema.tables.school import School


class Answer(StrEnum):
    """What the desk says of a tap."""

    GIVEN = "given"
    REPLACED = "replaced"
    """Given in place of the student's lost card, which has ended."""
    THEIRS = "theirs"
    """It is this student's already."""
    OTHERS = "others"
    LOST = "lost"
    """Somebody's who reported it lost: it has been found."""
    ENDED = "ended"
    UNKNOWN = "unknown"
    """The school has no such card; it can be taken into stock."""
    TWIN = "twin"
    UNFIT = "unfit"
    """It invents its number."""
    FULL = "full"
    """The student has a card that works, and was not to be given another one."""
    AWAY = "away"
    """The student is not at the school now."""


@dataclass(frozen=True)
class TappedCard:
    """A card as the school knows it."""

    uid: str
    id: int | None
    state: CardState | None
    owner_id: int | None
    has_twin: bool = False


@dataclass(frozen=True)
class Wanting:
    """A student who is to get a card, and those that they have."""

    student_id: int
    is_here: bool
    active: tuple[int, ...]
    lost: tuple[int, ...]
    most: int


def decide(
    card: TappedCard, student: Wanting, *, takes_new: bool, replaces: bool
) -> tuple[Answer, int | None]:
    """What is to be done with this card for this student, and the card that it replaces. Pure."""
    refusal = _refusal(card, student, takes_new)
    if refusal is not None:
        return refusal, None
    if not student.is_here:
        return Answer.AWAY, None
    if student.lost and len(student.active) < student.most:
        return Answer.REPLACED, student.lost[0]
    if len(student.active) < student.most:
        return Answer.GIVEN, None
    return (Answer.REPLACED, student.active[0]) if replaces else (Answer.FULL, None)


def _refusal(card: TappedCard, student: Wanting, takes_new: bool) -> Answer | None:
    """Why this card can be nobody's new card; None when it can."""
    if card.id is None:
        return _unknown_card(card, takes_new)
    if card.state is CardState.BLACKLISTED:
        return Answer.ENDED
    if card.state is CardState.LOST:
        return Answer.LOST
    if card.owner_id is None:
        return None
    return Answer.THEIRS if card.owner_id == student.student_id else Answer.OTHERS


def _unknown_card(card: TappedCard, takes_new: bool) -> Answer | None:
    if fault_of(card.uid) is not None:
        return Answer.UNFIT
    if card.has_twin:
        return Answer.TWIN
    return None if takes_new else Answer.UNKNOWN


def give_tapped(
    session: Session,
    doing: Doing,
    uid: str,
    student_id: int,
    *,
    takes_new: bool = False,
    replaces: bool = False,
) -> tuple[Answer, int | None]:
    """Give the card to the student if that can be; what came of it, and the card's id.

    Raises AppError: NOT_FOUND for a student who is not there, CONFLICT when somebody was faster.
    """
    card = find_tapped(session, doing.school_id, uid)
    student = _find_wanting(session, doing.school_id, student_id)
    answer, old = decide(card, student, takes_new=takes_new, replaces=replaces)
    if answer not in (Answer.GIVEN, Answer.REPLACED):
        return answer, card.id
    card_id = card.id or stock_card(session, doing, uid).id
    if old is None:
        issue_card(session, doing, card_id, student_id)
    else:
        replace_card(session, doing, old, card_id)
    return answer, card_id


def find_tapped(session: Session, school_id: int, uid: str) -> TappedCard:
    """The card of this number, whether the school has it or not."""
    row = session.execute(
        select(Card.id, Card.state, CardBinding.student_id)
        .outerjoin(
            CardBinding, and_(CardBinding.card_id == Card.id, CardBinding.unbound_at.is_(None))
        )
        .where(Card.school_id == school_id, Card.uid == uid)
    ).first()
    if row is not None:
        return TappedCard(uid, *row)
    has_twin = bool(known_numbers(session, school_id, [twin_of(uid)]))
    return TappedCard(uid, None, None, None, has_twin)


def _find_wanting(session: Session, school_id: int, student_id: int) -> Wanting:
    rows = session.execute(
        select(Card.state, Card.id)
        .join(CardBinding, CardBinding.card_id == Card.id)
        .where(
            Card.school_id == school_id,
            CardBinding.student_id == student_id,
            CardBinding.unbound_at.is_(None),
            Card.kind == CardKind.PERMANENT,
        )
        .order_by(Card.state_since)
    ).all()
    status = session.scalar(
        select(Student.status).where(Student.school_id == school_id, Student.id == student_id)
    )
    return Wanting(
        student_id,
        status is StudentStatus.ENROLLED,
        tuple(id_ for state, id_ in rows if state is CardState.ACTIVE),
        tuple(id_ for state, id_ in rows if state is CardState.LOST),
        session.get_one(School, school_id).cards_per_student,
    )

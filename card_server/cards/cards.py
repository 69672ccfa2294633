"""What is done with a card (一卡通): given, lent, lost, found, replaced, taken back, ended.

Each step locks the student and the cards, in that order everywhere, and writes card, binding,
history, the readers' list, the audit log and events for webhooks in the caller's transaction. A
binding holds the time in which the card was the student's *valid* card: it ends when the card was
lost and a new one begins when it was found, so that whose a card was at a past moment is one look
at the bindings.

How many cards a student may have: as many active permanent ones as the school says
(`school.cards_per_student`), and beside them one temporary card for the day, whether the student's
own is lost or was left at home.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.cards.steps import FREE, OWNED, next_state
from card_server.cards.versions import list_changes
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.school_time import bounds_of, day_of
from card_server.webhooks.changes import DoneStep, tell_of_cards
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardHistory, CardKind, CardStep
from schema.tables.people import Student, StudentStatus
from schema.tables.school import School


@dataclass(frozen=True)
class Doing:
    """Who does a step, at which school, when, and why."""

    actor: Actor
    school_id: int
    at: datetime
    reason: str = ""


class Handled(NamedTuple):
    """A card under its lock, and whose it is now."""

    card: Card
    binding: CardBinding | None


def issue_card(session: Session, doing: Doing, card_id: int, student_id: int) -> Card:
    """The card is the student's from now on (发卡). Raises AppError: NOT_FOUND, CONFLICT."""
    [found] = _lock(session, doing.school_id, [card_id], [student_id])
    free = _freed(session, doing, found)
    _refuse_without_room(session, doing, student_id, CardKind.PERMANENT)
    free.card.kind, free.card.expires_at = CardKind.PERMANENT, None
    return _step(session, doing, free, CardStep.ISSUED, student_id)


def lend_card(session: Session, doing: Doing, card_id: int, student_id: int) -> Card:
    """The card is the student's until the school's midnight (临时卡).

    Raises AppError: NOT_FOUND, CONFLICT.
    """
    [found] = _lock(session, doing.school_id, [card_id], [student_id])
    free = _freed(session, doing, found)
    _refuse_without_room(session, doing, student_id, CardKind.TEMPORARY)
    zone = ZoneInfo(session.get_one(School, doing.school_id).zone)
    free.card.kind = CardKind.TEMPORARY
    free.card.expires_at = bounds_of(day_of(doing.at, zone), zone)[1]
    return _step(session, doing, free, CardStep.LENT, student_id)


def report_lost(session: Session, doing: Doing, card_id: int) -> Card:
    """No reader admits it any more; it stays the student's (挂失).

    Raises AppError: NOT_FOUND, CONFLICT.
    """
    [held] = _lock(session, doing.school_id, [card_id])
    return _step(session, doing, held, CardStep.LOST)


def report_found(session: Session, doing: Doing, card_id: int) -> Card:
    """It counts again (解挂).

    Raises AppError: NOT_FOUND; CONFLICT, as when another card has taken its place.
    """
    [held] = _lock(session, doing.school_id, [card_id])
    if held.binding is not None and held.card.state is CardState.LOST:
        if _is_over(held.card, doing.at):
            raise AppError(Code.CONFLICT, "The day of this temporary card is over.")
        _refuse_without_room(session, doing, held.binding.student_id, held.card.kind)
    return _step(session, doing, held, CardStep.FOUND)


def replace_card(session: Session, doing: Doing, card_id: int, new_card_id: int) -> Card:
    """The old card ends for good and the new one is the student's, in one step (补卡).

    Returns the new card. Raises AppError: NOT_FOUND, CONFLICT.
    """
    if card_id == new_card_id:
        raise AppError(Code.CONFLICT, "This is the card that is to be replaced.")
    handled = _lock(session, doing.school_id, [card_id, new_card_id])
    old, new = (
        next(one for one in handled if one.card.id == id_) for id_ in (card_id, new_card_id)
    )
    if old.binding is None or old.card.kind is CardKind.TEMPORARY:
        raise AppError(Code.CONFLICT, "Only a student's own card can be replaced.")
    student_id = old.binding.student_id
    _step(session, doing, old, CardStep.REPLACED)
    _refuse_without_room(session, doing, student_id, CardKind.PERMANENT)
    new = _freed(session, doing, new)
    new.card.kind, new.card.expires_at = CardKind.PERMANENT, None
    return _step(session, doing, new, CardStep.ISSUED, student_id)


def take_back(session: Session, doing: Doing, card_id: int) -> Card:
    """Back in stock, nobody's (退卡). Raises AppError: NOT_FOUND, CONFLICT."""
    [held] = _lock(session, doing.school_id, [card_id])
    return _step(session, doing, held, CardStep.RETURNED)


def blacklist_card(session: Session, doing: Doing, card_id: int) -> Card:
    """Never to be used again (作废). Raises AppError: NOT_FOUND, CONFLICT."""
    [held] = _lock(session, doing.school_id, [card_id])
    return _step(session, doing, held, CardStep.BLACKLISTED)


def expire_card(session: Session, doing: Doing, card_id: int) -> bool:
    """End a card whose time is over; whether it still was to be ended."""
    [held] = _lock(session, doing.school_id, [card_id])
    if not _is_over(held.card, doing.at):
        return False
    _step(session, doing, held, CardStep.EXPIRED)
    return True


def release_cards(
    session: Session, actor: Actor, student_id: int, reason: str, at: datetime
) -> int:
    """End all cards of a student who leaves; how many. They wait to be handed in (EXPIRED)."""
    student = session.get_one(Student, student_id)
    return release_cards_of_all(session, Doing(actor, student.school_id, at, reason), [student_id])


def release_cards_of_all(session: Session, doing: Doing, student_ids: Collection[int]) -> int:
    """The same for many who leave together, in as many statements as for one.

    Raises AppError(NOT_FOUND) when one of them is not a student of the school.
    """
    held = select(CardBinding.card_id).where(
        CardBinding.student_id.in_(student_ids), CardBinding.unbound_at.is_(None)
    )
    handled = _lock(session, doing.school_id, session.scalars(held).all(), student_ids)
    for one in handled:
        _change(session, doing, one, CardStep.EXPIRED, None)
    list_changes(session, doing.school_id, [one.card for one in handled], doing.at)
    _tell(session, doing, handled, CardStep.EXPIRED, None)
    return len(handled)


def _lock(
    session: Session,
    school_id: int,
    card_ids: Collection[int],
    student_ids: Collection[int] = (),
) -> list[Handled]:
    """These cards and all students that they concern, locked against every other step.

    Students first: who gives a card and who looks for a student's cards meet there.
    """
    before = _holders(session, card_ids)
    _lock_students(session, school_id, student_ids, before)
    cards = session.scalars(
        select(Card)
        .where(Card.school_id == school_id, Card.id.in_(card_ids))
        .order_by(Card.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if len(cards) != len(set(card_ids)):
        raise AppError(Code.NOT_FOUND, "There is no such card.")
    after = _holders(session, card_ids)
    if {card: one.student_id for card, one in after.items()} != {
        card: one.student_id for card, one in before.items()
    }:
        raise AppError(Code.CONFLICT, "Somebody else has just changed this card. Look again.")
    return [Handled(card, after.get(card.id)) for card in cards]


def _lock_students(
    session: Session,
    school_id: int,
    student_ids: Collection[int],
    holders: dict[int, CardBinding],
) -> None:
    wanted = {one.student_id for one in holders.values()} | set(student_ids)
    found = session.scalars(
        select(Student.id)
        .where(Student.school_id == school_id, Student.id.in_(wanted))
        .order_by(Student.id)
        .with_for_update(key_share=True)
    ).all()
    if not set(student_ids) <= set(found):
        raise AppError(Code.NOT_FOUND, "There is no such student in this school.")


def _holders(session: Session, card_ids: Collection[int]) -> dict[int, CardBinding]:
    found = session.scalars(
        select(CardBinding)
        .where(CardBinding.card_id.in_(card_ids), CardBinding.unbound_at.is_(None))
        .execution_options(populate_existing=True)
    )
    return {one.card_id: one for one in found}


def _freed(session: Session, doing: Doing, handled: Handled) -> Handled:
    """The card as one that can be given; yesterday's is ended first, if the clock has not yet.

    Raises AppError(CONFLICT) when it cannot: said before what the student has already.
    """
    if _is_over(handled.card, doing.at):
        _step(session, doing, handled, CardStep.EXPIRED)
        handled = Handled(handled.card, None)
    _state_after(handled, CardStep.ISSUED)
    return handled


def _refuse_without_room(session: Session, doing: Doing, student_id: int, kind: CardKind) -> None:
    """Raise AppError(CONFLICT) when the student may not have another card of this kind."""
    student = session.get_one(Student, student_id)
    if student.status is not StudentStatus.ENROLLED:
        raise AppError(Code.CONFLICT, "This student is not at the school now.")
    if kind is CardKind.PERMANENT:
        most = session.get_one(School, doing.school_id).cards_per_student
        if len(_active_cards(session, student_id, kind)) >= most:
            raise AppError(
                Code.CONFLICT,
                "This student has a card already. Replace it, or take it back first.",
            )
        return
    for card in _active_cards(session, student_id, kind):
        # Yesterday's, when the clock has not come by yet.
        if not expire_card(session, doing, card.id):
            raise AppError(Code.CONFLICT, "This student has a temporary card for today already.")


def _active_cards(session: Session, student_id: int, kind: CardKind) -> list[Card]:
    found = session.scalars(
        select(Card)
        .join(CardBinding, CardBinding.card_id == Card.id)
        .where(
            CardBinding.student_id == student_id,
            CardBinding.unbound_at.is_(None),
            Card.state == CardState.ACTIVE,
            Card.kind == kind,
        )
        .order_by(Card.id)
    )
    return list(found)


def _step(
    session: Session,
    doing: Doing,
    handled: Handled,
    step: CardStep,
    student_id: int | None = None,
) -> Card:
    """Do one step with a card under its lock, and write it down everywhere."""
    if step is not CardStep.EXPIRED and _is_over(handled.card, doing.at):
        _step(session, doing, handled, CardStep.EXPIRED)
        handled = Handled(handled.card, None)
    at = _change(session, doing, handled, step, student_id)
    list_changes(session, handled.card.school_id, [handled.card], at)
    _tell(session, doing, [handled], step, student_id)
    return handled.card


def _tell(
    session: Session,
    doing: Doing,
    handled: Sequence[Handled],
    step: CardStep,
    student_id: int | None,
) -> None:
    """The webhooks that want to know, of one card or of many."""
    done = [DoneStep(one.card, step, _owner(one, student_id)) for one in handled]
    tell_of_cards(session, doing.school_id, done)


def _change(
    session: Session, doing: Doing, handled: Handled, step: CardStep, student_id: int | None
) -> datetime:
    """One step as card, binding, history and audit log have it; when it counts.

    The readers' list follows, for one card or for many.
    """
    card = handled.card
    state = _state_after(handled, step)
    at = _moment_of(card, step, doing.at)
    owner = _owner(handled, student_id)
    _rebind(session, handled, step, student_id, at)
    was = card.state
    card.state, card.state_since = state, at
    if state not in OWNED:
        card.expires_at = None
    session.add(
        CardHistory(
            school_id=card.school_id,
            card_id=card.id,
            step=step,
            state=state,
            student_id=owner,
            at=at,
            by=doing.actor.name[:120],
            reason=doing.reason[:200],
        )
    )
    note(
        session,
        card.school_id,
        doing.actor,
        f"card.{step}",
        f"card:{card.id}",
        reason=doing.reason,
        details={"number": card.uid, "student": owner, "state": [was, state]},
    )
    return at


def _owner(handled: Handled, student_id: int | None) -> int | None:
    """Whose the card becomes, or else whose it is."""
    if student_id is not None:
        return student_id
    return handled.binding.student_id if handled.binding else None


def _state_after(handled: Handled, step: CardStep) -> CardState:
    """Raises AppError(CONFLICT) for a step that is not allowed now."""
    card, binding = handled
    state = next_state(card.state, step)
    # A card that came into the database as active and nobody's can be given like one in stock.
    if state is None and binding is None and card.state is CardState.ACTIVE:
        state = next_state(CardState.RETURNED, step)
    if state is None:
        raise AppError(Code.CONFLICT, _refusal(card.state, step))
    return state


def _is_over(card: Card, at: datetime) -> bool:
    """Whether a card that is somebody's has a time that is over."""
    return card.state in OWNED and card.expires_at is not None and card.expires_at <= at


def _moment_of(card: Card, step: CardStep, at: datetime) -> datetime:
    """When the step counts: never before the last one, and an expiry at the time that was set."""
    if step is CardStep.EXPIRED and card.expires_at is not None:
        at = min(at, card.expires_at)
    return max(at, card.state_since)


def _rebind(
    session: Session, handled: Handled, step: CardStep, student_id: int | None, at: datetime
) -> None:
    """End the binding of who had it, from when it was not valid, and begin that of who has it."""
    card, binding = handled
    if step is CardStep.LOST:
        return
    if binding is not None:
        end = card.state_since if card.state is CardState.LOST else at
        binding.unbound_at = max(end, binding.bound_at)
    owner = binding.student_id if step is CardStep.FOUND and binding else student_id
    if owner is not None:
        session.add(
            CardBinding(school_id=card.school_id, card_id=card.id, student_id=owner, bound_at=at)
        )


def _refusal(state: CardState, step: CardStep) -> str:
    """Why a step is not allowed, as a sentence."""
    if state is CardState.BLACKLISTED:
        return _("This card has been ended for good.")
    if step in (CardStep.ISSUED, CardStep.LENT):
        return _("This card is a student's already.")
    if state in FREE:
        return _("This card is nobody's.")
    if step is CardStep.FOUND:
        return _("This card was not reported lost.")
    return _("This card was reported lost already.")

"""Cards: the list, the search, each step with one, and giving one to a student."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api import card_shapes as shapes
from card_server.api.card_shapes import CardPath, CardsQuery, End, Gift, NewCard, Replacement, Step
from card_server.api.cursors import next_address, read_id, write_id
from card_server.api.inputs import StudentPath, Words
from card_server.cards import cards, stock
from card_server.cards.cards import Doing
from card_server.errors import AppError, Code
from card_server.reports.cards import (
    ListedCard,
    cards_of_student,
    find_typed_card,
    list_cards_by_id,
    read_card,
    search_cards,
)
from card_server.reports.listings import read_student
from schema.tables.staff import Role

routes = APIBlueprint("cards", __name__, tag="Cards")
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
_CARD_PEOPLE = (*_ADMINS, Role.HOMEROOM_TEACHER, Role.GATE_GUARD)


@routes.get("/cards")
@allow(*_CARD_PEOPLE)
@routes.input(CardsQuery, location="query", arg_name="asked")
@routes.output(shapes.Cards)
def all_cards(asked: CardsQuery) -> Any:
    """The cards within the token's reach, by id."""
    after = read_id(asked.cursor)
    with school_session() as session:
        found = list_cards_by_id(session, school_in_use().id, asked.state, after, asked.limit + 1)
    shown = found[: asked.limit]
    is_last = len(found) == len(shown)
    return {"items": shown, "next": next_address(None if is_last else write_id(shown[-1].id))}


@routes.post("/cards/search")
@allow(*_CARD_PEOPLE)
@routes.input(Words, arg_name="asked")
@routes.output(shapes.FoundCards)
def search(asked: Words) -> Any:
    """The cards that answer to a part of a number or label, or to a student.

    By POST, because a number must not stand in an address.
    """
    with school_session() as session:
        return {"items": search_cards(session, school_in_use().id, asked.words)}


@routes.post("/cards")
@allow(*_ADMINS)
@routes.input(NewCard, arg_name="sent")
@routes.output(shapes.Card, status_code=201)
def add(sent: NewCard) -> Any:
    """Take a card into stock."""
    new = stock.NewCard(sent.uid, sent.label, sent.kind)
    with changing_session() as session:
        [made] = stock.stock_cards(session, _doing(), [new])
        return _read(session, made.id)


@routes.get("/cards/<card_id>")
@allow(*_CARD_PEOPLE)
@routes.input(CardPath, location="path", arg_name="asked")
@routes.output(shapes.CardWithHistory)
def card(card_id: str, asked: CardPath) -> Any:
    """One card, and what was done with it."""
    with school_session() as session:
        return read_card(session, school_in_use().id, asked.card_id)


@routes.post("/cards/<card_id>/lost")
@allow(*_CARD_PEOPLE)
@routes.input(CardPath, location="path", arg_name="asked")
@routes.input(Step, arg_name="sent")
@routes.output(shapes.Card)
def report_lost(card_id: str, asked: CardPath, sent: Step) -> Any:
    """No reader admits it any more, within a minute (挂失)."""
    return _do(cards.report_lost, asked, sent.reason)


@routes.post("/cards/<card_id>/found")
@allow(*_ADMINS)
@routes.input(CardPath, location="path", arg_name="asked")
@routes.input(Step, arg_name="sent")
@routes.output(shapes.Card)
def report_found(card_id: str, asked: CardPath, sent: Step) -> Any:
    """It works again (解挂)."""
    return _do(cards.report_found, asked, sent.reason)


@routes.post("/cards/<card_id>/back")
@allow(*_ADMINS)
@routes.input(CardPath, location="path", arg_name="asked")
@routes.input(Step, arg_name="sent")
@routes.output(shapes.Card)
def take_back(card_id: str, asked: CardPath, sent: Step) -> Any:
    """Back in stock (退卡)."""
    return _do(cards.take_back, asked, sent.reason)


@routes.post("/cards/<card_id>/end")
@allow(*_ADMINS)
@routes.input(CardPath, location="path", arg_name="asked")
@routes.input(End, arg_name="sent")
@routes.output(shapes.Card)
def blacklist(card_id: str, asked: CardPath, sent: End) -> Any:
    """Never to be used again (作废)."""
    return _do(cards.blacklist_card, asked, sent.reason)


@routes.post("/cards/<card_id>/replace")
@allow(*_ADMINS)
@routes.input(CardPath, location="path", arg_name="asked")
@routes.input(Replacement, arg_name="sent")
@routes.output(shapes.Card)
def replace_card(card_id: str, asked: CardPath, sent: Replacement) -> Any:
    """End it and give its student another one, in one step (补卡); the new card."""

    def put(session: Session, doing: Doing, old: int) -> Any:
        new = _find(session, doing, sent.number)
        return cards.replace_card(session, doing, old, new)

    return _do(put, asked, sent.reason)


@routes.get("/students/<student_id>/cards")
@allow(*_CARD_PEOPLE)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.output(shapes.FoundCards)
def of_student(student_id: str, asked: StudentPath) -> Any:
    """The cards that are this student's now."""
    school_id = school_in_use().id
    with school_session() as session:
        read_student(session, school_id, asked.student_id)
        return {"items": cards_of_student(session, school_id, asked.student_id)}


@routes.post("/students/<student_id>/cards")
@allow(*_ADMINS)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(Gift, arg_name="sent")
@routes.output(shapes.Card)
def issue(student_id: str, asked: StudentPath, sent: Gift) -> Any:
    """Give a card of the stock (发卡)."""
    return _give(cards.issue_card, asked, sent)


@routes.post("/students/<student_id>/cards/lend")
@allow(*_CARD_PEOPLE)
@routes.input(StudentPath, location="path", arg_name="asked")
@routes.input(Gift, arg_name="sent")
@routes.output(shapes.Card)
def lend(student_id: str, asked: StudentPath, sent: Gift) -> Any:
    """Lend a card of the stock until the school's midnight (临时卡)."""
    return _give(cards.lend_card, asked, sent)


def _doing() -> Doing:
    return Doing(actor(), school_in_use().id, datetime.now(UTC))


def _do(step: Callable[[Session, Doing, int], Any], asked: CardPath, reason: str | None) -> Any:
    with changing_session() as session:
        done = step(session, replace(_doing(), reason=reason or ""), asked.card_id)
        return _read(session, done.id)


def _give(step: Callable[[Session, Doing, int, int], Any], asked: StudentPath, sent: Gift) -> Any:
    with changing_session() as session:
        doing = _doing()
        read_student(session, doing.school_id, asked.student_id)
        card_id = _find(session, doing, sent.number)
        done = step(session, doing, card_id, asked.student_id)
        return _read(session, done.id)


def _find(session: Session, doing: Doing, number: str) -> int:
    """The card that a body names. Raises AppError(CONFLICT): 404 is for what the address names."""
    try:
        return find_typed_card(session, doing.school_id, number)
    except AppError as error:
        raise AppError(Code.CONFLICT, error.message) from error


def _read(session: Session, card_id: int) -> ListedCard:
    session.flush()
    return read_card(session, school_in_use().id, card_id).card

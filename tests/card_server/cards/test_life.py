"""Any sequence of card steps: never too many active cards, and whose a card was is its history."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.cards.cards import (
    Doing,
    blacklist_card,
    issue_card,
    lend_card,
    release_cards,
    replace_card,
    report_found,
    report_lost,
    take_back,
)
from card_server.cards.expiry import expire_cards
from card_server.cards.steps import FREE, OWNED
from card_server.cards.stock import NewCard, stock_cards
from card_server.errors import AppError
from card_server.storage.database import open_sessions
from card_server.taps.directory import CardKey, Directory
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardChange, CardHistory, CardKind
from schema.tables.people import Student, StudentStatus
from schema.tables.school import School
from tests.card_server.tapping import MORNING
from tests.harness.campus import make_campus

_CARDS = 4
_STUDENTS = 2
_LIKELY = 8
"""Of ten tries so many are with a card that fits the step."""
cards = st.integers(0, 9)
students = st.integers(0, _STUDENTS - 1)
_numbers = count(1)


class CardLives(RuleBasedStateMachine):
    """Four blank cards, two students, and everything that staff can do, at growing times."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        number = next(_numbers)
        self.sessions = open_sessions(self.engine)
        self.now = MORNING
        with self.sessions.begin() as session:
            campus = make_campus(session, f"s{number}", students=_STUDENTS, first_id=number * 100)
            self.school_id, self.students = campus.school_id, campus.student_ids
            for old in session.scalars(select(CardBinding).where(_of(campus.school_id))):
                old.unbound_at = old.bound_at
            new = [NewCard(f"04{number:06X}{card:06X}") for card in range(_CARDS)]
            self.cards = [one.id for one in stock_cards(session, self._doing(), new)]

    @initialize(most=st.integers(1, 2))
    def school_decides(self, most: int) -> None:
        with self.sessions.begin() as session:
            session.get_one(School, self.school_id).cards_per_student = most

    def _doing(self) -> Doing:
        return Doing(SYSTEM, self.school_id, self.now)

    def _try(self, step: Callable[..., object], *arguments: object) -> None:
        try:
            with self.sessions.begin() as session:
                step(session, self._doing(), *arguments)
        except AppError:
            pass

    @rule(minutes=st.sampled_from([0, 1, 45, 300, 1440]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def _card(self, place: int, *states: CardState) -> int:
        """One of the cards in these states; any card at all when there is none or place is high."""
        with self.sessions() as session:
            fitting = session.scalars(
                select(Card.id)
                .where(Card.id.in_(self.cards), Card.state.in_(states))
                .order_by(Card.id)
            ).all()
        among = fitting if fitting and place < _LIKELY else self.cards
        return among[place % len(among)]

    @rule(card=cards, student=students)
    def issue(self, card: int, student: int) -> None:
        self._try(issue_card, self._card(card, *FREE), self.students[student])

    @rule(card=cards, student=students)
    def lend(self, card: int, student: int) -> None:
        self._try(lend_card, self._card(card, *FREE), self.students[student])

    @rule(card=cards)
    def lose(self, card: int) -> None:
        self._try(report_lost, self._card(card, CardState.ACTIVE))

    @rule(card=cards)
    def find(self, card: int) -> None:
        self._try(report_found, self._card(card, CardState.LOST))

    @rule(card=cards, new=cards)
    def replace(self, card: int, new: int) -> None:
        self._try(replace_card, self._card(card, *OWNED), self._card(new, *FREE))

    @rule(card=cards)
    def hand_in(self, card: int) -> None:
        self._try(take_back, self._card(card, *OWNED, CardState.EXPIRED))

    @rule(card=cards, chance=st.integers(0, 9))
    def end(self, card: int, chance: int) -> None:
        if chance == 9:
            self._try(blacklist_card, self._card(card, *CardState))

    @rule(student=students, leaves=st.booleans())
    def leave(self, student: int, leaves: bool) -> None:
        with self.sessions.begin() as session:
            row = session.get_one(Student, self.students[student])
            row.status = StudentStatus.SUSPENDED if leaves else StudentStatus.ENROLLED
            if leaves:
                release_cards(session, SYSTEM, row.id, "休学", self.now)

    @rule()
    def clock_comes_by(self) -> None:
        with self.sessions() as session:
            expire_cards(session, self.now)

    @invariant()
    def no_student_has_more_active_cards_than_allowed(self) -> None:
        with self.sessions() as session:
            rows = session.execute(
                select(CardBinding.student_id, Card.kind)
                .join(Card, Card.id == CardBinding.card_id)
                .where(
                    _of(self.school_id),
                    CardBinding.unbound_at.is_(None),
                    Card.state == CardState.ACTIVE,
                )
            ).all()
            most = session.get_one(School, self.school_id).cards_per_student
        allowed = {CardKind.PERMANENT: most, CardKind.TEMPORARY: 1}
        assert all(number <= allowed[kind] for (_, kind), number in Counter(rows).items())

    def teardown(self) -> None:
        self.clock_comes_by()
        with self.sessions() as session:
            known = {
                card.id: (CardKey(self.school_id, card.uid), card)
                for card in session.scalars(select(Card).where(Card.id.in_(self.cards)))
            }
            facts = Directory().cards(session, [key for key, _ in known.values()])
            for card_id, (key, card) in known.items():
                self._judge_past(session, card_id, facts[key])
                self._judge_list(session, card)

    def _judge_past(self, session: Session, card_id: int, found: Any) -> None:
        """Whose it was a moment before, at and after each step, and hours later."""
        past = session.scalars(
            select(CardHistory).where(CardHistory.card_id == card_id).order_by(CardHistory.id)
        ).all()
        assert [one.at for one in past] == sorted(one.at for one in past)
        second = timedelta(seconds=1)
        for at in {one.at for one in past} | {self.now}:
            moments = (at - second, at, at + second, at + timedelta(hours=7))
            for moment in (one for one in moments if one <= self.now):
                holder = found.holder_at(moment)
                assert (holder and holder.student_id) == _by_history(past, moment)

    def _judge_list(self, session: Session, card: Card) -> None:
        """The readers' list has the state that the card has."""
        newest = session.scalar(
            select(CardChange.state)
            .where(CardChange.school_id == self.school_id, CardChange.uid == card.uid)
            .order_by(CardChange.version.desc())
            .limit(1)
        )
        assert newest is card.state


def _of(school_id: int) -> Any:
    return CardBinding.school_id == school_id


def _by_history(past: Any, moment: datetime) -> int | None:
    """Whose valid card it was, told from the steps alone."""
    steps = [one for one in past if one.at <= moment]
    if not steps or steps[-1].state is not CardState.ACTIVE:
        return None
    owner: int | None = steps[-1].student_id
    return owner


def test_any_sequence_of_steps_keeps_the_rules(engine: Engine) -> None:
    is_sqlite = engine.dialect.name == "sqlite"
    machine = type("CardLivesHere", (CardLives,), {"engine": engine})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30 if is_sqlite else 6,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

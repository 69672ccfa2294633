"""Card lists on both databases: whatever a reader has, it is told what makes it right."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.cards.byte_order import turn
from card_server.cards.cardlists import (
    bring_all_up_to_date,
    bring_up_to_date,
    list_versions,
)
from card_server.register.readers import change_reader, find_reader, settings_of
from card_server.storage.database import open_engine
from schema.messages import (
    CARDS_PER_PART,
    CardsChange,
    CardsMessage,
    CardsSnapshot,
    CardState,
    ListedCard,
)
from schema.tables.cards import Card, CardChange
from schema.tables.readers import ByteOrder, Direction, Purpose, Reader
from schema.tables.school import School
from tests.card_server.tapping import MORNING
from tests.harness.campus import make_campus, uid_of
from tests.harness.cards import add_card, set_card_state


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        make_campus(opened)
        yield opened


class ModelReader:
    """A reader that does as the messages say."""

    def __init__(self, reader_id: int = 1) -> None:
        self.id = reader_id
        self.version = 0
        self.cards: dict[str, CardState] = {}

    def ask(self, session: Session) -> None:
        self.take(bring_up_to_date(session, self.id, self.version))

    def take(self, messages: list[CardsMessage]) -> None:
        assert messages
        if isinstance(messages[0], CardsSnapshot):
            self._start_again(messages)
            return
        for message in messages:
            assert isinstance(message, CardsChange)
            assert message.from_version == self.version
            self.cards |= {card.uid: card.state for card in message.cards}
            self.version = message.to_version

    def _start_again(self, messages: list[CardsMessage]) -> None:
        self.cards = {}
        for place, message in enumerate(messages):
            assert isinstance(message, CardsSnapshot)
            assert (message.part, message.parts) == (place, len(messages))
            assert len(message.cards) <= CARDS_PER_PART
            self.cards |= {card.uid: card.state for card in message.cards}
            self.version = message.list_version


def test_a_reader_without_a_list_gets_all_of_it(session: Session) -> None:
    [message] = bring_up_to_date(session, 1, 0)
    assert isinstance(message, CardsSnapshot)
    assert (message.list_version, message.part, message.parts) == (3, 0, 1)
    assert [card.uid for card in message.cards] == [uid_of(1), uid_of(2), uid_of(3)]


def test_a_reader_that_is_up_to_date_is_told_that_its_list_holds(session: Session) -> None:
    assert bring_up_to_date(session, 1, 3) == [CardsChange(3, 3, [])]


def test_a_reader_that_is_behind_gets_the_last_word_on_each_card(session: Session) -> None:
    card = session.get_one(Card, 1)
    for state in (CardState.LOST, CardState.ACTIVE, CardState.EXPIRED):
        set_card_state(session, card, state, MORNING)
    [message] = bring_up_to_date(session, 1, 3)
    assert isinstance(message, CardsChange)
    assert (message.from_version, message.to_version) == (3, 6)
    assert [(one.uid, one.state) for one in message.cards] == [(uid_of(1), CardState.EXPIRED)]


@pytest.mark.parametrize("has", [4, 2**31 - 1])
def test_a_version_that_never_was_gets_the_whole_list(session: Session, has: int) -> None:
    """As after a restored backup of the database."""
    assert isinstance(bring_up_to_date(session, 1, has)[0], CardsSnapshot)


def test_beyond_two_hundred_changes_or_a_gap_the_whole_list_comes(session: Session) -> None:
    for number in range(201):
        add_card(session, 1, f"{number:08X}", MORNING)
    assert isinstance(bring_up_to_date(session, 1, 3)[0], CardsSnapshot)
    assert isinstance(bring_up_to_date(session, 1, 4)[0], CardsChange)
    session.execute(delete(CardChange).where(CardChange.version == 100))
    assert isinstance(bring_up_to_date(session, 1, 50)[0], CardsSnapshot)
    assert isinstance(bring_up_to_date(session, 1, 150)[0], CardsChange)


def test_a_long_list_comes_in_parts(engine: Engine) -> None:
    with Session(engine) as session:
        make_campus(session, students=2 * CARDS_PER_PART + 1)
        reader = ModelReader()
        assert len(bring_up_to_date(session, 1, 0)) == 3
        reader.ask(session)
        assert len(reader.cards) == 2 * CARDS_PER_PART + 1


def test_a_school_without_cards_has_an_empty_list(session: Session) -> None:
    empty = School(code="no9", name="九中", signature="九中")
    session.add(empty)
    session.flush()
    assert list(bring_all_up_to_date(session, empty.id, 0)) == []
    gate = Reader(
        school_id=empty.id,
        code="gate",
        name="门",
        place="门",
        purpose=Purpose.GATE,
        direction=Direction.IN,
    )
    session.add(gate)
    session.flush()
    assert bring_up_to_date(session, gate.id, 0) == [CardsSnapshot(0, 0, 1, [])]


def test_versions_and_readers_are_each_schools_own(session: Session) -> None:
    make_campus(session, "no2", students=1, first_id=50)
    assert list_versions(session) == {1: 3, 2: 1}
    told = sorted(bring_all_up_to_date(session, 2, 1))
    assert told == [
        ("no2", "gate-in", [CardsChange(1, 1, [])]),
        ("no2", "gate-out", [CardsChange(1, 1, [])]),
    ]


def set_order(session: Session, reader_id: int, order: ByteOrder) -> None:
    stored = settings_of(find_reader(session, 1, reader_id))
    change_reader(session, SYSTEM, 1, reader_id, replace(stored, byte_order=order))


def test_each_reader_gets_the_numbers_as_it_reads_them(session: Session) -> None:
    set_order(session, 1, ByteOrder.REVERSED)
    backwards, plain = (bring_up_to_date(session, reader, 0)[0] for reader in (1, 2))
    assert [card.uid for card in plain.cards] == [uid_of(1), uid_of(2), uid_of(3)]
    assert backwards.cards[0].uid == "80010000000004"
    assert [turn(card.uid, ByteOrder.REVERSED) for card in backwards.cards] == [
        card.uid for card in plain.cards
    ]
    set_card_state(session, session.get_one(Card, 2), CardState.LOST, MORNING)
    changes = {to.reader: to.messages for to in bring_all_up_to_date(session, 1, 4)}
    assert changes == {
        "gate-in": [CardsChange(4, 5, [ListedCard("80020000000004", CardState.LOST)])],
        "gate-out": [CardsChange(4, 5, [ListedCard(uid_of(2), CardState.LOST)])],
    }


@pytest.mark.parametrize("away_for", [0, 1, 5])
def test_a_reader_that_slept_through_a_change_of_its_order_gets_the_whole_list(
    session: Session, away_for: int
) -> None:
    reader = ModelReader()
    reader.ask(session)
    set_order(session, reader.id, ByteOrder.REVERSED)
    card = session.get_one(Card, 1)
    for number in range(away_for):
        state = CardState.ACTIVE if number % 2 else CardState.LOST
        set_card_state(session, card, state, MORNING)
    [message] = bring_up_to_date(session, reader.id, reader.version)
    assert isinstance(message, CardsSnapshot)
    reader.ask(session)
    assert isinstance(bring_up_to_date(session, reader.id, reader.version)[0], CardsChange)


def test_another_name_for_a_reader_sends_nobody_a_list(session: Session) -> None:
    stored = settings_of(find_reader(session, 1, 1))
    change_reader(session, SYSTEM, 1, 1, replace(stored, name="南门"))
    assert list_versions(session) == {1: 3}


@pytest.fixture(scope="module")
def new_school(sqlite_template: Path) -> Callable[[], Session]:
    def make() -> Session:
        path = Path(tempfile.mkdtemp(dir=sqlite_template.parent)) / "campus.db"
        shutil.copy(sqlite_template, path)
        session = Session(open_engine(f"sqlite:///{path}"))
        make_campus(session)
        return session

    return make


_steps = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([*CardState]))
    | st.sampled_from(["add", "ask", *ByteOrder]),
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(steps=_steps)
def test_a_reader_that_follows_has_the_schools_cards(
    new_school: Callable[[], Session], steps: list[tuple[int, CardState] | str]
) -> None:
    with new_school() as session:
        eager, lazy, pushed = ModelReader(), ModelReader(), ModelReader(2)
        lazy.ask(session)
        for number, step in enumerate(steps):
            if step == "ask":
                eager.ask(session)
                push(session, pushed)
            elif step in list(ByteOrder):
                set_order(session, 1, ByteOrder(step))
            elif isinstance(step, tuple):
                set_card_state(session, session.get_one(Card, step[0]), step[1], MORNING)
            else:
                add_card(session, 1, f"{number:08X}", MORNING)
        push(session, pushed)
        for reader in (eager, lazy, pushed):
            reader.ask(session)
            order = session.get_one(Reader, reader.id).byte_order
            cards = {turn(one.uid, order): one.state for one in session.scalars(select(Card))}
            assert reader.cards == cards
            assert reader.version == list_versions(session)[1]


def push(session: Session, reader: ModelReader) -> None:
    """What ingest sends by itself to the one of the readers that heard of the last change."""
    told = bring_all_up_to_date(session, 1, reader.version)
    [messages] = [to.messages for to in told if to.reader == "gate-out"]
    reader.take(messages)

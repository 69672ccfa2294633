"""Card lists on both databases: whatever a reader has, it is told what makes it right."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from card_server.register.cardlists import bring_up_to_date, list_versions, readers_of
from card_server.register.cards import add_card, set_card_state
from card_server.storage.database import open_engine
from schema.messages import CARDS_PER_PART, CardsChange, CardsSnapshot, CardState
from schema.tables.cards import Card, CardChange
from schema.tables.school import School
from tests.card_server.tapping import MORNING
from tests.harness.campus import make_campus, uid_of


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        make_campus(opened)
        yield opened


class ModelReader:
    """A reader that does as the messages say."""

    def __init__(self) -> None:
        self.version = 0
        self.cards: dict[str, CardState] = {}

    def ask(self, session: Session, school_id: int = 1) -> None:
        messages = bring_up_to_date(session, school_id, self.version)
        assert messages
        if isinstance(messages[0], CardsSnapshot):
            self._start_again(messages)
            return
        for message in messages:
            assert isinstance(message, CardsChange)
            assert message.from_version == self.version
            self.cards |= {card.uid: card.state for card in message.cards}
            self.version = message.to_version

    def _start_again(self, messages: list[CardsSnapshot | CardsChange]) -> None:
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
    assert bring_up_to_date(session, empty.id, 0) == [CardsSnapshot(0, 0, 1, [])]


def test_versions_and_readers_are_each_schools_own(session: Session) -> None:
    make_campus(session, "no2", students=1, first_id=50)
    assert list_versions(session) == {1: 3, 2: 1}
    assert sorted(readers_of(session, 2)) == [("no2", "gate-in"), ("no2", "gate-out")]


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
    st.tuples(st.integers(1, 3), st.sampled_from([*CardState])) | st.just("add") | st.just("ask"),
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(steps=_steps)
def test_a_reader_that_follows_has_the_schools_cards(
    new_school: Callable[[], Session], steps: list[tuple[int, CardState] | str]
) -> None:
    with new_school() as session:
        eager, lazy = ModelReader(), ModelReader()
        lazy.ask(session)
        for number, step in enumerate(steps):
            if step == "ask":
                eager.ask(session)
            elif isinstance(step, tuple):
                set_card_state(session, session.get_one(Card, step[0]), step[1], MORNING)
            else:
                add_card(session, 1, f"{number:08X}", MORNING)
        cards = {card.uid: card.state for card in session.scalars(select(Card))}
        for reader in (eager, lazy):
            reader.ask(session)
            assert reader.cards == cards
            assert reader.version == session.get_one(School, 1).cards_version

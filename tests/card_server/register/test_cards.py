"""Cards on both databases: whose they are, and a list whose versions have no gaps."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from card_server.errors import AppError, Code
from card_server.register.cards import add_card, bind_card, set_card_state
from card_server.storage.database import open_engine, open_sessions
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding, CardChange
from schema.tables.school import School
from tests.card_server.tapping import MORNING
from tests.harness.campus import make_campus, uid_of


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    made = open_sessions(engine)
    with made.begin() as session:
        make_campus(session)
    return made


def changes(sessions: sessionmaker[Session]) -> list[tuple[int, str, CardState]]:
    with sessions() as session:
        rows = session.scalars(select(CardChange).order_by(CardChange.version))
        return [(row.version, row.uid, row.state) for row in rows]


def test_a_new_card_is_the_next_version_of_the_list(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        add_card(session, 1, "DEADBEEF", MORNING)
    assert changes(sessions)[-1] == (4, "DEADBEEF", CardState.ACTIVE)
    with sessions() as session:
        assert session.get_one(School, 1).cards_version == 4


def test_a_number_that_the_school_has_is_refused(sessions: sessionmaker[Session]) -> None:
    with sessions() as session, pytest.raises(AppError, match="already") as caught:
        add_card(session, 1, uid_of(1), MORNING)
    assert caught.value.code is Code.CONFLICT


def test_a_state_counts_once_and_from_its_time(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        card = session.get_one(Card, 1)
        set_card_state(session, card, CardState.LOST, MORNING)
        set_card_state(session, card, CardState.LOST, MORNING + timedelta(hours=1))
        set_card_state(session, card, CardState.ACTIVE, MORNING + timedelta(hours=2))
    uid = uid_of(1)
    assert changes(sessions)[3:] == [(4, uid, CardState.LOST), (5, uid, CardState.ACTIVE)]
    with sessions() as session:
        assert session.get_one(Card, 1).state_since == MORNING + timedelta(hours=2)


def test_a_bound_card_is_not_bound_again(sessions: sessionmaker[Session]) -> None:
    with sessions() as session, pytest.raises(AppError, match="bound to a student") as caught:
        bind_card(session, session.get_one(Card, 1), 2, MORNING)
    assert caught.value.code is Code.CONFLICT


def test_a_card_that_was_given_back_may_be_bound(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.get_one(CardBinding, 1).unbound_at = MORNING
        session.flush()
        binding = bind_card(session, session.get_one(Card, 1), 2, MORNING)
        assert (binding.student_id, binding.unbound_at) == (2, None)


def test_changes_at_once_leave_no_gap_and_no_double_version(
    sessions: sessionmaker[Session],
) -> None:
    def work(person: int) -> None:
        for number in range(8):
            with sessions() as session:
                add_card(session, 1, f"{person:02X}{number:06X}", MORNING)
                if number % 4 == 3:
                    session.rollback()
                else:
                    session.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert [version for version, _, _ in changes(sessions)] == list(range(1, 3 + 4 * 6 + 1))


def test_two_people_who_bind_one_card_at_once_give_it_to_one_student(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        add_card(session, 1, "DEADBEEF", MORNING)

    def bind(student: int) -> bool:
        with sessions() as session:
            card = session.scalars(select(Card).where(Card.uid == "DEADBEEF")).one()
            try:
                bind_card(session, card, student, MORNING)
                session.commit()
            except (AppError, IntegrityError):
                return False
            return True

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(bind, [1, 2, 3])) == [False, False, True]

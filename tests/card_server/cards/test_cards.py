"""Each step of a card on both databases: what it changes, what it refuses, what it leaves."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM, Actor
from card_server.cards.cards import (
    Doing,
    blacklist_card,
    issue_card,
    lend_card,
    release_cards,
    release_cards_of_all,
    replace_card,
    report_found,
    report_lost,
    take_back,
)
from card_server.cards.expiry import expire_cards
from card_server.cards.stock import NewCard, stock_card, stock_cards
from card_server.errors import AppError, Code
from card_server.storage.database import open_sessions
from card_server.taps.directory import CardKey, Directory
from schema.messages import CardState
from schema.tables.audit import AuditEntry
from schema.tables.cards import Card, CardBinding, CardChange, CardHistory, CardKind, CardStep
from schema.tables.people import Student, StudentStatus
from schema.tables.school import School
from tests.card_server.tapping import MORNING
from tests.harness.campus import make_campus, uid_of

TEACHER = Actor("staff", 7, "王老师", "127.0.0.1")
BLANK = "04BBBBBBBBBBBB"
OTHER = "04CCCCCCCCCCCC"
HOUR = timedelta(hours=1)
Sessions = sessionmaker[Session]


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    """Three students with a card each, and two blank cards in stock (ids 4 and 5)."""
    made = open_sessions(engine)
    with made.begin() as session:
        make_campus(session)
        stock_cards(session, doing(), [NewCard(BLANK), NewCard(OTHER, "临时 1")])
    return made


def doing(after: timedelta = timedelta(0), reason: str = "") -> Doing:
    return Doing(TEACHER, 1, MORNING + after, reason)


def do(sessions: Sessions, step: Callable[..., Any], *arguments: Any, after: Any = None) -> Any:
    """One step in a transaction of its own."""
    with sessions.begin() as session:
        return step(session, doing(after or timedelta(0)), *arguments)


def refused(sessions: Sessions, step: Callable[..., Any], *arguments: Any) -> str:
    """The sentence with which a step was refused."""
    with sessions() as session, pytest.raises(AppError) as caught:
        step(session, doing(), *arguments)
    assert caught.value.code is Code.CONFLICT
    return caught.value.message


def states(sessions: Sessions) -> dict[str, CardState]:
    with sessions() as session:
        return {card.uid: card.state for card in session.scalars(select(Card))}


def owner(sessions: Sessions, uid: str, at: datetime) -> int | None:
    """Whose valid card it was, as ingest judges it."""
    key = CardKey(1, uid)
    with sessions() as session:
        facts = Directory().cards(session, [key])[key]
    holder = facts.holder_at(at) if facts else None
    return holder.student_id if holder else None


def test_a_card_in_stock_is_on_the_readers_list_as_nobodys(sessions: Sessions) -> None:
    with sessions() as session:
        newest = session.scalars(
            select(CardChange).order_by(CardChange.version.desc()).limit(2)
        ).all()
        version = session.get_one(School, 1).cards_version
    assert [(one.version, one.uid, one.state) for one in newest] == [
        (5, OTHER, CardState.RETURNED),
        (4, BLANK, CardState.RETURNED),
    ]
    assert version == 5


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (uid_of(1), Code.CONFLICT),
        (bytes.fromhex(uid_of(1))[::-1].hex(), Code.CONFLICT),
        ("08AABBCC", Code.INVALID),
        ("04AABB", Code.INVALID),
        ("04AABBCCDDEEFF00", Code.INVALID),
        ("x", Code.INVALID),
    ],
)
def test_a_number_that_no_new_card_can_have_is_refused(
    sessions: Sessions, number: str, code: Code
) -> None:
    with sessions() as session, pytest.raises(AppError) as caught:
        stock_card(session, doing(), number)
    assert caught.value.code is code


def test_a_number_is_taken_as_people_type_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assert stock_card(session, doing(), "04:de-ad be:ef:00:01").uid == "04DEADBEEF0001"


def test_a_second_card_is_refused_unless_the_school_allows_two(sessions: Sessions) -> None:
    assert "has a card already" in refused(sessions, issue_card, 4, 1)
    with sessions.begin() as session:
        session.get_one(School, 1).cards_per_student = 2
    do(sessions, issue_card, 4, 1)
    assert "has a card already" in refused(sessions, issue_card, 5, 1)


def test_a_card_that_somebody_has_is_given_to_nobody_else(sessions: Sessions) -> None:
    do(sessions, take_back, 1)
    assert "student's already" in refused(sessions, issue_card, 2, 1)


def test_a_student_who_is_not_at_the_school_gets_no_card(sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.get_one(Student, 1).status = StudentStatus.SUSPENDED
    assert "not at the school" in refused(sessions, lend_card, 4, 1)


def test_a_lost_and_found_card_was_nobodys_in_between(sessions: Sessions) -> None:
    uid = uid_of(1)
    do(sessions, report_lost, 1, after=HOUR)
    do(sessions, report_found, 1, after=3 * HOUR)
    moments = [MORNING, MORNING + HOUR, MORNING + 2 * HOUR, MORNING + 3 * HOUR]
    assert [owner(sessions, uid, at) for at in moments] == [1, None, None, 1]


def test_a_card_handed_in_was_nobodys_since_it_was_lost(sessions: Sessions) -> None:
    do(sessions, report_lost, 1, after=HOUR)
    do(sessions, take_back, 1, after=3 * HOUR)
    do(sessions, issue_card, 1, 1, after=4 * HOUR)
    moments = [MORNING, MORNING + 2 * HOUR, MORNING + 3.5 * HOUR, MORNING + 4 * HOUR]
    assert [owner(sessions, uid_of(1), at) for at in moments] == [1, None, None, 1]


def test_a_replaced_card_dies_at_once_and_for_good(sessions: Sessions) -> None:
    do(sessions, report_lost, 1)
    do(sessions, replace_card, 1, 4)
    assert states(sessions)[uid_of(1)] is CardState.BLACKLISTED
    assert owner(sessions, BLANK, MORNING) == 1
    assert "ended for good" in refused(sessions, report_found, 1)
    assert "ended for good" in refused(sessions, issue_card, 1, 2)
    with sessions() as session:
        newest = session.scalars(select(CardChange).order_by(CardChange.version.desc()).limit(2))
        assert [(one.uid, one.state) for one in newest] == [
            (BLANK, CardState.ACTIVE),
            (uid_of(1), CardState.BLACKLISTED),
        ]


def test_a_refused_replacement_leaves_the_old_card_as_it_was(sessions: Sessions) -> None:
    refused(sessions, replace_card, 1, 2)
    assert states(sessions)[uid_of(1)] is CardState.ACTIVE
    refused(sessions, replace_card, 4, 5)
    refused(sessions, replace_card, 1, 1)


def test_a_temporary_card_works_beside_the_own_one_until_midnight(sessions: Sessions) -> None:
    do(sessions, lend_card, 5, 1)
    midnight = datetime(2026, 9, 3, 16, tzinfo=UTC)
    assert owner(sessions, OTHER, midnight - timedelta(seconds=1)) == 1
    assert owner(sessions, OTHER, midnight) is None, "before the clock comes by"
    assert "for today already" in refused(sessions, lend_card, 4, 1)
    with sessions() as session:
        expire_cards(session, midnight - timedelta(seconds=1))
    assert states(sessions)[OTHER] is CardState.ACTIVE
    with sessions() as session:
        expire_cards(session, midnight + timedelta(minutes=1))
        expire_cards(session, midnight + timedelta(minutes=2))
    assert states(sessions)[OTHER] is CardState.EXPIRED
    with sessions() as session:
        ended = session.scalars(
            select(CardHistory).where(CardHistory.step == CardStep.EXPIRED)
        ).one()
        assert (ended.at, ended.student_id) == (midnight, 1)
    do(sessions, lend_card, 5, 2, after=20 * HOUR)
    assert owner(sessions, OTHER, MORNING + 20 * HOUR) == 2


def test_yesterdays_temporary_card_does_not_keep_a_student_from_todays(
    sessions: Sessions,
) -> None:
    do(sessions, lend_card, 5, 1)
    do(sessions, lend_card, 4, 1, after=20 * HOUR)
    assert states(sessions)[OTHER] is CardState.EXPIRED
    assert owner(sessions, OTHER, MORNING + HOUR) == 1
    assert owner(sessions, BLANK, MORNING + HOUR) is None


def test_yesterdays_temporary_card_is_lent_on_before_the_clock_comes_by(
    sessions: Sessions,
) -> None:
    do(sessions, lend_card, 5, 1)
    do(sessions, lend_card, 5, 2, after=20 * HOUR)
    assert owner(sessions, OTHER, MORNING + HOUR) == 1
    assert owner(sessions, OTHER, MORNING + 18 * HOUR) is None
    assert owner(sessions, OTHER, MORNING + 20 * HOUR) == 2


def test_a_found_card_does_not_work_beside_the_one_that_took_its_place(sessions: Sessions) -> None:
    do(sessions, report_lost, 1)
    do(sessions, issue_card, 4, 1)
    assert "has a card already" in refused(sessions, report_found, 1)


def test_the_cards_of_a_student_who_leaves_stop_and_wait_to_be_handed_in(
    sessions: Sessions,
) -> None:
    do(sessions, lend_card, 5, 1)
    with sessions.begin() as session:
        assert release_cards(session, TEACHER, 1, "转学", MORNING + HOUR) == 2
    with sessions.begin() as session:
        assert release_cards(session, TEACHER, 1, "转学", MORNING + HOUR) == 0
    assert states(sessions)[uid_of(1)] is CardState.EXPIRED
    assert owner(sessions, uid_of(1), MORNING + 0.5 * HOUR) == 1
    assert owner(sessions, uid_of(1), MORNING + HOUR) is None
    do(sessions, take_back, 1, after=2 * HOUR)
    assert states(sessions)[uid_of(1)] is CardState.RETURNED


def test_many_who_leave_together_take_as_few_statements_as_two(
    engine: Engine, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        others = make_campus(session, "no2", students=40, first_id=100)
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *_: asked.append(1))
    taken = []
    for leaving in (others.student_ids[:2], others.student_ids[2:]):
        asked.clear()
        with sessions.begin() as session:
            doing = Doing(TEACHER, others.school_id, MORNING + HOUR, "毕业")
            assert release_cards_of_all(session, doing, leaving) == len(leaving)
            session.flush()
            taken.append(len(asked))
    row_by_row = len(others.student_ids) - 4 if engine.dialect.name == "sqlite" else 0
    assert taken[1] - taken[0] <= row_by_row, "SQLite writes the history row by row"
    with sessions() as session:
        ours = Card.school_id == others.school_id
        assert set(session.scalars(select(Card.state).where(ours))) == {CardState.EXPIRED}
        told = CardChange.school_id == others.school_id
        versions = session.scalars(select(CardChange.version).where(told)).all()
        assert sorted(versions) == list(range(1, 81)), "each change is a version, without a gap"
        noted = select(AuditEntry).where(AuditEntry.action == "card.expired")
        assert len(session.scalars(noted).all()) == 40


def test_who_is_of_another_school_leaves_with_nobody(sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_campus(session, "no2", students=1, first_id=100)
    with pytest.raises(AppError) as caught, sessions.begin() as session:
        release_cards_of_all(session, doing(), [1, 100])
    assert caught.value.code is Code.NOT_FOUND
    assert states(sessions)[uid_of(1)] is CardState.ACTIVE


def test_each_step_is_noted_with_who_and_why(sessions: Sessions) -> None:
    with sessions.begin() as session:
        blacklist_card(session, doing(reason="芯片坏了"), 2)
    with sessions() as session:
        step = session.scalars(select(CardHistory).order_by(CardHistory.id.desc()).limit(1)).one()
        noted = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "card.blacklisted")
        ).one()
    assert (step.by, step.reason, step.student_id) == ("王老师", "芯片坏了", 2)
    assert noted.subject == "card:2"


def test_a_clock_that_went_back_does_not_turn_the_history_over(sessions: Sessions) -> None:
    do(sessions, report_lost, 1, after=HOUR)
    do(sessions, report_found, 1)
    with sessions() as session:
        steps = session.scalars(select(CardHistory).where(CardHistory.card_id == 1)).all()
    assert [one.at for one in steps] == [MORNING + HOUR, MORNING + HOUR]


def test_another_schools_card_and_student_do_not_exist(sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_campus(session, "no2", first_id=50)
    for step, arguments in ((report_lost, (50,)), (issue_card, (4, 50)), (issue_card, (50, 1))):
        with sessions() as session, pytest.raises(AppError) as caught:
            step(session, doing(), *arguments)
        assert caught.value.code is Code.NOT_FOUND


def test_two_people_who_give_one_card_at_once_give_it_to_one_student(sessions: Sessions) -> None:
    for card in (1, 2, 3):
        do(sessions, take_back, card)

    def give(student: int) -> bool:
        try:
            do(sessions, issue_card, 4, student)
        except (AppError, OperationalError):
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(give, [1, 2, 3])) == [False, False, True]


def test_two_people_who_give_one_student_two_cards_at_once_give_one(sessions: Sessions) -> None:
    do(sessions, take_back, 1)

    def give(card: int) -> bool:
        try:
            do(sessions, issue_card, card, 1)
        except (AppError, OperationalError):
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(give, [4, 5])) == [False, True]
    with sessions() as session:
        bound = session.scalars(
            select(CardBinding.card_id).where(
                CardBinding.student_id == 1, CardBinding.unbound_at.is_(None)
            )
        ).all()
    assert len(bound) == 1


def test_changes_at_once_leave_no_gap_and_no_double_version(sessions: Sessions) -> None:
    def work(person: int) -> None:
        for number in range(6):
            with sessions() as session:
                new = NewCard(f"1{person}{number:012X}", kind=CardKind.TEMPORARY)
                stock_cards(session, Doing(SYSTEM, 1, MORNING), [new])
                if number % 3 == 2:
                    session.rollback()
                else:
                    session.commit()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    with sessions() as session:
        versions = session.scalars(select(CardChange.version).order_by(CardChange.version)).all()
    assert list(versions) == list(range(1, 5 + 3 * 4 + 1))

"""The directory on both databases: right after every change, and quiet between changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from card_server.messages.wanted import read_wanted
from card_server.storage.database import open_sessions
from card_server.taps import directory as module
from card_server.taps.directory import CardFacts, CardKey, Directory, Holder, ReaderKey, Told
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding
from schema.tables.messages import MessageKind
from schema.tables.people import WANTED_AT_FIRST, Channel, Guardian, Guardianship, Language, Student
from schema.tables.readers import ByteOrder, Direction, Reader
from schema.tables.school import School
from tests.card_server.tapping import MORNING, Gate
from tests.harness.campus import LONG_AGO, make_campus, uid_of
from tests.harness.cards import add_card, bind_card, set_card_state

IN = ReaderKey("no1", "gate-in")
CARD = CardKey(1, uid_of(1))


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as opened:
        make_campus(opened)
        opened.commit()
        yield opened


@contextmanager
def queries(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent inside the block."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def test_a_reader_comes_with_its_school(session: Session) -> None:
    found = Directory().readers(session, [IN, ReaderKey("no1", "x"), ReaderKey("no9", "gate-in")])
    assert list(found) == [IN]
    reader = found[IN]
    assert (reader.code, reader.direction, reader.last) == ("gate-in", Direction.IN, None)
    school = reader.school
    assert (school.code, school.zone.key) == ("no1", "Asia/Shanghai")
    slots = {"student": "张三", "time": "07:31"}
    arrival = school.texts.write(MessageKind.ARRIVAL, Language.CHINESE, slots)
    assert arrival.body.startswith("【一中】")
    assert (school.late_after_minute, school.double_tap_s, school.stale_minutes) == (480, 60, 30)


def test_a_change_of_a_readers_byte_order_counts_from_the_next_batch_on(session: Session) -> None:
    directory = Directory()
    assert directory.readers(session, [IN])[IN].byte_order is ByteOrder.AS_SENT
    session.get_one(Reader, 1).byte_order = ByteOrder.REVERSED
    session.commit()
    assert directory.readers(session, [IN])[IN].byte_order is ByteOrder.REVERSED


def test_a_school_that_was_asked_for_has_an_id(session: Session) -> None:
    directory = Directory()
    assert directory.school_id("no1") is None
    directory.readers(session, [IN, ReaderKey("no9", "x")])
    assert (directory.school_id("no1"), directory.school_id("no9")) == (1, None)


def test_a_card_comes_with_its_holder_and_who_is_told(session: Session) -> None:
    session.get_one(Guardian, 2).language = Language.ENGLISH
    only_departures = Guardianship(
        student_id=1, guardian_id=2, relation="父亲", wanted="departure", channel=Channel.WECOM
    )
    session.add(only_departures)
    session.add(Guardianship(student_id=1, guardian_id=3, relation="祖母", is_told=False))
    session.flush()
    card = Directory().cards(session, [CARD])[CARD]
    assert card is not None
    told = (
        Told(1, Language.CHINESE, read_wanted(WANTED_AT_FIRST), Channel.SMS),
        Told(2, Language.ENGLISH, frozenset({MessageKind.DEPARTURE}), Channel.WECOM),
    )
    assert card.holders == (Holder(1, 1, "学一", told, LONG_AGO + timedelta(days=1), None),)


def test_an_unknown_card_and_another_schools_card_are_none(session: Session) -> None:
    unknown, foreign = CardKey(1, "DEADBEEF"), CardKey(2, uid_of(1))
    assert Directory().cards(session, [unknown, foreign]) == {unknown: None, foreign: None}


def test_a_card_of_nobody_has_no_holders(session: Session) -> None:
    add_card(session, 1, "DEADBEEF", MORNING)
    key = CardKey(1, "DEADBEEF")
    card = Directory().cards(session, [key])[key]
    assert card == CardFacts(CardState.ACTIVE, MORNING, ())


def test_a_card_that_changed_hands_has_a_holder_at_each_time(session: Session) -> None:
    session.get_one(CardBinding, 1).unbound_at = MORNING
    session.flush()
    bind_card(session, session.get_one(Card, 1), 2, MORNING)
    card = Directory().cards(session, [CARD])[CARD]
    assert card is not None
    moments = [LONG_AGO, MORNING - timedelta(microseconds=1), MORNING, MORNING.astimezone(UTC)]
    holders = [card.holder_at(moment) for moment in moments]
    assert [holder and holder.student_id for holder in holders] == [None, 1, 2, 2]


@pytest.mark.parametrize("state", [state for state in CardState if state is not CardState.ACTIVE])
def test_a_card_is_nobodys_from_the_moment_it_is_not_active(state: CardState) -> None:
    holder = Holder(1, 1, "学一", (), LONG_AGO, None)
    card = CardFacts(state, MORNING, (holder,))
    assert card.holder_at(MORNING - timedelta(seconds=1)) is holder
    assert card.holder_at(MORNING) is None


def test_what_is_known_costs_one_look_at_the_versions(engine: Engine, session: Session) -> None:
    directory = Directory()
    directory.readers(session, [IN])
    directory.cards(session, [CARD, CardKey(1, "DEADBEEF")])
    with queries(engine) as said:
        directory.readers(session, [IN])
        directory.cards(session, [CARD, CardKey(1, "DEADBEEF")])
    assert len(said) == 1
    assert "register_version" in said[0]


def test_a_change_is_seen_at_the_next_look(session: Session) -> None:
    directory = Directory()
    directory.readers(session, [IN])
    directory.cards(session, [CARD])
    set_card_state(session, session.get_one(Card, 1), CardState.LOST, MORNING)
    session.get_one(Student, 1).name = "学壹"
    session.get_one(School, 1).late_after = "07:15"
    session.commit()
    assert directory.readers(session, [IN])[IN].school.late_after_minute == 435
    card = directory.cards(session, [CARD])[CARD]
    assert card is not None
    assert (card.state, card.holders[0].name) == (CardState.LOST, "学壹")


def test_an_unknown_card_that_is_added_is_known_at_the_next_look(session: Session) -> None:
    directory, key = Directory(), CardKey(1, "DEADBEEF")
    directory.readers(session, [IN])
    assert directory.cards(session, [key])[key] is None
    add_card(session, 1, "DEADBEEF", MORNING)
    session.commit()
    directory.readers(session, [IN])
    assert directory.cards(session, [key])[key] is not None


def test_another_schools_change_forgets_nothing_here(engine: Engine, session: Session) -> None:
    make_campus(session, "no2", first_id=50)
    other = ReaderKey("no2", "gate-in")
    directory = Directory()
    before = directory.readers(session, [IN, other])
    directory.cards(session, [CARD])
    session.get_one(Student, 50).name = "x"
    session.commit()
    after = directory.readers(session, [IN, other])
    assert after[IN] is before[IN]
    assert after[other] is not before[other]
    with queries(engine) as said:
        directory.cards(session, [CARD])
    assert said == []


def test_a_stranger_among_the_readers_does_not_touch_the_others(session: Session) -> None:
    directory = Directory()
    known = directory.readers(session, [IN])[IN]
    assert directory.readers(session, [IN, ReaderKey("no1", "stranger")])[IN] is known


def test_a_storm_of_invented_numbers_does_not_fill_the_memory(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_CARDS", 10)
    directory = Directory()
    for number in range(100):
        asked = [CARD, CardKey(1, f"{number:08X}")]
        found = directory.cards(session, asked)
        assert [found[key] is None for key in asked] == [False, True]
        assert len(directory._cards) <= 10


def test_a_reader_knows_its_newest_tap_from_the_database(engine: Engine) -> None:
    gate = Gate(open_sessions(engine))
    gate.record([gate.tap(seq=9, boot=1), gate.tap(60, 2, seq=2, boot=3), gate.tap(90, 3, seq=1)])
    with gate.sessions() as session:
        last = Directory().readers(session, [IN])[IN].last
    assert last == (3, 2, MORNING + timedelta(seconds=60))

"""What gates are told of exits: a real reader follows, whatever it had, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor
from card_server.leave import slips
from card_server.leave.exit_lists import ExitLists, as_read, version_of
from card_server.leave.exits import Exits, read_exits
from card_server.register.version import touch_register
from card_server.school_time import day_of
from card_server.storage.database import open_engine
from card_server.taps.directory import Directory, ReaderKey
from reader_daemon.exits import ExitList
from schema.messages import (
    CARDS_PER_PART,
    CardState,
    ExitPermits,
    ExitsMessage,
    ExitsSnapshot,
    HeldCards,
    Permit,
    ReaderState,
    Status,
    Window,
)
from schema.tables.attendance import AttendanceRules
from schema.tables.cards import Card
from schema.tables.leave import LeaveState
from schema.tables.people import Student
from schema.tables.readers import ByteOrder, Direction, Purpose, Reader
from schema.tables.school import Homeroom
from tests.harness.campus import make_campus, uid_of
from tests.harness.cards import set_card_state
from tests.harness.lessons import add_lessons, add_slip, hold_exits

ZONE = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    """The daemon's part has the machine's clock."""
    return datetime.now(UTC)


@pytest.fixture
def session(database_url: str, now: datetime) -> Iterator[Session]:
    engine = open_engine(database_url)
    with Session(engine) as opened:
        make_campus(opened)
        hold_exits(opened, 1, day_of(now, ZONE))
        add_lessons(opened, 1, day_of(now, ZONE))
        yield opened
    engine.dispose()


class Gate:
    """A reader's own list, and the server's part that serves it."""

    def __init__(self, path: Path, session: Session, code: str = "gate-out") -> None:
        self.list = ExitList(path / f"{code}.json")
        self._session = session
        self._code = code
        self._lists = ExitLists()
        self._directory = Directory()

    def ask(self, now: datetime, state: ReaderState = ReaderState.ONLINE) -> list[ExitsMessage]:
        """Say how it is, and take the answer in."""
        status = Status(state, 1, now, exits_version=self.list.exits.version)
        return self.take(self.answer(status, now))

    def answer(self, status: Status, now: datetime) -> list[ExitsMessage]:
        self._session.flush()
        key = ReaderKey("no1", self._code)
        reader = self._directory.readers(self._session, {key})[key]
        return self._lists.answer(self._session, reader, status, now)

    def hear(self, now: datetime) -> list[ExitsMessage]:
        """What the server says by itself."""
        self._session.flush()
        told = list(self._lists.changed(self._session, now))
        return self.take([one for to in told if to.reader == self._code for one in to.messages])

    def take(self, messages: list[ExitsMessage]) -> list[ExitsMessage]:
        for message in messages:
            self.list.apply(message)
        return messages

    def held(self, now: datetime, students: int = 3) -> list[int]:
        return [one for one in range(1, students + 1) if self.list.holds(uid_of(one), now)]


@pytest.fixture
def gate(tmp_path: Path, session: Session) -> Gate:
    return Gate(tmp_path, session)


def test_a_reader_that_knows_nothing_gets_the_whole_list_and_then_the_permits_alone(
    session: Session, gate: Gate, now: datetime
) -> None:
    add_slip(session, 1, 2, now - HOUR, now + HOUR)
    assert [type(one) for one in gate.ask(now)] == [ExitPermits, ExitsSnapshot]
    assert gate.held(now) == [1, 3]
    assert [type(one) for one in gate.ask(now)] == [ExitPermits]
    assert gate.held(now) == [1, 3]


def test_a_slip_opens_the_gate_and_its_withdrawal_closes_it(
    session: Session, gate: Gate, now: datetime
) -> None:
    gate.ask(now)
    assert gate.hear(now) == []
    slip = add_slip(session, 1, 2, now - HOUR, now + HOUR)
    assert [type(one) for one in gate.hear(now)] == [ExitPermits]
    assert gate.held(now) == [1, 3]
    assert gate.hear(now) == []
    slip.state = LeaveState.WITHDRAWN
    touch_register(session, {1})
    gate.hear(now)
    assert gate.held(now) == [1, 2, 3]


@pytest.mark.parametrize(
    ("asked", "approved", "held"),
    [
        (True, None, [1, 3]),
        (True, False, [1, 2, 3]),
        (False, True, [1, 3]),
        (False, None, [1, 2, 3]),
    ],
)
def test_the_gate_does_what_was_approved_and_not_what_was_asked(
    session: Session,
    gate: Gate,
    now: datetime,
    asked: bool,
    approved: bool | None,
    held: list[int],
) -> None:
    gate.ask(now)
    slip = add_slip(session, 1, 2, now - HOUR, now + HOUR, LeaveState.ASKED, lets_out=asked)
    session.flush()
    assert gate.hear(now) == []
    doing = slips.Doing(Actor("staff", 1, "班老师", ""), 1, ZONE, now)
    slips.approve(session, doing, slip.id, lets_out=approved)
    gate.hear(now)
    assert gate.held(now) == held


def test_who_was_away_asks_and_has_what_the_others_have(
    session: Session, gate: Gate, now: datetime
) -> None:
    gate.ask(now)
    add_slip(session, 1, 2, now - HOUR, now + HOUR)
    room = Homeroom(school_id=1, grade=9, name="九(1)班")
    session.add(room)
    session.flush()
    session.get_one(Student, 3).homeroom_id = room.id
    add_lessons(session, 1, day_of(now, ZONE), (), grades="9")
    gate.ask(now)
    assert gate.held(now) == [1]


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_school_that_holds_no_exits_any_more_lets_everybody_out(
    session: Session, gate: Gate, now: datetime, by_itself: bool
) -> None:
    gate.ask(now)
    gate.hear(now)
    session.execute(update(AttendanceRules).values(holds_exits=False))
    touch_register(session, {1})
    messages = gate.hear(now) if by_itself else gate.ask(now)
    assert isinstance(messages[-1], ExitsSnapshot)
    assert gate.held(now) == []
    assert gate.ask(now) == []


@pytest.mark.parametrize(
    ("purpose", "direction"),
    [(Purpose.GATE, Direction.IN), (Purpose.GATE, None), (Purpose.DESK, Direction.OUT)],
)
def test_only_a_gate_that_leads_out_holds_anybody(
    session: Session, gate: Gate, now: datetime, purpose: Purpose, direction: Direction | None
) -> None:
    gate.ask(now)
    reader = session.get_one(Reader, 2)
    reader.purpose, reader.direction = purpose, direction
    gate.ask(now)
    assert gate.held(now) == []
    assert gate.ask(now) == []
    add_slip(session, 1, 2, now - HOUR, now + HOUR)
    assert gate.hear(now) == []


def test_a_reader_of_an_older_contract_hears_nothing_of_exits(gate: Gate, now: datetime) -> None:
    assert gate.answer(Status(ReaderState.ONLINE, 1, now), now) == []


def test_a_last_will_is_not_answered(gate: Gate, now: datetime) -> None:
    assert gate.ask(now, ReaderState.OFFLINE) == []


def test_a_new_day_is_another_list(gate: Gate, now: datetime) -> None:
    gate.ask(now)
    before = gate.list.exits.version
    gate.ask(now + timedelta(days=1))
    assert gate.list.exits.version != before


def test_numbers_go_out_as_the_reader_reads_them(
    session: Session, tmp_path: Path, now: datetime
) -> None:
    room = Homeroom(school_id=1, grade=9, name="九(1)班")
    session.add(room)
    session.flush()
    session.get_one(Student, 3).homeroom_id = room.id
    add_slip(session, 1, 2, now - HOUR, now + HOUR)
    session.get_one(Reader, 2).byte_order = ByteOrder.REVERSED
    gate = Gate(tmp_path, session)
    add_lessons(session, 1, day_of(now, ZONE), (), grades="9")
    gate.ask(now)
    turned = [bytes.fromhex(uid_of(one))[::-1].hex().upper() for one in (1, 2, 3)]
    assert [gate.list.holds(uid, now) for uid in turned] == [True, False, False]


def test_a_lost_card_changes_no_list_that_does_not_name_it(
    session: Session, gate: Gate, now: datetime
) -> None:
    gate.ask(now)
    gate.hear(now)
    set_card_state(session, session.get_one(Card, 1), CardState.LOST, now)
    assert gate.hear(now) == []


def test_exits_are_read_once_for_all_readers_until_something_changes(
    session: Session, gate: Gate, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []

    def counted(opened: Session, school_id: int, zone: ZoneInfo, moment: datetime) -> Exits:
        reads.append(school_id)
        return read_exits(opened, school_id, zone, moment)

    monkeypatch.setattr("card_server.leave.exit_lists.read_exits", counted)
    for _ in range(5):
        gate.ask(now)
        gate.hear(now)
    assert reads == [1]
    touch_register(session, {1})
    gate.ask(now)
    assert reads == [1, 1]


def test_a_large_school_fits_into_parts(
    tmp_path: Path, session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = Window(now - HOUR, now + HOUR)
    uids = [uid_of(number) for number in range(1, 3_001)]
    exits = Exits(
        (window,),
        (HeldCards([], uids[:700]), HeldCards([window, window], uids[700:1_499])),
        tuple(Permit(uid, now - HOUR, now + HOUR) for uid in uids[2_000:3_000]),
    )
    monkeypatch.setattr("card_server.leave.exit_lists.read_exits", lambda *_: exits)
    gate = Gate(tmp_path, session)
    messages = gate.ask(now)
    cards = [
        sum(len(group.cards) for group in one.held)
        for one in messages
        if isinstance(one, ExitsSnapshot)
    ]
    assert sum(cards) == 1_499
    assert max(cards) <= CARDS_PER_PART
    assert len([one for one in messages if isinstance(one, ExitPermits)]) == 2
    assert gate.held(now, 3_000) == [*range(701, 2_001)]


def test_a_version_names_what_the_list_says_and_nothing_else(now: datetime) -> None:
    window = Window(now, now + HOUR)
    exits = Exits((window,), (HeldCards([], [uid_of(1)]),))
    permitted = Exits(exits.others, exits.held, (Permit(uid_of(1), now, now + HOUR),))
    assert version_of(exits) == version_of(permitted)
    assert version_of(exits) != version_of(as_read(exits, ByteOrder.REVERSED))
    assert version_of(exits) != version_of(Exits((window,)))
    assert version_of(Exits()) == ""

"""The kept sums of what messages cost are those of the messages, whatever happens to them."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.audit.writing import Actor
from card_server.errors import AppError
from card_server.messages.costs import PAID, Moved, keep_costs
from card_server.messages.receipts import take_report
from card_server.messages.resending import decide, resend
from card_server.messages.states import MOVES
from card_server.sending.choosing import Carriers
from card_server.sending.claiming import LEASE, Claim, claim_due, give_up_lost
from card_server.sending.looking_up import LookUp, settle, take_unclear
from card_server.sending.outcomes import Outcome, Tried, record
from card_server.webhooks.outbox import MessageKey
from integrations.sms.console import ConsoleCarrier
from integrations.sms.protocol import Fate, Report
from schema.tables.message_costs import MessageCostDay
from schema.tables.messages import Message, MessageCount, MessageKind, MessageState
from schema.tables.people import Student
from schema.tables.school import Homeroom, School
from tests.harness.message_costs import added_up_costs, kept_costs
from tests.harness.outbox import queue

State = MessageState
NOW = datetime(2026, 9, 1, 1, tzinfo=UTC)
WHO = Actor("staff", 1, "王老师", "")
KINDS = (MessageKind.ARRIVAL, MessageKind.NOTICE)
_FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
_MANY = settings(_FEW, max_examples=1000)


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_a_message_costs_while_a_carrier_has_it_or_may_have_it(before: State, after: State) -> None:
    moved = Moved(1, uuid7(), before, after, NOW.date(), 1, MessageKind.ARRIVAL, 1, 45)
    costs = {State.ACCEPTED, State.DELIVERED, State.UNDELIVERED, State.UNKNOWN}
    assert moved.sign == (after in costs) - (before in costs)


def test_what_costs_is_taken_by_no_notifier() -> None:
    """Its day, homeroom and price may not change while it stands in a sum."""
    assert not any(State.SENDING in MOVES[state] for state in PAID)


class World:
    """Three messages about one student, and all that may happen to them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        queue(engine, 3)
        with Session(engine) as session, session.begin():
            school_id = session.scalars(select(School.id)).one()
            session.add(Homeroom(school_id=school_id, grade=8, name="八(1)班"))
        with engine.connect() as connection:
            found = connection.execute(select(Message.__table__)).mappings()
            self._messages = [dict(row) for row in found]
        for place, row in enumerate(self._messages):
            row |= {"kind": KINDS[place % 2], "body": "x" * 100 * place}
            row |= {"created_at": NOW, "due_at": NOW, "expires_at": NOW + timedelta(days=2)}

    def begin_anew(self) -> None:
        """As if nothing had happened yet."""
        self._now = NOW
        self._claims: list[Claim] = []
        self._look_ups: list[LookUp] = []
        with self._engine.begin() as connection:
            for table in (Message, MessageCostDay, MessageCount):
                connection.execute(delete(table))
            connection.execute(insert(Message), self._messages)

    def claim(self, _chance: random.Random) -> None:
        carriers = Carriers([ConsoleCarrier()], lambda: self._now)
        with self._engine.begin() as connection:
            self._claims += claim_due(connection, carriers, self._now, 2).claims

    def record(self, chance: random.Random) -> None:
        """What became of some tries, late perhaps and more than once."""
        some = chance.sample(self._claims, chance.randint(0, len(self._claims)))
        with self._engine.begin() as connection:
            record(connection, [Tried(one, _any_outcome(chance)) for one in some], self._now)

    def lose(self, _chance: random.Random) -> None:
        """A notifier has died."""
        self._now += LEASE + timedelta(seconds=1)
        with self._engine.begin() as connection:
            give_up_lost(connection, self._now)

    def ask(self, chance: random.Random) -> None:
        """A carrier answers at once, or has not yet."""
        self._now += timedelta(minutes=2)
        with self._engine.begin() as connection:
            self._look_ups = take_unclear(connection, self._now, 2) + self._look_ups[:2]
        if chance.random() < 0.8:
            self.answer(chance)

    def answer(self, chance: random.Random) -> None:
        """What became of a message about which a carrier was asked."""
        if self._look_ups:
            report = Report(chance.choice(list(Fate)))
            with self._engine.begin() as connection:
                settle(connection, chance.choice(self._look_ups), report, self._now)

    def report(self, chance: random.Random) -> None:
        """A receipt."""
        state = chance.choice((State.ACCEPTED, State.DELIVERED, State.UNDELIVERED))
        key = chance.choice(self._keys())
        reference = f"{key.school_id}-{key.id.hex}"
        with Session(self._engine) as session, session.begin():
            take_report(session, "console", "", reference, state, "", False, self._now)

    def decide(self, chance: random.Random) -> None:
        key, has_arrived = chance.choice(self._keys()), chance.random() < 0.5
        with suppress(AppError), Session(self._engine) as session, session.begin():
            decide(session, WHO, key, "电话", self._now, has_arrived=has_arrived)

    def resend(self, chance: random.Random) -> None:
        key = chance.choice(self._keys())
        with suppress(AppError), Session(self._engine) as session, session.begin():
            resend(session, WHO, key, "电话", self._now, although_stale=True)

    def move(self, chance: random.Random) -> None:
        """The student comes into a homeroom."""
        with self._engine.begin() as connection:
            rooms = connection.scalars(select(Homeroom.id).order_by(Homeroom.id)).all()
            connection.execute(update(Student).values(homeroom_id=chance.choice(rooms)))

    def travel(self, chance: random.Random) -> None:
        """Somebody sets right in which zone the school is."""
        zone = chance.choice(("Asia/Shanghai", "Pacific/Auckland", "America/Los_Angeles"))
        with self._engine.begin() as connection:
            connection.execute(update(School).values(zone=zone))

    def sleep(self, _chance: random.Random) -> None:
        self._now += timedelta(hours=11)

    def _keys(self) -> list[MessageKey]:
        with self._engine.connect() as connection:
            wanted = select(Message.school_id, Message.id).order_by(Message.id)
            return [MessageKey(*row) for row in connection.execute(wanted)]


def _any_outcome(chance: random.Random) -> Outcome:
    state = chance.choice((State.ACCEPTED, State.QUEUED, State.FAILED, State.UNKNOWN))
    return Outcome(state, NOW if state is State.QUEUED else None)


Step = Callable[[World, random.Random], None]
_OFTEN: Final = (World.claim, World.claim, World.record, World.record, World.ask, World.ask)
_AT_TIMES: Final = (World.lose, World.answer, World.report, World.decide, World.resend)
_SELDOM: Final = (World.move, World.travel, World.sleep)
_STEPS: Final = st.lists(st.sampled_from((*_OFTEN, *_AT_TIMES, *_SELDOM)), max_size=40)


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


def live(world: World, steps: list[Step], seed: int, engine: Engine) -> None:
    """After each of these the sums are right."""
    world.begin_anew()
    chance = random.Random(seed)
    for step in steps:
        step(world, chance)
        assert kept_costs(engine) == added_up_costs(engine), step.__name__


@_FEW
@given(steps=_STEPS, seed=st.integers(0, 2**32))
def test_whatever_happens_the_sums_are_those_of_the_messages(
    world: World, engine: Engine, steps: list[Step], seed: int
) -> None:
    live(world, steps, seed, engine)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@_MANY
@given(steps=_STEPS, seed=st.integers(0, 2**32))
def test_whatever_happens_a_thousand_times(
    world: World, engine: Engine, steps: list[Step], seed: int
) -> None:
    live(world, steps, seed, engine)


def test_what_its_carrier_never_had_costs_nothing_any_more(world: World, engine: Engine) -> None:
    world.begin_anew()
    chance = random.Random(0)
    world.claim(chance)
    world.lose(chance)
    assert sum(one.messages for one in kept_costs(engine)) == 2
    now = NOW + timedelta(hours=1)
    with engine.begin() as connection:
        for one in take_unclear(connection, now, 2):
            settle(connection, one, Report(Fate.ABSENT), now)
    assert kept_costs(engine) == []


def test_several_at_once_lose_nothing_and_wait_for_each_other_in_one_order(
    engine: Engine, world: World
) -> None:
    """Half of them give the rows backwards."""
    world.begin_anew()
    with engine.connect() as connection:
        school_id = connection.scalars(select(School.id)).one()
    moved = [
        Moved(school_id, uuid7(), State.SENDING, State.ACCEPTED, NOW.date(), room, kind, 2, 90)
        for room in range(1, 9)
        for kind in KINDS
    ]
    begun, failed = Barrier(4), list[Exception]()

    def work(place: int) -> None:
        begun.wait()
        for _ in range(25):
            try:
                with engine.begin() as connection:
                    keep_costs(connection, moved[:: 1 - 2 * (place % 2)])
            except Exception as error:
                failed.append(error)

    threads = [Thread(target=work, args=(place,)) for place in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    assert [one[3:] for one in kept_costs(engine)] == [(100, 200, 9000)] * 16

"""Several carriers in order: the next one only after a sure no, and never two for one message."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from card_server.sending.choosing import Carriers
from integrations.sms.protocol import SendError
from schema.messages import utc_now
from schema.tables.messages import CarrierHealth, Message, MessageRules, MessageState
from tests.harness import aliyun_server as aliyun
from tests.harness import sms_server as twilio
from tests.harness.lines import Line, to_aliyun, to_twilio
from tests.harness.outbox import (
    all_are,
    alter,
    approve_texts,
    messages,
    number,
    queue,
    set_due,
    states,
    wait_for_idle_rounds,
    working,
)
from tests.harness.waiting import wait_for

State = MessageState


class Clock:
    """The carriers' clock, which a test moves."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Two(NamedTuple):
    """Aliyun first, then Twilio."""

    carriers: Carriers
    first: Line
    second: Line
    clock: Clock


@pytest.fixture
def two() -> Iterator[Two]:
    with ExitStack() as stack:
        first, second = (stack.enter_context(connect(15)) for connect in (to_aliyun, to_twilio))
        clock = Clock()
        yield Two(Carriers([first.carrier, second.carrier], clock), first, second, clock)


def the_message(engine: Engine) -> Message:
    [message] = messages(engine)
    return message


@pytest.mark.parametrize(
    "answer",
    [
        aliyun.refuse("SignatureDoesNotMatch", 400),
        aliyun.refuse("Throttling.User", 429, {"Retry-After": "77"}),
        aliyun.refuse("isv.OUT_OF_SERVICE"),
        aliyun.refuse("isv.BUSINESS_LIMIT_CONTROL"),
        aliyun.refuse("isv.SMS_TEMPLATE_ILLEGAL"),
    ],
    ids=["temporary", "too many", "quota", "quota of the number", "template"],
)
def test_after_a_sure_no_the_second_has_it_at_once(engine: Engine, two: Two, answer: Any) -> None:
    queue(engine)
    approve_texts(engine, "aliyun")
    two.first.server.answer_with(answer)
    with working(engine, two.carriers):
        wait_for(all_are(engine, State.ACCEPTED))
        wait_for_idle_rounds(engine)
    message = the_message(engine)
    assert (message.provider, message.attempts, message.error) == ("twilio", 2, None)
    assert (len(two.first.sent()), len(two.second.sent())) == (1, 1)


def test_a_first_that_is_not_there_leaves_all_to_the_second(engine: Engine, two: Two) -> None:
    queue(engine, 5)
    approve_texts(engine, "aliyun")
    with to_aliyun(15) as gone:
        carriers = Carriers([gone.carrier, two.second.carrier], two.clock)
    with working(engine, carriers):
        wait_for(all_are(engine, State.ACCEPTED))
    assert Counter(two.second.sent()) == Counter(number(place) for place in range(5))


def test_a_first_without_an_approved_text_is_not_even_asked(engine: Engine, two: Two) -> None:
    queue(engine)
    with working(engine, two.carriers):
        wait_for(all_are(engine, State.ACCEPTED))
    assert (two.first.sent(), len(two.second.sent())) == ([], 1)


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (aliyun.cut, State.UNKNOWN),
        (aliyun.reply_with({}, 500), State.UNKNOWN),
        (aliyun.refuse("isp.SYSTEM_ERROR"), State.UNKNOWN),
        (aliyun.refuse("isv.MOBILE_NUMBER_ILLEGAL"), State.FAILED),
        (aliyun.refuse("isv.SMS_CONTENT_ILLEGAL"), State.FAILED),
    ],
    ids=["cut", "500", "failed within", "bad number", "forbidden text"],
)
def test_the_second_never_gets_what_the_first_may_have_or_will_never_take(
    engine: Engine, two: Two, answer: Any, ended: MessageState
) -> None:
    queue(engine)
    approve_texts(engine, "aliyun")
    two.first.server.answer_with(answer)
    with working(engine, two.carriers):
        wait_for(all_are(engine, ended))
        wait_for_idle_rounds(engine)
    assert (len(two.first.sent()), two.second.sent()) == (1, [])


def test_what_may_be_at_the_second_is_asked_for_there(engine: Engine, two: Two) -> None:
    queue(engine)
    approve_texts(engine, "aliyun")
    two.first.server.answer_with(aliyun.refuse("isv.OUT_OF_SERVICE"))
    two.second.server.answer_with(twilio.take_and_cut)
    with working(engine, two.carriers):
        wait_for(all_are(engine, State.UNKNOWN))
        alter(engine, look_up_at=utc_now(), tried_at=utc_now() - timedelta(minutes=3))
        wait_for(all_are(engine, State.ACCEPTED))
    assert (len(two.first.sent()), len(two.second.sent())) == (1, 1)
    assert the_message(engine).provider == "twilio"


def test_when_all_refuse_the_message_waits_and_begins_again_with_the_first(
    engine: Engine, two: Two
) -> None:
    queue(engine)
    approve_texts(engine, "aliyun")
    two.first.server.answer_with(aliyun.refuse("isv.OUT_OF_SERVICE"))
    two.second.server.answer_with(twilio.refuse(400, 30002))
    with working(engine, two.carriers):
        wait_for(lambda: the_message(engine).attempts == 2)
        wait_for(all_are(engine, State.QUEUED))
        message = the_message(engine)
        assert message.due_at > message.changed_at + timedelta(seconds=1)
        assert message.refused_by == ""
        alter(engine, due_at=utc_now())
        wait_for(all_are(engine, State.ACCEPTED))
    assert (len(two.first.sent()), len(two.second.sent())) == (2, 1)
    assert the_message(engine).provider == "aliyun"


def test_a_carrier_that_fails_again_and_again_is_passed_over_and_tried_by_one_message(
    engine: Engine, two: Two
) -> None:
    one_after_the_other = Outbox(engine, two, 12)
    broken = aliyun.refuse("isv.OUT_OF_SERVICE")
    two.first.server.answers_to.update(
        {number(place).removeprefix("+86"): broken for place in range(9)}
    )
    with working(engine, two.carriers):
        for _ in range(6):
            one_after_the_other.send()
        assert (len(two.first.sent()), len(two.second.sent())) == (3, 6)
        [health, _] = one_after_the_other.health()
        assert (health.name, health.tried, health.failed) == ("aliyun", 3, 3)
        since = two.clock.now
        assert health.passed_over_since == since
        assert health.passed_over_until == since + timedelta(seconds=15)
        assert health.last_error.startswith("Aliyun isv.OUT_OF_SERVICE: ")

        two.clock.go(16)
        one_after_the_other.send()
        assert (len(two.first.sent()), len(two.second.sent())) == (4, 7)
        two.clock.go(16)  # after a trial in vain it rests twice as long
        one_after_the_other.send(2)
        assert (len(two.first.sent()), len(two.second.sent())) == (4, 9)

        assert one_after_the_other.health()[0].passed_over_since == since
        two.clock.go(15)
        one_after_the_other.send()
        assert (len(two.first.sent()), len(two.second.sent())) == (5, 9)
        one_after_the_other.send()
        two.clock.go(6)  # what pages show is written every five seconds
        one_after_the_other.send()
    assert (len(two.first.sent()), len(two.second.sent())) == (7, 9)
    [health, second] = one_after_the_other.health()
    assert (health.tried, health.failed) == (7, 4)
    assert (health.passed_over_since, health.passed_over_until) == (None, None)
    assert health.last_taken_at == two.clock.now
    assert (second.tried, second.failed) == (9, 0)
    assert {one.provider_id for one in messages(engine)} != {None}


def test_numbers_that_had_their_messages_do_not_keep_the_carrier_from_others(
    engine: Engine, two: Two
) -> None:
    queue(engine, 8)
    approve_texts(engine, "aliyun")
    full = aliyun.refuse("isv.BUSINESS_LIMIT_CONTROL")
    two.first.server.answers_to.update(
        {number(place).removeprefix("+86"): full for place in range(5)}
    )
    with working(engine, two.carriers):
        wait_for(all_are(engine, State.ACCEPTED))
    assert Counter(two.second.sent()) == Counter(number(place) for place in range(5))
    assert len(two.first.sent()) == 8
    [first, _] = two.carriers.states()
    assert (first.failed, first.passed_over_since) == (0, None)


def test_a_message_that_waits_for_one_that_rests_begins_again_with_the_first(
    engine: Engine, two: Two
) -> None:
    queue(engine)
    approve_texts(engine, "aliyun")
    for _ in range(3):
        two.carriers.note_failed("twilio", SendError("down"))
    two.first.server.answer_with(aliyun.refuse("isv.OUT_OF_SERVICE"))
    with working(engine, two.carriers):
        wait_for(lambda: the_message(engine).attempts == 1)
        wait_for(all_are(engine, State.QUEUED))
        message = the_message(engine)
        assert message.refused_by == ""
        assert message.due_at > message.changed_at + timedelta(seconds=1)
        alter(engine, due_at=utc_now())
        wait_for(all_are(engine, State.ACCEPTED))
    assert (len(two.first.sent()), two.second.sent()) == (2, [])


@pytest.mark.parametrize("refused_by", ["aliyun", "aliyun long-gone"])
def test_what_waited_for_a_carrier_that_is_used_no_more_goes_to_whoever_is_left(
    engine: Engine, two: Two, refused_by: str
) -> None:
    queue(engine)
    approve_texts(engine, "aliyun")
    alter(engine, refused_by=refused_by)
    with working(engine, Carriers([two.first.carrier], two.clock)):
        wait_for(lambda: the_message(engine).refused_by == "")
        message = the_message(engine)
        assert message.error is None
        assert message.due_at <= message.changed_at + timedelta(seconds=5)
        alter(engine, due_at=utc_now())
        wait_for(all_are(engine, State.ACCEPTED))


class Outbox:
    """Messages that wait for a test to let them go, in the order of their numbers."""

    def __init__(self, engine: Engine, two: Two, count: int) -> None:
        self._engine = engine
        self._ids = queue(engine, count)
        self._two = two
        alter(engine, due_at=utc_now() + timedelta(minutes=20))
        approve_texts(engine, "aliyun")
        self._sent = 0

    def send(self, count: int = 1) -> None:
        """Let as many go, and wait until they have gone."""
        for id_ in self._ids[self._sent : self._sent + count]:
            set_due(self._engine, id_, utc_now())
        self._sent += count
        wait_for(lambda: states(self._engine)[State.ACCEPTED] == self._sent)

    def health(self) -> list[CarrierHealth]:
        """As pages see it."""
        with Session(self._engine) as session:
            return list(session.scalars(select(CarrierHealth).order_by(CarrierHealth.name)))


def test_while_the_only_carrier_rests_messages_wait_and_then_one_tries_it(
    engine: Engine, two: Two
) -> None:
    queue(engine, 40)
    with engine.begin() as connection:
        connection.execute(update(MessageRules).values(per_student=1000))
    alone = Carriers([two.second.carrier], two.clock)
    two.second.server.always = twilio.refuse(429, 20429, {"Retry-After": "60"})
    with working(engine, alone):
        wait_for(lambda: alone.states()[0].tried >= 32)
        wait_for(all_are(engine, State.QUEUED))
        asked = len(two.second.sent())
        alter(engine, due_at=utc_now())
        wait_for(lambda: min(one.due_at for one in messages(engine)) > utc_now())
        assert len(two.second.sent()) == asked < 40

        two.clock.go(61)
        alter(engine, due_at=utc_now())
        wait_for(lambda: len(two.second.sent()) == asked + 1)
        wait_for(lambda: min(one.due_at for one in messages(engine)) > utc_now())
        assert len(two.second.sent()) == asked + 1

        two.second.server.always = twilio.accept
        two.clock.go(61)
        while states(engine)[State.ACCEPTED] < 40:
            alter(engine, due_at=utc_now())  # what waits for the carrier need not wait in a test
            wait_for_idle_rounds(engine)
    assert Counter(one.to for one in two.second.server.kept) == Counter(map(number, range(40)))


def test_one_accepted_message_ends_the_carriers_trouble(engine: Engine, two: Two) -> None:
    queue(engine, 3)
    alone = Carriers([two.second.carrier], two.clock)
    two.second.server.answer_with(*[twilio.refuse(401, 20003)] * 3)
    with working(engine, alone):
        wait_for(alone.trouble)
        wait_for(all_are(engine, State.QUEUED))
        two.clock.go(16)
        while states(engine)[State.ACCEPTED] < 3:
            alter(engine, due_at=utc_now())
            wait_for_idle_rounds(engine)
        assert alone.trouble() is None

"""A notifier that is killed at any step: no number ever gets a text twice, and none is lost."""

import base64
import random
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from schema.messages import utc_now
from schema.tables.messages import Message, MessageRules, MessageState
from tests.harness.mortal_notifier import ANY, LOOK_UP_STEPS, STEPS, Nursery
from tests.harness.outbox import KEY, all_are, messages, number, queue
from tests.harness.sms_server import (
    Answer,
    SmsServer,
    accept,
    cut,
    refuse,
    stall,
    take_and_cut,
    take_and_stall,
)
from tests.harness.waiting import wait_for

State = MessageState
LONG_AGO = timedelta(minutes=3)
"""Since then Twilio's list shows what it took."""
KILLS = 3
"""In one random run."""
ANSWERS = (accept, accept, accept, take_and_cut, cut, refuse(500, 20500), refuse(503, 20503))


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("kills") / "notifier.log") as running:
        yield running


@pytest.fixture
def server() -> Iterator[SmsServer]:
    with SmsServer() as running:
        yield running


@pytest.fixture
def settings(database_url: str, server: SmsServer) -> dict[str, str]:
    """A notifier's."""
    return {
        "database_url": database_url,
        "data_key": base64.b64encode(KEY).decode(),
        "web_secret": "x" * 32,
        "notify_health_port": "0",
        **server.settings(),
    }


def restart_and_finish(
    engine: Engine, nursery: Nursery, settings: dict[str, str], server: SmsServer
) -> None:
    """A new notifier settles all that the dead one left, with a carrier that accepts."""
    server.released.set()
    server.always = accept
    let_time_pass(engine)
    heir = nursery.begin(settings)
    wait_for(all_are(engine, State.ACCEPTED), 30)
    assert heir.end(signal.SIGTERM) == 0, nursery.log.read_text()


def let_time_pass(engine: Engine) -> None:
    """As if leases had run out, and the next tries and look-ups were due."""
    now = utc_now()
    with engine.begin() as connection:
        for state, values in {
            State.SENDING: {"lease_until": now - timedelta(seconds=1), "tried_at": now - LONG_AGO},
            State.UNKNOWN: {"look_up_at": now, "tried_at": now - LONG_AGO},
            State.QUEUED: {"due_at": now},
        }.items():
            connection.execute(update(Message).where(Message.state == state).values(**values))


def assert_one_text_each(engine: Engine, server: SmsServer, count: int) -> None:
    """Every number has its text once, and its row says which one that is."""
    kept = {one.to: one.sid for one in server.kept}
    assert Counter(one.to for one in server.kept) == Counter(map(number, range(count)))
    found = {f"text {place}": kept[number(place)] for place in range(count)}
    assert {one.body: one.provider_id for one in messages(engine)} == found


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step_of_a_send_no_text_goes_out_twice(
    engine: Engine, server: SmsServer, nursery: Nursery, settings: dict[str, str], step: str
) -> None:
    queue(engine, 5)
    doomed = nursery.begin(settings, step)
    wait_for(doomed.has_ended, 30)
    assert doomed.end(signal.SIGTERM) == -signal.SIGKILL
    before = Counter(asked.to for asked in server.asked)
    assert set(before.values()) <= {1}
    if step == "claiming":
        assert {one.state for one in messages(engine)} == {State.QUEUED}
    else:
        assert {one.state for one in messages(engine)} <= {State.SENDING, State.ACCEPTED}
    restart_and_finish(engine, nursery, settings, server)
    assert Counter(asked.to for asked in server.asked) == Counter(map(number, range(5)))
    assert_one_text_each(engine, server, 5)


@pytest.mark.parametrize(("answer", "requests"), [(take_and_stall, 1), (stall, 2)])
def test_killed_while_several_wait_for_their_answer(
    engine: Engine,
    server: SmsServer,
    nursery: Nursery,
    settings: dict[str, str],
    answer: Answer,
    requests: int,
) -> None:
    queue(engine, 5)
    server.always = answer
    doomed = nursery.begin(settings)
    wait_for(lambda: len(server.asked) == 5, 30)
    assert doomed.end(signal.SIGKILL) == -signal.SIGKILL
    restart_and_finish(engine, nursery, settings, server)
    asked = Counter(asked.to for asked in server.asked)
    assert asked == Counter({number(place): requests for place in range(5)})
    assert_one_text_each(engine, server, 5)


def test_killed_while_the_record_waits_for_the_row(
    engine: Engine, server: SmsServer, nursery: Nursery, settings: dict[str, str]
) -> None:
    queue(engine)
    server.always = take_and_cut_when_released
    doomed = nursery.begin(settings)
    wait_for(lambda: server.asked, 30)
    with engine.begin() as connection:
        connection.execute(update(Message).values(body="text 0"))  # holds the row, or SQLite
        server.released.set()
        wait_for(lambda: server.kept, 30)
        assert doomed.end(signal.SIGKILL) == -signal.SIGKILL
    assert messages(engine)[0].state is State.SENDING
    restart_and_finish(engine, nursery, settings, server)
    assert len(server.asked) == 1
    assert_one_text_each(engine, server, 1)


def take_and_cut_when_released(handler: object) -> None:
    """Holds the request, so that the test holds the row before the answer is there."""
    handler.server.sms.released.wait(60)  # type: ignore[attr-defined]
    accept(handler)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", LOOK_UP_STEPS)
@pytest.mark.parametrize(("answer", "requests"), [(take_and_cut, 1), (cut, 2)])
def test_killed_in_a_look_up_what_is_there_is_not_sent_again(
    engine: Engine,
    server: SmsServer,
    nursery: Nursery,
    settings: dict[str, str],
    step: str,
    answer: Answer,
    requests: int,
) -> None:
    queue(engine, 3)
    server.always = answer
    doomed = nursery.begin(settings, step)
    wait_for(all_are(engine, State.UNKNOWN), 30)
    server.always = accept
    let_time_pass(engine)
    wait_for(doomed.has_ended, 30)
    assert doomed.end(signal.SIGTERM) == -signal.SIGKILL
    restart_and_finish(engine, nursery, settings, server)
    asked = Counter(asked.to for asked in server.asked)
    assert asked == Counter({number(place): requests for place in range(3)})
    assert_one_text_each(engine, server, 3)


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_no_text_goes_out_twice(
    engine: Engine, server: SmsServer, nursery: Nursery, settings: dict[str, str], seed: int
) -> None:
    _kill_at_random(engine, server, nursery, settings, seed)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(4, 54))
def test_killed_at_random_three_hundred_times_no_text_goes_out_twice(
    engine: Engine, server: SmsServer, nursery: Nursery, settings: dict[str, str], seed: int
) -> None:
    _kill_at_random(engine, server, nursery, settings, seed)


def _kill_at_random(
    engine: Engine, server: SmsServer, nursery: Nursery, settings: dict[str, str], seed: int
) -> None:
    """One after the other dies at some step; nobody knows what the carrier answers."""
    dice, count = random.Random(seed), 8
    queue(engine, count)
    with engine.begin() as connection:
        connection.execute(update(MessageRules).values(per_student=1000))
    answers = random.Random(seed)
    server.always = lambda handler: answers.choice(ANSWERS)(handler)  # noqa: PLW0108 - each anew
    for _ in range(KILLS):
        doomed = nursery.begin(settings, ANY, dice.randint(1, 30))
        wait_for(lambda doomed=doomed: doomed.has_ended() or _rests(engine), 30)  # type: ignore[misc]
        assert doomed.end(signal.SIGKILL) == -signal.SIGKILL, nursery.log.read_text()
        let_time_pass(engine)
    restart_and_finish(engine, nursery, settings, server)
    assert_one_text_each(engine, server, count)


def _rests(engine: Engine) -> bool:
    """Whether a notifier has nothing to do for now."""
    now = utc_now()
    return not any(
        one.state is State.SENDING
        or (one.state is State.QUEUED and one.due_at <= now)
        or (one.state is State.UNKNOWN and one.look_up_at and one.look_up_at <= now)
        for one in messages(engine)
    )

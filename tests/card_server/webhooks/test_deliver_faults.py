"""Notifiers that are killed or doubled, and receivers that are dead: no event is lost or stuck."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from card_server.storage.database import open_engine
from schema.tables.webhooks import DeliveryState, WebhookDelivery
from tests.harness.hooks import (
    add_events,
    add_webhook,
    deliveries,
    delivering_on,
    expire_leases,
    notify_process,
    states,
    wait_for_state,
    webhook,
)
from tests.harness.ports import free_port
from tests.harness.receiver import Receiver, answer, stall
from tests.harness.waiting import wait_for

State = DeliveryState


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def test_a_notifier_killed_before_the_answer_sends_again_under_the_same_id(
    database_url: str, engine: Engine, receiver: Receiver, tmp_path: Path
) -> None:
    hook = add_webhook(engine, receiver.url)
    first, second = add_events(engine, hook, 2)
    receiver.answer_with(stall)
    process = notify_process(database_url, tmp_path / "notifier.log")
    with process:
        wait_for(lambda: receiver.came, 30, "the first event")
        process.kill()
        receiver.released.set()
        assert states(engine) == {State.WAITING: 2}
        expire_leases(engine)
        process.start()
        wait_for_state(engine, State.DELIVERED)
        assert process.stop() == 0, process.output
    assert receiver.ids == [first, first, second]
    one, again, _ = receiver.came
    assert one.body == again.body
    assert receiver.url not in process.output


def test_two_notifiers_on_postgresql_send_each_event_once_and_in_order(
    postgres_url: str, tmp_path: Path
) -> None:
    engine = open_engine(postgres_url)
    receivers = [Receiver() for _ in range(4)]
    one = notify_process(postgres_url, tmp_path / "one.log")
    two = notify_process(postgres_url, tmp_path / "two.log")
    with receivers[0], receivers[1], receivers[2], receivers[3]:
        hooks = [add_webhook(engine, receiver.url) for receiver in receivers]
        ids: list[list[str]] = [[] for _ in hooks]

        def both_take_part() -> bool:
            """Whether each has sent something; more to do, until they have."""
            for hook, known in zip(hooks, ids, strict=True):
                known.extend(add_events(engine, hook, 10))
            return all("webhook tried" in process.output for process in (one, two))

        with one, two:
            wait_for(both_take_part, 60, "both notifiers", each_s=0.5)
            wait_for(lambda: not states(engine)[State.WAITING], 60, "all events")
            assert (one.stop(), two.stop()) == (0, 0), one.output + two.output
    assert [receiver.ids for receiver in receivers] == ids
    engine.dispose()


def test_ten_thousand_events_for_a_dead_receiver_do_not_stop_a_live_one(
    engine: Engine, receiver: Receiver
) -> None:
    dead = add_webhook(engine, f"http://127.0.0.1:{free_port()}/")
    add_events(engine, dead, 10_000)
    live = add_webhook(engine, receiver.url)
    ids = add_events(engine, live, 100)
    with delivering_on(engine):
        wait_for(lambda: receiver.ids == ids, 20, "the live one's events")
        wait_for(lambda: webhook(engine, dead).failures, 20, "the dead one's try")
        wait_for_state(engine, State.DELIVERED, live)
    with engine.connect() as connection:
        waiting = connection.scalar(
            select(func.count())
            .select_from(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == dead, WebhookDelivery.state == State.WAITING)
        )
        tried = connection.scalar(
            select(func.sum(WebhookDelivery.attempts)).where(WebhookDelivery.webhook_id == dead)
        )
    assert waiting == 10_000
    assert tried == webhook(engine, dead).failures


def test_more_stalling_receivers_than_threads_hold_a_live_one_up_but_for_a_while(
    engine: Engine, receiver: Receiver
) -> None:
    receiver.always = stall
    for _ in range(10):
        add_events(engine, add_webhook(engine, receiver.url), 5)
    with Receiver() as quick, delivering_on(engine):
        wait_for(lambda: len(receiver.came) >= 8)
        live = add_webhook(engine, quick.url)
        ids = add_events(engine, live, 5)
        wait_for(lambda: quick.ids == ids, 10, "the live one's events")


def test_nothing_is_lost_while_a_receiver_fails_now_and_then(
    engine: Engine, receiver: Receiver
) -> None:
    hook = add_webhook(engine, receiver.url)
    ids = add_events(engine, hook, 20)
    receiver.answer_with(*[answer(204)] * 5, answer(500), *[answer(204)] * 7, answer(503))
    with delivering_on(engine):
        wait_for_state(engine, State.DELIVERED)
    assert Counter(receiver.ids) == Counter(ids) + Counter([ids[5], ids[12]])
    assert list(dict.fromkeys(receiver.ids)) == ids
    assert {one.attempts for one in deliveries(engine)} == {1, 2}

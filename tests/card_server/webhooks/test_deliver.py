"""Deliveries against both databases and real receivers: what follows each answer."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from card_server.webhooks import queue
from card_server.webhooks.post import Rules
from schema.messages import utc_now
from schema.tables.audit import AuditEntry
from schema.tables.school import School
from schema.tables.webhooks import DeliveryState, Trouble
from tests.harness.hooks import (
    SECRET,
    add_events,
    add_webhook,
    alter_event,
    alter_webhook,
    deliveries,
    delivering_on,
    make_due,
    states,
    wait_for_state,
    webhook,
)
from tests.harness.receiver import Receiver, Reply, answer, cut, stall
from tests.harness.waiting import wait_for

State = DeliveryState


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def test_events_come_once_in_order_and_signed(engine: Engine, receiver: Receiver) -> None:
    hook = add_webhook(engine, receiver.url)
    ids = add_events(engine, hook, 120)
    with delivering_on(engine):
        wait_for_state(engine, State.DELIVERED)
    assert receiver.ids == ids
    assert [one.body for one in receiver.came[:2]] == [b'{"number":0}', b'{"number":1}']
    first = receiver.came[0]
    signed = f"{first.id}.{first.headers['webhook-timestamp']}.".encode() + first.body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert first.headers["webhook-signature"] == f"v1,{expected}"
    [row, *_] = deliveries(engine)
    assert (row.attempts, row.status, row.trouble) == (1, 204, None)
    wait_for(lambda: webhook(engine, hook).lease is None)


@pytest.mark.parametrize(
    ("reply", "status", "trouble"),
    [
        (answer(500), 500, Trouble.ANSWER),
        (answer(404), 404, Trouble.ANSWER),
        (answer(302, b"", {"Location": "/other"}), 302, Trouble.REDIRECT),
        (cut, None, Trouble.CONNECTION),
        (stall, None, Trouble.SLOW),
    ],
)
def test_what_was_not_taken_is_tried_again_with_the_same_id_and_in_order(
    engine: Engine,
    receiver: Receiver,
    reply: Reply,
    status: int | None,
    trouble: Trouble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nothing comes due by itself: what follows the failure is looked at for as long as it takes.
    monkeypatch.setattr(queue, "_back_off_s", lambda *_: 3600.0)
    hook = add_webhook(engine, receiver.url)
    first, second = add_events(engine, hook, 2)
    receiver.answer_with(reply)
    with delivering_on(engine):
        wait_for(lambda: webhook(engine, hook).failures == 1)
        row, other = deliveries(engine)
        assert (row.state, row.attempts) == (State.WAITING, 1)
        assert (row.status, row.trouble) == (status, trouble)
        assert (other.attempts, webhook(engine, hook).resume_at > utc_now()) == (0, True)
        make_due(engine, hook)
        wait_for_state(engine, State.DELIVERED)
    assert receiver.ids == [first, first, second]
    assert webhook(engine, hook).failures == 0


def test_410_disables_the_webhook_and_says_so(engine: Engine, receiver: Receiver) -> None:
    hook = add_webhook(engine, receiver.url)
    add_events(engine, hook, 2)
    receiver.always = answer(410)
    before = register_version(engine)
    with delivering_on(engine):
        wait_for(lambda: webhook(engine, hook).disabled_at)
    assert [one.state for one in deliveries(engine)] == [State.FAILED, State.WAITING]
    assert (len(receiver.came), webhook(engine, hook).is_gone) == (1, True)
    with engine.connect() as connection:
        actions = connection.scalars(select(AuditEntry.action)).all()
    assert actions == ["webhook.gone"]
    assert register_version(engine) == before + 1


def register_version(engine: Engine) -> int:
    """What ingest compares to learn that a webhook is gone."""
    with engine.connect() as connection:
        return connection.scalars(select(School.register_version)).one()


def test_after_a_day_an_event_has_failed(engine: Engine, receiver: Receiver) -> None:
    hook = add_webhook(engine, receiver.url)
    [tried, never] = add_events(engine, hook, 2)
    alter_event(engine, tried, give_up_at=utc_now() + timedelta(seconds=1))
    receiver.always = answer(500)
    with delivering_on(engine):
        wait_for(lambda: deliveries(engine)[0].state is State.FAILED)
        alter_event(engine, never, give_up_at=utc_now())
        wait_for_state(engine, State.FAILED)
    assert [one.trouble for one in deliveries(engine)] == [Trouble.ANSWER, Trouble.TIME_OVER]


def test_a_disabled_webhook_gets_nothing_and_what_waits_fails_in_its_time(
    engine: Engine, receiver: Receiver
) -> None:
    hook = add_webhook(engine, receiver.url)
    old, young = add_events(engine, hook, 2)
    alter_webhook(engine, hook, disabled_at=utc_now())
    alter_event(engine, old, give_up_at=utc_now())
    with delivering_on(engine):
        wait_for(lambda: states(engine) == {State.FAILED: 1, State.WAITING: 1})
        assert receiver.came == []
        alter_webhook(engine, hook, disabled_at=None)
        wait_for(lambda: receiver.ids == [young])


def test_one_stalling_receiver_does_not_hold_up_another(engine: Engine, receiver: Receiver) -> None:
    slow = add_webhook(engine, receiver.url)
    receiver.always = stall
    with Receiver() as quick:
        live = add_webhook(engine, quick.url)
        add_events(engine, slow, 50)
        with delivering_on(engine, Rules(allow_private=True)):
            wait_for(lambda: receiver.came)
            add_events(engine, live, 20)
            wait_for_state(engine, State.DELIVERED, live)
            assert len(receiver.came) == 1
            receiver.released.set()


def test_no_transaction_is_open_while_a_receiver_is_asked(
    engine: Engine, receiver: Receiver
) -> None:
    hook = add_webhook(engine, receiver.url)
    add_events(engine, hook)
    receiver.always = stall
    with delivering_on(engine, Rules(allow_private=True)):
        wait_for(lambda: receiver.came)
        with engine.begin() as connection:  # on SQLite an open one would make this wait
            connection.execute(update(School).values(name="其他"))
        receiver.released.set()


def test_an_event_that_a_receiver_chokes_on_lets_the_others_by_after_a_minute(
    engine: Engine, receiver: Receiver
) -> None:
    hook = add_webhook(engine, receiver.url)
    poison, *others = add_events(engine, hook, 3)
    alter_event(engine, poison, attempts=8)
    alter_webhook(engine, hook, failures=8)
    receiver.answer_with(answer(500))
    with delivering_on(engine):
        wait_for(lambda: receiver.ids == [poison])
        wait_for(lambda: webhook(engine, hook).failures == 9)
        alter_webhook(engine, hook, resume_at=utc_now())
        wait_for(lambda: receiver.ids == [poison, *others])
    assert deliveries(engine)[0].due_at > utc_now() + timedelta(minutes=3)


def test_a_private_address_is_refused_without_the_setting(
    engine: Engine, receiver: Receiver
) -> None:
    inside = add_webhook(engine, receiver.url)
    hidden = add_webhook(engine, f"https://public.example:{receiver.port}/")
    add_events(engine, inside)
    add_events(engine, hidden)
    rules = Rules(resolve=lambda *_: ["127.0.0.1"])
    with delivering_on(engine, rules):
        wait_for(lambda: webhook(engine, inside).failures and webhook(engine, hidden).failures)
    assert {one.trouble for one in deliveries(engine)} == {Trouble.PRIVATE}
    assert receiver.came == []


def test_a_lease_that_ran_out_is_taken_over_and_a_living_one_is_not(
    engine: Engine, receiver: Receiver
) -> None:
    hook = add_webhook(engine, receiver.url)
    add_events(engine, hook)
    alter_webhook(engine, hook, lease_until=utc_now() + timedelta(minutes=1))
    with Receiver() as other, delivering_on(engine):
        beside = add_webhook(engine, other.url)
        add_events(engine, beside)
        wait_for(lambda: other.came)
        assert receiver.came == []
        alter_webhook(engine, hook, lease_until=utc_now() - timedelta(seconds=1))
        make_due(engine, hook)
        wait_for(lambda: receiver.came)

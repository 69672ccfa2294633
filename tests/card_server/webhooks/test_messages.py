"""The notifier tells webhooks what became of each message, in the transaction that records it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from schema.messages import utc_now
from schema.tables.messages import MessageState
from tests.harness.hooks import add_webhook, deliveries
from tests.harness.outbox import all_are, alter, messages, notifying, queue
from tests.harness.sms_server import SmsServer, accept, cut, refuse
from tests.harness.waiting import wait_for

State = MessageState


@pytest.fixture
def server() -> Iterator[SmsServer]:
    with SmsServer() as running:
        yield running


def told(engine: Engine) -> list[dict[str, Any]]:
    return [json.loads(one.body)["data"] for one in deliveries(engine)]


@pytest.mark.parametrize(
    ("answer", "state"),
    [(accept, State.ACCEPTED), (refuse(400, 21614), State.FAILED), (cut, State.UNKNOWN)],
)
def test_each_outcome_is_told_once(
    engine: Engine, server: SmsServer, answer: Any, state: MessageState
) -> None:
    queue(engine)
    add_webhook(engine, "https://hooks.example/", "message", code="s1")
    server.always = answer
    with notifying(engine, server):
        wait_for(all_are(engine, state))
    [event], [message] = told(engine), messages(engine)
    assert (event["state"], event["message_id"]) == (state, str(message.id))
    assert event["student"]["number"] == "1"


def test_a_message_that_goes_back_to_the_queue_is_no_news(
    engine: Engine, server: SmsServer
) -> None:
    queue(engine)
    add_webhook(engine, "https://hooks.example/", "message", code="s1")
    server.answer_with(refuse(401, 20003))
    with notifying(engine, server):
        wait_for(lambda: messages(engine)[0].error)
        assert told(engine) == []
        alter(engine, due_at=utc_now())
        wait_for(all_are(engine, State.ACCEPTED))
    assert [event["state"] for event in told(engine)] == ["accepted"]


def test_a_message_whose_notifier_died_is_told_as_unknown(
    engine: Engine, server: SmsServer
) -> None:
    queue(engine, 2)
    add_webhook(engine, "https://hooks.example/", "message", code="s1")
    alter(engine, state=State.SENDING, attempts=1, lease_until=utc_now() - timedelta(seconds=1))
    with notifying(engine, server):
        wait_for(all_are(engine, State.UNKNOWN))
    assert [event["state"] for event in told(engine)] == ["unknown", "unknown"]

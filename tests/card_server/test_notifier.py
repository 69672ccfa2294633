"""The notifier against both databases and a server in Twilio's place: what follows each answer."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, update

from card_server.storage.sealing import Seal
from schema.messages import utc_now
from schema.tables.messages import MessageState, Suppression
from schema.tables.people import Guardian
from schema.tables.school import School
from tests.harness.outbox import (
    KEY,
    all_are,
    alter,
    messages,
    notifying,
    number,
    queue,
    set_due,
    states,
    wait_for_idle_rounds,
)
from tests.harness.sms_server import (
    SmsServer,
    accept_when_released,
    cut,
    refuse,
    stall,
)
from tests.harness.waiting import wait_for

State = MessageState


@pytest.fixture
def server() -> Iterator[SmsServer]:
    with SmsServer() as running:
        yield running


def test_a_due_message_is_sent_once_to_the_guardians_number_of_now(
    engine: Engine, server: SmsServer
) -> None:
    queue(engine)
    changed = "+8613900001234"
    with engine.begin() as connection:
        connection.execute(update(Guardian).values(phone_sealed=Seal(KEY).close(changed)))
    with notifying(engine, server):
        wait_for(all_are(engine, State.ACCEPTED))
    [message], [asked] = messages(engine), server.asked
    assert (asked.to, asked.text) == (changed, "text 0")
    assert 1700 < int(asked.fields["ValidityPeriod"]) <= 1800
    assert (message.provider, message.provider_id) == ("twilio", "SM" + "0" * 31 + "1")
    assert (message.attempts, message.lease_until, message.error) == (1, None, None)


def test_no_transaction_is_open_while_the_carrier_is_called(
    engine: Engine, server: SmsServer
) -> None:
    queue(engine)
    server.always = stall
    with notifying(engine, server):
        wait_for(lambda: server.asked)
        with engine.begin() as connection:  # on SQLite an open one would make this wait
            connection.execute(update(School).values(name="其他"))
        assert states(engine) == {State.SENDING: 1}
        server.released.set()
    assert states(engine) == {State.UNKNOWN: 1}


def test_what_expired_is_never_sent(engine: Engine, server: SmsServer) -> None:
    queue(engine, 3, valid=timedelta(seconds=-1))
    with notifying(engine, server):
        wait_for(all_are(engine, State.SUPPRESSED))
    assert {message.suppression for message in messages(engine)} == {Suppression.STALE}
    assert server.asked == []


def test_what_is_not_due_waits(engine: Engine, server: SmsServer) -> None:
    later, _ = queue(engine, 2)
    set_due(engine, later, utc_now() + timedelta(hours=1))
    with notifying(engine, server):
        wait_for(lambda: states(engine)[State.ACCEPTED])
    assert [message.state for message in messages(engine)] == [State.QUEUED, State.ACCEPTED]
    assert len(server.asked) == 1


def test_too_many_requests_come_back_when_the_carrier_said(
    engine: Engine, server: SmsServer
) -> None:
    queue(engine)
    server.answer_with(refuse(429, 20429, {"Retry-After": "1"}))
    with notifying(engine, server):
        wait_for(all_are(engine, State.ACCEPTED))
    [message] = messages(engine)
    assert message.attempts == 2
    assert message.error is None
    assert len(server.asked) == 2


def test_a_temporary_failure_is_queued_again_with_its_reason(
    engine: Engine, server: SmsServer
) -> None:
    queue(engine)
    server.always = refuse(401, 20003)
    with notifying(engine, server):
        wait_for(lambda: server.asked and states(engine)[State.QUEUED])
    [message] = messages(engine)
    assert message.error == "Twilio 20003: Twilio does not accept the account or its token."
    assert message.due_at > message.changed_at + timedelta(seconds=2)
    assert message.lease_until is None


def test_a_message_that_cannot_go_out_in_its_time_ends_as_stale_with_its_reason(
    engine: Engine, server: SmsServer
) -> None:
    queue(engine, valid=timedelta(seconds=2))
    server.always = refuse(401, 20003)
    with notifying(engine, server):
        wait_for(all_are(engine, State.SUPPRESSED))
    [message] = messages(engine)
    assert message.suppression is Suppression.STALE
    assert message.error
    assert message.error.startswith("Twilio 20003")


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (refuse(400, 21614), State.FAILED),
        (refuse(400, 29999), State.FAILED),
        (refuse(500, 20500), State.UNKNOWN),
        (cut, State.UNKNOWN),
        (stall, State.UNKNOWN),
    ],
)
def test_a_final_answer_is_never_followed_by_another_try(
    engine: Engine, server: SmsServer, answer: Callable[..., None], ended: MessageState
) -> None:
    queue(engine)
    server.always = answer
    with notifying(engine, server, timeout_s=0.5):
        wait_for(all_are(engine, ended))
        wait_for_idle_rounds(engine)
    [message] = messages(engine)
    assert message.error
    assert number(0)[-8:] not in message.error
    assert len(server.asked) == 1


def test_a_claim_whose_notifier_died_ends_unknown_unsent(engine: Engine, server: SmsServer) -> None:
    queue(engine)
    alter(engine, state=State.SENDING, attempts=1, lease_until=utc_now() - timedelta(seconds=1))
    with notifying(engine, server):
        wait_for(all_are(engine, State.UNKNOWN))
    assert server.asked == []
    [message] = messages(engine)
    assert message.error
    assert "may have been accepted" in message.error


def test_a_living_claim_is_left_alone(engine: Engine, server: SmsServer) -> None:
    queue(engine)
    alter(engine, state=State.SENDING, attempts=1, lease_until=utc_now() + timedelta(minutes=1))
    with notifying(engine, server):
        wait_for_idle_rounds(engine)
    assert states(engine) == {State.SENDING: 1}
    assert server.asked == []


def test_news_that_comes_after_the_lease_still_counts(engine: Engine, server: SmsServer) -> None:
    queue(engine)
    server.always = accept_when_released
    with notifying(engine, server, timeout_s=20):
        wait_for(lambda: server.asked)
        alter(engine, lease_until=utc_now() - timedelta(seconds=1))
        wait_for(all_are(engine, State.UNKNOWN))
        server.released.set()
        wait_for(all_are(engine, State.ACCEPTED))
    assert len(server.asked) == 1


def test_a_number_sealed_with_another_key_waits_and_is_named_at_ready(
    engine: Engine, server: SmsServer
) -> None:
    queue(engine, 3)
    with engine.begin() as connection:
        connection.execute(update(Guardian).values(phone_sealed=Seal(bytes(32)).close("+8610")))
    with notifying(engine, server) as notifier:
        trouble = wait_for(notifier.carriers.trouble)
        wait_for(all_are(engine, State.QUEUED))
    assert trouble
    assert "data_key" in trouble
    assert server.asked == []


def test_looking_for_work_reads_only_the_small_indexes(engine: Engine, server: SmsServer) -> None:
    queue(engine)
    looks: dict[str, object] = {}

    def keep(
        _connection: object, _cursor: object, statement: str, values: object, *_: object
    ) -> None:
        if "min(message.due_at)" in statement:
            looks[statement] = values

    event.listen(engine, "before_cursor_execute", keep)
    with notifying(engine, server):
        wait_for(lambda: looks)
    [(statement, values)] = looks.items()
    sqlite = engine.dialect.name == "sqlite"
    with engine.begin() as connection:
        if not sqlite:  # a few rows are read faster without any index
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", values).all())  # type: ignore[arg-type]
    assert "ix_message_due_at" in plan
    assert "ix_message_lease_until" in plan

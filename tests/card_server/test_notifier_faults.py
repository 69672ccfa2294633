"""Notifiers that are killed, doubled or cut off from the database: never two sends of a row."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text, update
from sqlalchemy.exc import OperationalError

from card_server import notifier
from card_server.errors import AppError, Code
from card_server.notifier import THREADS, run
from card_server.storage.database import open_engine
from schema.messages import utc_now
from schema.tables.messages import Message, MessageState
from tests.harness.outbox import (
    all_are,
    alter,
    messages,
    notifying,
    number,
    process_for,
    queue,
    set_due,
    settings_for,
)
from tests.harness.postgres import Postgres
from tests.harness.sms_server import (
    SmsServer,
    accept,
    accept_when_released,
    stall,
)
from tests.harness.waiting import wait_for

State = MessageState


@pytest.fixture
def server() -> Iterator[SmsServer]:
    with SmsServer() as running:
        yield running


@pytest.mark.parametrize("answer", [stall, accept])
def test_a_notifier_killed_in_mid_send_never_sends_again(
    database_url: str,
    engine: Engine,
    server: SmsServer,
    tmp_path: Path,
    answer: Callable[..., None],
) -> None:
    _, later = queue(engine, 2)
    set_due(engine, later, utc_now() + timedelta(hours=1))
    server.always = answer
    process = process_for(database_url, server, tmp_path / "notifier.log")
    with process:
        wait_for(lambda: server.asked, 30, "the first message")
        process.kill()
        server.released.set()
        server.always = accept
        expire_leases(engine)
        process.start()
        set_due(engine, later, utc_now())
        wait_for(all_are(engine, State.UNKNOWN, State.ACCEPTED), 30)
        assert process.stop() == 0, process.output
    assert Counter(asked.to for asked in server.asked) == {number(0): 1, number(1): 1}
    assert messages(engine)[1].state is State.ACCEPTED
    assert number(0)[-11:] not in process.output
    assert number(1)[-11:] not in process.output
    assert "张" not in process.output


def test_two_notifiers_on_postgresql_send_each_message_exactly_once(
    postgres_url: str, server: SmsServer, tmp_path: Path
) -> None:
    engine = open_engine(postgres_url)
    queue(engine, 200)
    alter(engine, due_at=utc_now() + timedelta(minutes=5))
    server.always = accept_when_released
    one = process_for(postgres_url, server, tmp_path / "one.log")
    two = process_for(postgres_url, server, tmp_path / "two.log")
    with one, two:
        wait_for(lambda: how_many_work(engine) == 2, 60)
        alter(engine, due_at=utc_now())
        wait_for(lambda: len(server.asked) > THREADS, 60)  # more than one of them takes at once
        server.released.set()
        wait_for(all_are(engine, State.ACCEPTED), 60)
        assert (one.stop(), two.stop()) == (0, 0), one.output + two.output
    assert Counter(asked.to for asked in server.asked) == Counter(map(number, range(200)))
    assert "message tried" in one.output
    assert "message tried" in two.output
    engine.dispose()


def test_a_second_notifier_on_sqlite_says_why_it_does_not_start(
    sqlite_url: str, server: SmsServer, tmp_path: Path
) -> None:
    engine = open_engine(sqlite_url)
    queue(engine)
    with process_for(sqlite_url, server, tmp_path / "first.log"):
        wait_for(all_are(engine, State.ACCEPTED), 30)
        with pytest.raises(AppError, match="SQLite") as caught:
            run(settings_for(sqlite_url, server), threading.Event())
    assert caught.value.code is Code.CONFLICT
    engine.dispose()


def test_the_database_may_go_away_and_come_back_without_a_second_send(server: SmsServer) -> None:
    with Postgres() as cluster:
        url = cluster.create_database()
        engine = open_engine(url)
        Message.metadata.create_all(engine)
        queue(engine, 40)
        server.always = accept_when_released
        with notifying(engine, server, timeout_s=60):
            wait_for(lambda: len(server.asked) == THREADS)
            cluster.kill()
            server.released.set()
            wait_for(lambda: cluster_starts(cluster), 30, "the cluster")
            wait_for(all_are(engine, State.ACCEPTED), 30)
        assert Counter(asked.to for asked in server.asked) == Counter(map(number, range(40)))
        engine.dispose()


def how_many_work(engine: Engine) -> int:
    """The notifiers that have a place on this PostgreSQL."""
    with engine.connect() as connection:
        places = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT"
        of_here = " oid FROM pg_database WHERE datname = current_database())"
        return connection.scalar(text(places + of_here)) or 0


def expire_leases(engine: Engine) -> None:
    """As if the time that a dead notifier's claim lasts had gone by."""
    with engine.begin() as connection:
        connection.execute(
            update(Message)
            .where(Message.state == State.SENDING)
            .values(lease_until=utc_now() - timedelta(seconds=1))
        )


def cluster_starts(cluster: Postgres) -> bool:
    """Whether it started; right after a kill its orphans may still hold the memory."""
    try:
        cluster.start()
    except AssertionError:
        return False
    return True


def test_what_was_taken_is_handed_over_though_the_database_goes_away_right_after(
    engine: Engine, server: SmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    unclear, _ = queue(engine, 2)
    with engine.begin() as connection:
        connection.execute(
            update(Message)
            .where(Message.id == unclear)
            .values(state=State.UNKNOWN, provider="twilio", look_up_at=utc_now())
        )
    failures = 0

    def fail(*_: object) -> None:
        nonlocal failures
        failures += 1
        raise OperationalError("look-ups", None, Exception("gone"))

    monkeypatch.setattr(notifier, "take_unclear", fail)
    with notifying(engine, server):
        wait_for(lambda: messages(engine)[1].state is State.ACCEPTED)
    assert failures
    assert [asked.to for asked in server.asked] == [number(1)]

"""What follows from a try, in tables of plain values; what is kept, and for how long."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, update
from sqlalchemy.orm import Session

from card_server.webhooks.post import Answer
from card_server.webhooks.queue import (
    KEPT,
    Next,
    Tried,
    Waiting,
    claim,
    forget_old,
    is_something_to_do,
    judge,
    record,
)
from schema.messages import utc_now
from schema.tables.webhooks import DeliveryState, Trouble, WebhookDelivery
from tests.harness.hooks import (
    add_events,
    add_webhook,
    alter_event,
    alter_webhook,
    deliveries,
    webhook,
)

NOW = datetime(2026, 9, 1, tzinfo=UTC)
State = DeliveryState


def failed(attempts: int, answer: Answer | None = None, left_s: float = 86_400) -> Tried:
    waiting = Waiting(UUID(int=0), "", attempts, NOW + timedelta(seconds=left_s))
    return Tried(waiting, answer, Trouble.ANSWER)


@pytest.mark.parametrize(
    ("attempts", "failures", "wait_s", "rest_s"),
    [
        (0, 0, 2, 2),
        (1, 1, 4, 4),
        (4, 4, 32, 32),
        (5, 5, 64, 60),
        (9, 9, 1024, 60),
        (40, 99, 3600, 60),
        (9, 0, 1024, 2),
        (0, 9, 2, 60),
    ],
)
def test_an_event_waits_and_its_webhook_rests_longer_each_time(
    attempts: int, failures: int, wait_s: float, rest_s: float
) -> None:
    follows = judge(failed(attempts), failures, NOW, 1.0)
    due_at, resume_at = NOW + timedelta(seconds=wait_s), NOW + timedelta(seconds=rest_s)
    assert follows == Next(State.WAITING, due_at, resume_at)


def test_chance_spreads_both_alike_so_that_order_is_kept() -> None:
    follows = judge(failed(2), 2, NOW, 0.0)
    assert follows.due_at == follows.resume_at == NOW + timedelta(seconds=4)


def test_a_receivers_own_wish_is_heeded() -> None:
    follows = judge(failed(0, Answer(429, 120.0)), 0, NOW, 1.0)
    assert follows.due_at == follows.resume_at == NOW + timedelta(seconds=120)


def test_what_would_come_too_late_is_given_up() -> None:
    assert judge(failed(0, left_s=2), 0, NOW, 1.0).state is State.FAILED
    assert judge(failed(0, left_s=2.1), 0, NOW, 1.0).state is State.WAITING


def test_410_ends_the_webhook() -> None:
    assert judge(failed(0, Answer(410, None)), 0, NOW, 1.0) == Next(State.FAILED, is_gone=True)


def test_taken_is_taken() -> None:
    tried = failed(7, Answer(200, None))._replace(trouble=None)
    assert judge(tried, 7, NOW, 1.0) == Next(State.DELIVERED)


def test_a_late_answer_of_a_claim_that_was_taken_over_counts_for_its_event_alone(
    engine: Engine,
) -> None:
    hook = add_webhook(engine, "https://hooks.example/")
    add_events(engine, hook, 2)
    with Session(engine) as session, session.begin():
        [first] = claim(session, utc_now(), 8)
    alter_webhook(engine, hook, lease_until=utc_now() - timedelta(seconds=1))
    with Session(engine) as session, session.begin():
        [second] = claim(session, utc_now(), 8)
        assert claim(session, utc_now(), 8) == []
    taken = Tried(first.events[0], Answer(204, None), None)
    with Session(engine) as session, session.begin():
        assert record(session, first, taken, utc_now(), 0.5) is False
    assert webhook(engine, hook).lease == second.lease
    assert [one.state for one in deliveries(engine)] == [State.DELIVERED, State.WAITING]
    lost = Tried(second.events[0], None, Trouble.SLOW)
    with Session(engine) as session, session.begin():
        record(session, second, lost, utc_now(), 0.5)
    assert deliveries(engine)[0].state is State.DELIVERED


def test_old_events_are_forgotten_but_not_what_waits(engine: Engine) -> None:
    hook = add_webhook(engine, "https://hooks.example/")
    done, young, waiting = add_events(engine, hook, 3)
    long_ago = utc_now() - KEPT - timedelta(minutes=1)
    alter_event(engine, done, state=State.DELIVERED, created_at=long_ago)
    alter_event(engine, young, state=State.DELIVERED)
    alter_event(engine, waiting, created_at=long_ago)
    with Session(engine) as session, session.begin():
        assert forget_old(session, utc_now()) == 1
        assert forget_old(session, utc_now()) == 0
    assert [str(one.id) for one in deliveries(engine)] == [young, waiting]


def test_looking_for_work_reads_only_the_small_indexes(engine: Engine) -> None:
    dead = add_webhook(engine, "https://hooks.example/")
    live = add_webhook(engine, "https://hooks.example/")
    add_events(engine, live, 1_000)
    with engine.begin() as connection:
        connection.execute(update(WebhookDelivery).values(state=State.DELIVERED))
    add_events(engine, dead, 3_000)
    alter_webhook(engine, dead, resume_at=utc_now() + timedelta(hours=1))
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    looks: list[tuple[str, object]] = []
    event.listen(engine, "before_cursor_execute", lambda *one: looks.append((str(one[2]), one[3])))
    with engine.connect().execution_options(read_only=True) as connection:
        assert not is_something_to_do(connection, utc_now())
    statement, values = looks[-1]
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.begin() as connection:
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", values).all())  # type: ignore[arg-type]
    assert "ix_webhook_delivery_webhook_id" in plan
    assert "ix_webhook_delivery_give_up_at" in plan

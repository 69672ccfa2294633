"""Webhooks in a database, events that wait for them, and deliverers at work."""

import base64
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.storage.sealing import Seal
from card_server.webhooks.deliver import Deliverer
from card_server.webhooks.post import Limits, Rules
from schema.messages import utc_now
from schema.tables.school import School
from schema.tables.webhooks import DeliveryState, EventKind, Webhook, WebhookDelivery
from tests.harness.processes import Process
from tests.harness.waiting import wait_for

KEY = bytes(range(32))
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RULES = Rules(allow_private=True, limits=Limits(1, 0.4, 2))


def add_webhook(engine: Engine, url: str, kinds: str = "tap", code: str = "h1") -> int:
    """A webhook of a school that is made when it is not there; its id."""
    with Session(engine) as session, session.begin():
        school = session.scalar(select(School).where(School.code == code))
        if school is None:
            school = School(code=code, name="实验中学", signature="实验中学")
            session.add(school)
            session.flush()
        webhook = Webhook(
            school_id=school.id,
            name="receiver",
            url=url,
            kinds=kinds,
            secret_sealed=Seal(KEY).close(SECRET),
            created_at=utc_now(),
            resume_at=utc_now(),
        )
        session.add(webhook)
        session.flush()
        return webhook.id


def add_events(engine: Engine, webhook_id: int, count: int = 1) -> list[str]:
    """Events that are due, in the order of their ids."""
    now = utc_now()
    with Session(engine) as session, session.begin():
        school_id = session.get_one(Webhook, webhook_id).school_id
        rows = [
            {
                "school_id": school_id,
                "id": uuid7(),
                "webhook_id": webhook_id,
                "kind": EventKind.TAP,
                "body": f'{{"number":{number}}}',
                "state": DeliveryState.WAITING,
                "attempts": 0,
                "created_at": now,
                "due_at": now,
                "give_up_at": now + timedelta(hours=24),
            }
            for number in range(count)
        ]
        session.execute(insert(WebhookDelivery), rows)
    return [str(row["id"]) for row in rows]


def deliveries(engine: Engine, webhook_id: int | None = None) -> list[WebhookDelivery]:
    """All events, or those of one webhook, in the order of their ids."""
    query = select(WebhookDelivery).order_by(WebhookDelivery.id)
    if webhook_id is not None:
        query = query.where(WebhookDelivery.webhook_id == webhook_id)
    with Session(engine) as session:
        return list(session.scalars(query))


def states(engine: Engine, webhook_id: int | None = None) -> Counter[DeliveryState]:
    query = select(WebhookDelivery.state, func.count()).group_by(WebhookDelivery.state)
    if webhook_id is not None:
        query = query.where(WebhookDelivery.webhook_id == webhook_id)
    with engine.connect().execution_options(read_only=True) as connection:
        return Counter({row[0]: row[1] for row in connection.execute(query)})


def all_are(
    engine: Engine, state: DeliveryState, webhook_id: int | None = None
) -> Callable[[], bool]:
    return lambda: set(states(engine, webhook_id)) == {state}


def webhook(engine: Engine, id_: int) -> Webhook:
    with Session(engine) as session:
        return session.get_one(Webhook, id_)


def alter_webhook(engine: Engine, id_: int, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(update(Webhook).where(Webhook.id == id_).values(**values))


def alter_event(engine: Engine, id_: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(
            update(WebhookDelivery).where(WebhookDelivery.id == UUID(id_)).values(**values)
        )


def make_due(engine: Engine, webhook_id: int, at: datetime | None = None) -> None:
    """As if the time of resting and waiting had gone by, for all of it at the same moment."""
    at = at or utc_now()
    with engine.begin() as connection:
        connection.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == webhook_id)
            .values(due_at=at)
        )
        connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(resume_at=at))


@contextmanager
def delivering_on(engine: Engine, rules: Rules = RULES) -> Iterator[None]:
    """A deliverer at work on a thread of this process."""
    deliverer, stop = Deliverer(engine, Seal(KEY), rules), threading.Event()
    thread = threading.Thread(target=deliverer.work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def wait_for_state(engine: Engine, state: DeliveryState, webhook_id: int | None = None) -> None:
    wait_for(all_are(engine, state, webhook_id), 30, state.value)


def expire_leases(engine: Engine) -> None:
    """As if the time that a dead process's claim lasts had gone by."""
    with engine.begin() as connection:
        connection.execute(
            update(Webhook)
            .where(Webhook.lease.is_not(None))
            .values(lease_until=utc_now() - timedelta(seconds=1))
        )


def notify_process(url: str, log: Path) -> Process:
    """`card-server notify`, which may reach this machine."""
    values = {
        "database_url": url,
        "notify_health_port": "0",
        "data_key": base64.b64encode(KEY).decode(),
        "web_secret": "x" * 32,
        "webhook_allow_private": "true",
    }
    env = {f"CARD_SERVER_{name.upper()}": value for name, value in values.items()}
    command = str(Path(sys.executable).with_name("card-server"))
    return Process([command, "notify"], log, env)

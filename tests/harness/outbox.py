"""Messages that wait in a database, and notifiers at work on them."""

import base64
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.config import Settings
from card_server.notifier import Notifier
from card_server.sending.choosing import Carriers
from card_server.storage.sealing import Seal
from integrations.sms.twilio import TwilioCarrier
from schema.messages import utc_now
from schema.tables.messages import (
    CarrierText,
    Message,
    MessageKind,
    MessageRules,
    MessageState,
)
from schema.tables.people import Channel, Guardian, Guardianship, Language, Student
from schema.tables.school import Homeroom, School
from tests.harness.processes import Process
from tests.harness.sms_server import ACCOUNT, SENDER, TOKEN, SmsServer
from tests.harness.waiting import wait_for

KEY = bytes(range(32))


def settings_for(url: str, server: SmsServer) -> Settings:
    return Settings.model_validate(
        {
            "database_url": url,
            "data_key": base64.b64encode(KEY),
            "web_secret": "x" * 32,
            "notify_health_port": 0,
            **server.settings(),
        }
    )


def queue(
    engine: Engine, count: int = 1, *, valid: timedelta = timedelta(minutes=30)
) -> list[UUID]:
    """Queue messages to as many guardians of one student; guardian n has the number …n."""
    seal, now = Seal(KEY), utc_now()
    ids = [uuid7() for _ in range(count)]
    with Session(engine) as session, session.begin():
        school = School(code="s1", name="实验中学", signature="实验中学")
        session.add(school)
        session.flush()
        session.add(MessageRules(school_id=school.id, per_student=count + 20))
        homeroom = Homeroom(school_id=school.id, grade=7, name="七(1)班")
        session.add(homeroom)
        session.flush()
        student = Student(school_id=school.id, number="1", name="张三", homeroom_id=homeroom.id)
        session.add(student)
        session.flush()
        for place, id_ in enumerate(ids):
            phone = number(place)
            guardian = Guardian(
                school_id=school.id,
                name="张父",
                phone_sealed=seal.close(phone),
                phone_hash=seal.hash(phone),
                phone_tail=phone[-4:],
                verified_at=now,
            )
            session.add(guardian)
            session.flush()
            session.add(
                Guardianship(
                    student_id=student.id,
                    guardian_id=guardian.id,
                    relation="父亲",
                    consented_at=now,
                )
            )
            session.add(
                Message(
                    school_id=school.id,
                    id=id_,
                    kind=MessageKind.ARRIVAL,
                    student_id=student.id,
                    guardian_id=guardian.id,
                    body=f"text {place}",
                    slots='[["student","张三"],["time","07:31"]]',
                    state=MessageState.QUEUED,
                    created_at=now,
                    due_at=now,
                    expires_at=now + valid,
                    changed_at=now,
                )
            )
    return ids


def approve_texts(engine: Engine, *providers: str) -> None:
    """As if these carriers had approved the text of arrivals."""
    with Session(engine) as session, session.begin():
        school_id = session.scalars(select(School.id)).one()
        for provider in providers:
            of_text = {"kind": MessageKind.ARRIVAL, "language": Language.CHINESE}
            session.add(
                CarrierText(school_id=school_id, provider=provider, code="SMS_1", **of_text)
            )


def move_to_wecom(engine: Engine) -> None:
    """As if every guardian's id on WeCom were the number, and all wanted their messages there."""
    with Session(engine) as session, session.begin():
        for place, guardian in enumerate(session.scalars(select(Guardian).order_by(Guardian.id))):
            guardian.wecom_id = number(place)
        session.execute(update(Message).values(channel=Channel.WECOM))


def number(place: int) -> str:
    return f"+86138{place:08d}"


def messages(engine: Engine) -> list[Message]:
    with Session(engine) as session:
        return list(session.scalars(select(Message).order_by(Message.body)))


def states(engine: Engine) -> Counter[MessageState]:
    return Counter(message.state for message in messages(engine))


def alter(engine: Engine, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(update(Message).values(**values))


def all_are(engine: Engine, *wanted: MessageState) -> Callable[[], bool]:
    return lambda: set(states(engine)) <= set(wanted)


@contextmanager
def notifying(engine: Engine, server: SmsServer, timeout_s: float = 5) -> Iterator[Notifier]:
    """A notifier at work that knows Twilio alone."""
    carrier = TwilioCarrier(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        sender=SENDER,
        base_url=server.url,
        timeout_s=timeout_s,
    )
    with working(engine, Carriers([carrier], utc_now)) as notifier:
        yield notifier


@contextmanager
def working(engine: Engine, carriers: Carriers) -> Iterator[Notifier]:
    """A notifier at work on a thread of this process."""
    notifier, stop = Notifier(engine, carriers, Seal(KEY)), threading.Event()
    thread = threading.Thread(target=notifier.work, args=(stop,))
    thread.start()
    try:
        yield notifier
    finally:
        stop.set()
        thread.join()


_RUN = """
import os, signal, threading
from card_server.config import load_settings
from card_server.notifier import run
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
run(load_settings(), stop)
"""


def process_for(url: str, server: SmsServer, log: Path) -> Process:
    values = {**server.settings(), "database_url": url, "notify_health_port": "0"}
    values |= {"data_key": base64.b64encode(KEY).decode(), "web_secret": "x" * 32}
    env = {f"CARD_SERVER_{name.upper()}": value for name, value in values.items()}
    return Process([sys.executable, "-c", _RUN], log, env)


def set_due(engine: Engine, id_: UUID, due_at: datetime) -> None:
    with engine.begin() as connection:
        connection.execute(update(Message).where(Message.id == id_).values(due_at=due_at))


def wait_for_idle_rounds(engine: Engine) -> None:
    """Until the notifier has looked three more times for something to do."""
    looks = 0

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal looks
        looks += "min(message.due_at)" in statement

    event.listen(engine, "before_cursor_execute", count)
    wait_for(lambda: looks >= 3)
    event.remove(engine, "before_cursor_execute", count)

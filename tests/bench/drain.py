"""How fast ingest drains 100,000 taps that waited for it, beside what a bare subscriber does."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from card_server.storage.database import open_engine
from card_server.storage.migrate import migrate
from schema.messages import Tap, utc_now
from schema.tables import taps as tables
from schema.tables.attendance import Attendance, HomeroomDay
from schema.tables.messages import Message
from tests.bench.copying import copy_again
from tests.bench.district import (
    STUDENTS,
    encode,
    expiry,
    ingest,
    make_district,
    make_tap,
    open_session,
    passages,
    resident_mb,
)
from tests.bench.measure import Is, Measure
from tests.harness.campus import Campus
from tests.harness.mosquitto import Mosquitto
from tests.harness.postgres import Postgres
from tests.harness.waiting import wait_for

Progress = Callable[[float], None]
_CLIENT = "card-server-ingest-1"
_FILTER = "campus/v1/+/+/tap"
_AT_ONCE = 20_000


def measure_drain(
    folder: Path, postgres: Postgres, taps_a_message: int, progress: Progress
) -> list[Measure]:
    """Drain a queue of messages with so many taps each; the floor beside it for single taps."""
    folder.mkdir()
    url = postgres.create_database()
    engine = open_engine(url)
    migrate(engine)
    schools = make_district(engine)
    with Mosquitto(folder / "broker") as broker:
        _subscribe(broker, _CLIENT, f"$share/ingest/{_FILTER}")
        _subscribe(broker, "floor", _FILTER)
        messages = _fill(broker, schools, taps_a_message, lambda part: progress(part / 3))
        floor = _drain_bare(broker, messages)
        progress(2 / 3)
        rate, memory = _drain(folder, url, engine, broker)
    engine.dispose()
    copied = copy_again(url) if taps_a_message == 1 else 0.0
    progress(1)
    if taps_a_message == 1:
        return [
            Measure("drain, one tap a message", rate, "taps/s", Is.AT_LEAST, 20_000),
            Measure("  bare paho subscriber, same queue", floor, "messages/s"),
            Measure("  COPY of the same rows", copied, "taps/s"),
            Measure("  drain / COPY", rate / copied, ""),
            Measure("  drain / bare subscriber", rate / floor, "", Is.AT_LEAST, 0.4),
            Measure("  ingest, most resident memory", memory, "MB", Is.BELOW, 150),
        ]
    name = f"drain, a backlog's {taps_a_message} taps a message"
    return [Measure(name, rate, "taps/s", Is.AT_LEAST, 20_000)]


def _subscribe(broker: Mosquitto, client_id: str, topic: str) -> None:
    """Leave a session behind that gathers what is published while its owner is away."""
    client = open_session(broker, client_id)
    granted: list[object] = []
    client.on_subscribe = lambda *_: granted.append(True)

    def on_connect(client: Client, *_: object) -> None:
        client.subscribe(topic, 1)

    client.on_connect = on_connect
    while not granted:
        client.loop(0.1)
    client.disconnect()
    client.loop(0.1)


def _fill(broker: Mosquitto, schools: list[Campus], taps_a_message: int, progress: Progress) -> int:
    """Publish all taps as readers do; how many messages they were."""
    client = Client(
        CallbackAPIVersion.VERSION2, client_id="readers", protocol=MQTTProtocolVersion.MQTTv5
    )
    client.max_inflight_messages_set(1_000)
    client.connect(broker.host, broker.port)
    client.loop_start()
    properties, waiting, published = expiry(), list[MQTTMessageInfo](), 0
    for topic, taps in _messages(schools, taps_a_message):
        waiting.append(client.publish(topic, encode(taps), 1, properties=properties))
        published += 1
        if len(waiting) == _AT_ONCE:
            _wait(waiting)
            progress(published * taps_a_message / (2 * STUDENTS))
    _wait(waiting)
    client.disconnect()
    client.loop_stop()
    return published


def _messages(schools: list[Campus], size: int) -> Iterator[tuple[str, list[Tap]]]:
    """Topic and taps of each message; the last of a reader may be shorter."""
    open_messages: dict[str, list[Tap]] = {}
    for seq, (school, reader, uid, ago) in enumerate(passages(schools), start=1):
        topic = f"campus/v1/{school}/{reader}/tap"
        taps = open_messages.setdefault(topic, [])
        taps.append(make_tap(uid, seq, utc_now() - ago))
        if len(taps) == size:
            yield topic, open_messages.pop(topic)
    yield from open_messages.items()


def _wait(published: list[MQTTMessageInfo]) -> None:
    for one in published:
        one.wait_for_publish(60)
    published.clear()


def _drain_bare(broker: Mosquitto, messages: int) -> float:
    argv = [sys.executable, "-m", "tests.bench.floor", str(broker.port), "floor", str(messages)]
    return float(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


def _drain(folder: Path, url: str, engine: Engine, broker: Mosquitto) -> tuple[float, float]:
    """Taps per second from the first commit to the last, and ingest's memory; all rows counted."""
    with ingest(folder, url, broker) as process, Session(engine) as session:

        def passed() -> tuple[int, int]:
            sums = func.sum(HomeroomDay.arrived), func.sum(HomeroomDay.inside)
            arrived, inside = session.execute(select(*sums)).one()
            session.rollback()
            return arrived or 0, inside or 0

        wait_for(lambda: passed()[0] > 0, 30, "the first commit")
        began = time.perf_counter()
        before = passed()[0]
        wait_for(lambda: passed() == (STUDENTS, 0), 300, "all to be drained", each_s=0.05)
        rate = (2 * STUDENTS - before) / (time.perf_counter() - began)
        for table in (tables.Tap, Message):
            rows = session.scalar(select(func.count()).select_from(table))
            assert rows == 2 * STUDENTS, f"{rows} rows in {table.__tablename__}"
        assert session.scalar(select(func.count()).select_from(Attendance)) == STUDENTS
        return rate, resident_mb(process.pid)

"""How long from a tap's publication to the request at the provider's socket.

Everything runs as in a school: Mosquitto, PostgreSQL, ingest, and the notifier with the real SDK;
the provider takes 100 ms to answer.
"""

import base64
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from card_server.storage.database import open_engine
from card_server.storage.migrate import migrate
from schema.messages import utc_now
from tests.bench.district import encode, expiry, ingest, make_tap
from tests.bench.measure import Is, Measure, quantile
from tests.harness.campus import DATA_KEY, make_campus, phone_of, uid_of
from tests.harness.mosquitto import Mosquitto
from tests.harness.ports import free_port
from tests.harness.postgres import Postgres
from tests.harness.processes import Process
from tests.harness.waiting import wait_for

Progress = Callable[[float], None]
_WARM_UP = 200
"""Students left out: the first ones open connections and fill the directory."""
_AT_100 = 1_000
_MORNING = 3_000
_MORNING_RATE = 50
"""Ten times as fast as 3,000 arrivals in ten minutes."""


def measure_telling(folder: Path, postgres: Postgres, progress: Progress) -> list[Measure]:
    """p50 and p99 at 100 arrivals a second, and of a whole morning in one minute."""
    folder.mkdir()
    url = postgres.create_database()
    engine = open_engine(url)
    migrate(engine)
    _make_school(engine, _WARM_UP + _AT_100 + _MORNING)
    with (
        Mosquitto(folder / "broker") as broker,
        ingest(folder, url, broker),
        _provider(folder) as provider,
        _notifier(folder, url, provider.port),
    ):
        gate = _Gate(broker)
        first = 1 + _WARM_UP
        provider.wait_for(gate.arrive(range(1, first), 100, lambda _: None))
        busy = gate.arrive(range(first, first + _AT_100), 100, lambda part: progress(part / 7))
        first += _AT_100
        told = provider.wait_for(busy)
        morning = gate.arrive(
            range(first, first + _MORNING),
            _MORNING_RATE,
            lambda part: progress((1 + 6 * part) / 7),
        )
        told_in_the_morning = provider.wait_for(morning)
        gate.close()
    engine.dispose()
    ended = max(told_in_the_morning[number] for number in morning)
    went = max(morning.values())
    return [
        *_rows("tap → request at the provider's socket, 100/s", busy, told),
        *_rows("the same, a morning of 3,000 in one minute", morning, told_in_the_morning),
        Measure("  its last tap → its last request", ended - went, "s"),
    ]


def _rows(name: str, went: dict[str, float], told: dict[str, float]) -> list[Measure]:
    times = [told[number] - moment for number, moment in went.items()]
    return [
        Measure(f"{name}, p50", quantile(times, 0.5) * 1e3, "ms"),
        Measure(f"{name}, p99", quantile(times, 0.99) * 1e3, "ms", Is.BELOW, 1_000),
    ]


def _make_school(engine: Engine, students: int) -> None:
    with Session(engine) as session, session.begin():
        make_campus(session, "no1", students=students)
        session.execute(
            text(
                "INSERT INTO presence SELECT school_id, id, homeroom_id, false,"
                " now() - interval '1 day', 1 FROM student"
            )
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


class _Provider:
    """The provider's process, and what it noted."""

    def __init__(self, port: int, notes: Path) -> None:
        self.port = port
        self._notes = notes

    def wait_for(self, went: dict[str, float]) -> dict[str, float]:
        """When each of these numbers' requests came; the first one, and there must be no other."""
        wait_for(lambda: went.keys() <= self._read().keys(), 60, "all requests")
        return self._read()

    def _read(self) -> dict[str, float]:
        came: dict[str, float] = {}
        for line in self._notes.read_text().splitlines():
            number, moment = line.split()
            assert number not in came, "a message was sent twice"
            came[number] = float(moment)
        return came


@contextmanager
def _provider(folder: Path) -> Iterator[_Provider]:
    port, notes = free_port(), folder / "requests"
    argv = [sys.executable, "-m", "tests.bench.provider", str(port), str(notes)]
    with Process(argv, folder / "provider.log"):
        wait_for(notes.exists, 20, "the provider")
        yield _Provider(port, notes)


@contextmanager
def _notifier(folder: Path, database_url: str, provider_port: int) -> Iterator[None]:
    """`card-server notify` as a process."""
    values = {
        "database_url": database_url,
        "data_key": base64.b64encode(DATA_KEY).decode(),
        "web_secret": "s" * 32,
        "notify_health_port": 0,
        "sms_providers": "twilio",
        "twilio_account_sid": "AC" + "0" * 32,
        "twilio_auth_token": "t" * 32,
        "twilio_sender": "+8610000000001",
        "twilio_base_url": f"http://127.0.0.1:{provider_port}",
    }
    config = folder / "notify.toml"
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    argv = [sys.executable, "-c", "from card_server.commands import app; app()", "notify"]
    with Process([*argv, "--config", str(config)], folder / "notify.log"):
        yield


class _Gate:
    """The gate's readers in one client; each student arrives once."""

    def __init__(self, broker: Mosquitto) -> None:
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id="gate", protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.max_inflight_messages_set(1_000)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()

    def arrive(self, students: range, rate: int, progress: Progress) -> dict[str, float]:
        """When each guardian's student tapped, by the guardian's number."""
        went: dict[str, float] = {}
        properties = expiry()
        began = time.perf_counter()
        for place, student in enumerate(students):
            time.sleep(max(0.0, began + place / rate - time.perf_counter()))
            payload = encode([make_tap(uid_of(student), student, utc_now())])
            went[phone_of(student)] = time.perf_counter()
            self._client.publish("campus/v1/no1/gate-in/tap", payload, 1, False, properties)
            if place % rate == 0:
                progress(place / len(students))
        return went

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

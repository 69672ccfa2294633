"""How long from a tap's publication to the server's acknowledgement, which follows its commit."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from msgspec import json as msgjson
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from card_server.storage.database import open_engine
from card_server.storage.migrate import migrate
from schema.messages import Ack, utc_now
from tests.bench.district import encode, expiry, ingest, make_district, make_tap, passages
from tests.bench.measure import Is, Measure, quantile
from tests.harness.mosquitto import Mosquitto
from tests.harness.postgres import Postgres
from tests.harness.waiting import wait_for

Progress = Callable[[float], None]
RATES = (100, 1_000)
_SECONDS = 10
_WARM_UP = 200
"""Taps left out: the first ones open connections and fill the directory."""
_COMMIT_EACH_S = 0.02


def measure_latency(folder: Path, postgres: Postgres, progress: Progress) -> list[Measure]:
    """p50 and p99 at 100 and at 1,000 taps a second, on one broker, database and ingest."""
    folder.mkdir()
    url = postgres.create_database()
    engine = open_engine(url)
    migrate(engine)
    taps = passages(make_district(engine))
    measures = []
    with Mosquitto(folder / "broker") as broker, ingest(folder, url, broker):
        gates = _Gates(broker)
        for done, rate in enumerate(RATES):
            with _plain_commits(url) as commits:
                times = gates.tap_at(
                    rate,
                    taps,
                    lambda part, d=done: progress((d + part) / len(RATES)),  # type: ignore[misc]
                )
            name = f"tap → commit and acknowledgement at {rate:,}/s"
            measures += [
                Measure(f"{name}, p50", quantile(times, 0.5) * 1e3, "ms"),
                Measure(f"{name}, p99", quantile(times, 0.99) * 1e3, "ms", Is.BELOW, 15),
                Measure(
                    "  commit of a single row beside it, p99", quantile(commits, 0.99) * 1e3, "ms"
                ),
            ]
        gates.close()
    engine.dispose()
    return measures


@contextmanager
def _plain_commits(database_url: str) -> Iterator[list[float]]:
    """The floor: seconds that a commit of one row takes in the same database all the while."""
    times: list[float] = []
    ended = threading.Event()
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS floor (n int)")
        connection.commit()

        def commit_one_by_one() -> None:
            while not ended.wait(_COMMIT_EACH_S):
                connection.execute("INSERT INTO floor VALUES (1)")
                began = time.perf_counter()
                connection.commit()
                times.append(time.perf_counter() - began)

        thread = threading.Thread(target=commit_one_by_one)
        thread.start()
        try:
            yield times
        finally:
            ended.set()
            thread.join()


class _Gates:
    """All readers in one client, which notes when each tap went and when its ack came."""

    def __init__(self, broker: Mosquitto) -> None:
        self._went: dict[UUID, float] = {}
        self._came: dict[UUID, float] = {}
        self._seq = 0
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id="gates", protocol=MQTTProtocolVersion.MQTTv5
        )
        subscribed: list[bool] = []
        self._client.on_socket_open = _send_at_once
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: subscribed.append(True)
        self._client.on_message = self._on_ack
        self._client.max_inflight_messages_set(1_000)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        wait_for(lambda: subscribed, what="the subscription")

    def tap_at(self, rate: int, taps: object, progress: Progress) -> list[float]:
        """Seconds from publication to acknowledgement of each tap after the warm-up."""
        count = rate * _SECONDS + _WARM_UP
        measured: list[UUID] = []
        properties = expiry()
        began = time.perf_counter()
        for number in range(count):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            school, reader, uid, ago = next(taps)  # type: ignore[call-overload]
            self._seq += 1
            tap = make_tap(uid, self._seq, utc_now() - ago)
            payload = encode([tap])
            self._went[tap.id] = time.perf_counter()
            self._client.publish(f"campus/v1/{school}/{reader}/tap", payload, 1, False, properties)
            if number >= _WARM_UP:
                measured.append(tap.id)
            if number % rate == 0:
                progress(number / count)
        wait_for(lambda: self._went.keys() <= self._came.keys(), 30, "all acknowledgements")
        return [self._came[tap] - self._went[tap] for tap in measured]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe("campus/v1/+/+/ack", 1)

    def _on_ack(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        now = time.perf_counter()
        for tap in msgjson.decode(message.payload, type=Ack).kept:
            self._came.setdefault(tap, now)


def _send_at_once(_client: Client, _data: object, opened: Any) -> None:
    """As the reader daemon does."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

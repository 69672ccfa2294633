"""The ingest process, and its readers as one client of the broker."""

import base64
import json
import sys
import threading
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from uuid_utils.compat import uuid7

from schema.messages import (
    Ack,
    CardsChange,
    CardsMessage,
    CardsSnapshot,
    Decision,
    Rejection,
    Tap,
    Taps,
    utc_now,
)
from schema.topics import Kind, Topic, every_reader, parse_topic
from tests.harness.campus import DATA_KEY, phone_of
from tests.harness.mosquitto import Mosquitto
from tests.harness.ports import free_port
from tests.harness.processes import Process
from tests.harness.waiting import wait_for


class Readers:
    """All readers of a school as one client of the broker."""

    def __init__(self, broker: Mosquitto) -> None:
        self.acks: list[tuple[str, Ack]] = []
        self.cards: list[tuple[str, CardsMessage]] = []
        self._seq = 0
        self._subscribed = threading.Event()
        self._broker = broker
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.max_queued_messages_set(0)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._subscribed.set()

    def say(self, body: bytes, reader: str = "gate-in", kind: Kind = Kind.TAP) -> None:
        self._client.publish(str(Topic("no1", reader, kind)), body, qos=1).wait_for_publish(10)

    def send(self, *taps: Tap, reader: str = "gate-in") -> None:
        self.say(msgspec.json.encode(Taps(utc_now(), list(taps))), reader)

    def tap(self, uid: str, at: datetime | None = None) -> Tap:
        self._seq += 1
        return Tap(uuid7(), 1, self._seq, uid, at or utc_now(), Decision.ADMITTED)

    @property
    def kept(self) -> list[UUID]:
        return [name for _, ack in self.acks for name in ack.kept]

    @property
    def rejected(self) -> dict[UUID, Rejection]:
        return {one.id: one.reason for _, ack in self.acks for one in ack.rejected}

    def wait_kept(self, *taps: Tap, timeout_s: float = 15) -> None:
        wanted = {tap.id for tap in taps}
        wait_for(lambda: wanted <= set(self.kept), timeout_s, "the acknowledgement")

    def _on_message(self, _: mqtt.Client, __: Any, packet: mqtt.MQTTMessage) -> None:
        topic = parse_topic(packet.topic)
        if topic.kind is Kind.ACK:
            self.acks.append((topic.reader, msgspec.json.decode(packet.payload, type=Ack)))
        else:
            cards = msgspec.json.decode(packet.payload, type=CardsSnapshot | CardsChange)
            self.cards.append((topic.reader, cards))

    def __enter__(self) -> "Readers":
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        self._client.subscribe([(every_reader(kind), 1) for kind in (Kind.ACK, Kind.CARDS)])
        assert self._subscribed.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class IngestProcess:
    """`card-server ingest --config …`, ready on entry; its log must name nobody."""

    def __init__(self, url: str, broker: Mosquitto, folder: Path, name: str = "ingest") -> None:
        self.port = free_port()
        config = folder / f"{name}.toml"
        config.write_text(
            f'database_url = "{url}"\n'
            f'data_key = "{base64.b64encode(DATA_KEY).decode()}"\n'
            f'web_secret = "{"x" * 32}"\n'
            f'broker_host = "{broker.host}"\nbroker_port = {broker.port}\n'
            f"ingest_health_port = {self.port}\n"
        )
        command = str(Path(sys.executable).with_name("card-server"))
        argv = [command, "ingest", "--config", str(config)]
        self.process = Process(argv, folder / f"{name}.log")

    def ready(self) -> tuple[int, dict[str, str]]:
        """The status of /ready, and what it says is wrong; 0 while nobody answers."""
        assert self.process.exit_code is None, self.process.output
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=10) as page:
                return page.status, json.load(page)["wrong"]
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)["wrong"]
        except OSError:
            return 0, {}

    def __enter__(self) -> "IngestProcess":
        self.process.start()
        wait_for(lambda: self.ready()[0] == 200, 20, "ingest")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        code = self.process.stop()
        if kind is None:
            said = self.process.output
            assert code == 0, said
            assert not [word for word in ("学一", "学二", "家长", phone_of(1)) if word in said]

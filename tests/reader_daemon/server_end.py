"""The server's end of a reader's topics: hears everything, answers what a test tells it to."""

import threading
from types import TracebackType
from typing import Any
from uuid import UUID

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from schema.messages import Ack, CardsMessage, ExitsMessage, Identify, Status, Tap, Taps
from schema.topics import Kind, Topic, every_reader, parse_topic
from tests.harness.mosquitto import Mosquitto
from tests.harness.waiting import wait_for


class ServerEnd:
    """Connected from entry to exit, and again after the broker was away."""

    def __init__(self, broker: Mosquitto, *, acknowledges: bool = True) -> None:
        self.acknowledges = acknowledges
        self.messages: list[Taps] = []
        self.packets: list[mqtt.MQTTMessage] = []
        self.statuses: list[Status] = []
        self._broker = broker
        self._subscribed = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="server-end", protocol=mqtt.MQTTv5
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message

    @property
    def taps(self) -> list[Tap]:
        """Every tap in the order of arrival, repeated ones too."""
        return [tap for message in self.messages for tap in message.taps]

    def wait_for_taps(self, count: int, timeout_s: float = 20) -> list[Tap]:
        wait_for(lambda: len(self.taps) >= count, timeout_s, f"{count} taps")
        return self.taps

    def wait_for_status(self, timeout_s: float = 10, **fields: object) -> Status:
        """A status from now on that has these values."""
        heard = len(self.statuses)

        def fits() -> list[Status]:
            return [
                status
                for status in self.statuses[heard:]
                if all(getattr(status, name) == value for name, value in fields.items())
            ]

        return wait_for(fits, timeout_s, f"a status with {fields}")[0]

    def ack(self, message: Ack) -> None:
        self.say(Kind.ACK, msgspec.json.encode(message))

    def give_cards(self, message: CardsMessage) -> None:
        self.say(Kind.CARDS, msgspec.json.encode(message))

    def give_exits(self, message: ExitsMessage) -> None:
        self.say(Kind.EXITS, msgspec.json.encode(message))

    def command(self, message: Identify) -> None:
        self.say(Kind.COMMAND, msgspec.json.encode(message))

    def say(self, kind: Kind, body: bytes) -> None:
        self._client.publish(str(Topic("school", "gate", kind)), body, qos=1)

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(every_reader(kind), 1) for kind in (Kind.TAP, Kind.STATUS)])

    def _on_message(self, _: mqtt.Client, __: Any, packet: mqtt.MQTTMessage) -> None:
        if parse_topic(packet.topic).kind is Kind.STATUS:
            self.statuses.append(msgspec.json.decode(packet.payload, type=Status))
            return
        taps = msgspec.json.decode(packet.payload, type=Taps)
        self.packets.append(packet)
        self.messages.append(taps)
        if self.acknowledges:
            kept: list[UUID] = [tap.id for tap in taps.taps]
            self.ack(Ack(kept))

    def __enter__(self) -> "ServerEnd":
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
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

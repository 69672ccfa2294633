"""The server's connection to the MQTT broker: what came waits in a bounded queue until it is acked.

A message is acknowledged to the broker by hand, after the commit. The receive maximum bounds what
can wait here, and nothing is read while so much waits: a database that is away for hours costs no
memory, nor does what the broker has kept for us meanwhile.
"""

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MessageType, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from card_server.broker.eager_client import EagerClient, Published, write_published
from card_server.config import Settings
from card_server.errors import AppError, Code
from card_server.taps.inbox import Incoming
from schema.messages import TAP_EXPIRY_S, Ack
from schema.topics import Kind, Topic, every_reader

_log = structlog.get_logger()

_FULL_BATCH = 500
"""Messages in one transaction, at most."""
_FULL_BYTES = 150_000
"""And bytes: messages of a backlog carry twenty taps each, and 500 taps are a batch too."""
RECEIVE_MAXIMUM = 2000
"""Messages that the broker may hand over before one is acknowledged, and that may wait here."""
_SESSION_EXPIRY_S = 20
"""Long enough for a restart. The broker goes on handing its share of the taps to a session whose
process is gone, and those wait until their readers send them again."""
_KEEPALIVE_S = 30
_RECONNECT_S = 1.0
_LOOP_S = 1.0
_PUBACK = bytes((MessageType.PUBACK, 2))


class BrokerLink:
    """One MQTT session; several ingest processes share the taps among them."""

    def __init__(self, settings: Settings, place: int) -> None:
        self._settings = settings
        self._waiting: deque[Incoming] = deque()
        self._bytes_come = self._bytes_taken = 0
        self._arrived = threading.Event()
        self._piled_up = threading.Event()
        self._taking = threading.Lock()
        self._connection = 0
        self._client = _make_client(settings, f"card-server-ingest-{place}", self._on_published)
        self._client.on_socket_open = _send_at_once
        # With this callback paho leaves all writing to the network thread. Without it, a thread
        # that publishes writes by itself, and two writers tear a TLS connection apart.
        self._client.on_socket_register_write = _leave_writing
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self.failure: BaseException | None = None

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected()

    @property
    def is_running(self) -> bool:
        """False once the network thread has ended, which it must not while the process lives."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Connect in the background, again and again until it works."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(
            self._settings.broker_host,
            self._settings.broker_port,
            _KEEPALIVE_S,
            clean_start=False,
            properties=properties,
        )
        self._thread.start()

    def stop(self) -> None:
        """Say good-bye; what was not acknowledged comes again."""
        self._stopping.set()
        self._client.disconnect()
        self._thread.join(5)

    def take(self, timeout_s: float) -> list[Incoming]:
        """Whatever has arrived, at most a full batch; waits only while there is nothing.

        Nothing after the time-out, or when the connection broke and what waited comes again.
        """
        self._arrived.wait(timeout_s)
        with self._taking:
            self._arrived.clear()
            taken = self._take_some()
            if self._waiting:
                self._arrived.set()
            return taken

    def take_full(self, timeout_s: float) -> list[Incoming]:
        """A full batch, once so much has piled up; else nothing after the time-out."""
        self._piled_up.wait(timeout_s)
        with self._taking:
            if self._is_full():
                return self._take_some()
            self._piled_up.clear()
            return []

    def _is_full(self) -> bool:
        waiting_bytes = self._bytes_come - self._bytes_taken
        return len(self._waiting) >= _FULL_BATCH or waiting_bytes >= _FULL_BYTES

    def _take_some(self) -> list[Incoming]:
        taken: list[Incoming] = []
        end = self._bytes_taken + _FULL_BYTES
        while self._waiting and len(taken) < _FULL_BATCH and self._bytes_taken < end:
            taken.append(self._waiting.popleft())
            self._bytes_taken += len(taken[-1].payload)
        if len(self._waiting) < RECEIVE_MAXIMUM:
            self._client.room.set()
        return taken

    def acknowledge(self, batch: Iterable[Incoming], acks: Iterable[tuple[Topic, Ack]]) -> None:
        """Tell the readers, and let the broker forget the messages of this connection.

        Those of an earlier one it sends again anyway. All PUBACKs (MQTT 5.0 §3.4) and all
        acknowledgements go to the socket as one packet. paho makes two system calls for each, and
        with them the interpreter's lock changes hands: for a full batch that took longer than its
        transaction.
        """
        connection = self._connection
        mids = [one.mid for one in batch if one.connection == connection and one.qos == 1]
        packets = [_PUBACK + mid.to_bytes(2) for mid in mids]
        packets += [write_published(str(to), msgspec.json.encode(ack)) for to, ack in acks]
        if packets and self.is_connected:
            self._client._packet_queue(MessageType.PUBACK, b"".join(packets), 0, 1)

    def send(self, topic: Topic, message: msgspec.Struct) -> None:
        """Publish a message to a reader at QoS 1."""
        self._client.publish(str(topic), msgspec.json.encode(message), qos=1)

    def _run(self) -> None:
        """Stay connected until the end.

        Not by `loop_forever`: it has nothing to be woken by, so what another thread sends would
        lie there for up to a second.
        """
        try:
            while not self._stopping.is_set():
                self._stay_connected()
                self._stopping.wait(_RECONNECT_S)
        except BaseException as error:
            self.failure = error
            _log.exception("the broker thread died")
        finally:
            self._arrived.set()

    def _stay_connected(self) -> None:
        """One connection, from its beginning to its end."""
        try:
            self._client.reconnect()
        except OSError as error:
            _log.warning("the broker cannot be reached", error=str(error))
            return
        while self._client.loop(_LOOP_S) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            pass

    def _on_connect(
        self,
        client: Client,
        _data: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            _log.error("the broker refused us", reason=str(reason))
            return
        self._connection += 1
        if flags.session_present:
            self._forget_waiting()
        _log.info("connected to the broker", session_present=flags.session_present)
        shared = "$share/ingest/"
        client.subscribe([(shared + every_reader(kind), 1) for kind in (Kind.TAP, Kind.STATUS)])

    def _forget_waiting(self) -> None:
        """What was not acknowledged comes again; kept as well, it would take the room for that."""
        with self._taking:
            self._waiting.clear()
            self._bytes_taken = self._bytes_come
            self._arrived.clear()
            self._piled_up.clear()
            self._client.room.set()

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        _log.warning("disconnected from the broker", reason=str(reason))

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        """What is not a plain message at QoS 1."""
        expiry = getattr(message.properties, "MessageExpiryInterval", None)
        payload = bytes(message.payload)
        self._add(message.topic, payload, expiry, message.retain, message.mid, message.qos)

    def _on_published(self, one: Published) -> None:
        self._add(one.topic, one.payload, one.expiry_s, one.is_retained, one.mid, 1)

    def _add(
        self, topic: str, payload: bytes, expiry: int | None, is_retained: bool, mid: int, qos: int
    ) -> None:
        held_s = 0.0 if expiry is None else max(0.0, TAP_EXPIRY_S - expiry)
        now = datetime.now(UTC)
        self._waiting.append(
            Incoming(topic, payload, now, held_s, is_retained, mid, qos, self._connection)
        )
        self._bytes_come += len(payload)
        if len(self._waiting) >= RECEIVE_MAXIMUM:
            self._client.room.clear()
        if not self._arrived.is_set():
            self._arrived.set()
        if self._is_full() and not self._piled_up.is_set():
            self._piled_up.set()


def _make_client(
    settings: Settings, client_id: str, on_published: Callable[[Published], None]
) -> EagerClient:
    client = EagerClient(
        on_published,
        callback_api_version=CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        manual_ack=True,
    )
    if settings.broker_ca:
        try:
            client.tls_set(
                _text(settings.broker_ca), _text(settings.broker_cert), _text(settings.broker_key)
            )
        except OSError as error:
            raise AppError(
                Code.INVALID, f"The broker's certificates cannot be read: {error}"
            ) from error
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(10_000)
    return client


def _leave_writing(_client: Client, _data: Any, _opened: Any) -> None:
    """paho has woken its network thread already."""


def _send_at_once(_client: Client, _data: Any, opened: Any) -> None:
    """An acknowledgement is one small packet; Nagle's algorithm would hold it for up to 40 ms."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _text(path: Path | None) -> str | None:
    return str(path) if path else None

"""The link: sends what the spool holds, and lets go of it only when the server says so.

One thread does everything here, paho's callbacks included; other threads only call `wake`,
`stop` and read `is_connected`.
"""

import contextlib
import queue
import select
import socket
import sqlite3
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import msgspec
import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from reader_daemon.cardlist import CardList
from reader_daemon.clocks import uptime
from reader_daemon.config import Settings
from reader_daemon.connection import ConnectionFailedError, as_socket, connect, new_client
from reader_daemon.exits import ExitList
from reader_daemon.outbox import Outbox
from reader_daemon.spool import Spool
from schema.messages import (
    MAX_BYTES,
    TAP_EXPIRY_S,
    Ack,
    CardsMessage,
    ExitsMessage,
    Identify,
    ReaderState,
    Status,
    Taps,
    utc_now,
)
from schema.topics import Kind, Topic, parse_topic

_log = structlog.get_logger()

_TICK_S: Final = 0.5
_FIRST_DELAY_S: Final = 1.0
_LONGEST_DELAY_S: Final = 30.0
_TIDY_S: Final = 60.0
_NOBODY_LISTENS: Final = 0x10
"""PUBACK's "no matching subscribers" (MQTT 5.0 §3.4.2.1)."""
_ACK = msgspec.json.Decoder(Ack)
_CARDS = msgspec.json.Decoder(CardsMessage)
_EXITS = msgspec.json.Decoder(ExitsMessage)
_COMMAND = msgspec.json.Decoder(Identify)


class Link:
    """`run` returns after `stop`, and raises what it cannot answer."""

    def __init__(
        self,
        settings: Settings,
        spool: Spool,
        cards: CardList,
        exits: ExitList,
        status: Callable[[ReaderState], Status],
        identify: Callable[[int], None],
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._cards = cards
        self._exits = exits
        self._status = status
        self._identify = identify
        self._outbox = Outbox()
        self._carried: dict[int, list[UUID]] = {}
        """The taps of each message that the broker has not answered, by its packet id."""
        self._fresh: queue.SimpleQueue[UUID] = queue.SimpleQueue()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._stopping = False
        self._client: mqtt.Client | None = None
        self.is_connected = False
        self._heartbeat_due_s = 0.0
        self._tidy_due_s = 0.0
        self._is_disk_full = False

    def wake(self, tap_id: UUID) -> None:
        """A tap was kept just now."""
        self._fresh.put(tap_id)
        self._ring()

    def stop(self) -> None:
        """Let `run` say goodbye and return."""
        self._stopping = True
        self._ring()

    def run(self) -> None:
        """Connect, again and again, and send until stopped."""
        self._outbox.add_backlog(self._spool.waiting_ids())
        delay_s = _FIRST_DELAY_S
        while not self._stopping:
            client = self._prepare()
            try:
                connect(client, self._settings)
                if self._serve(client):
                    delay_s = _FIRST_DELAY_S
                elif not self._stopping:
                    _log.warning("broker_closed", hint="does it know this reader's certificate?")
            except ConnectionFailedError as error:
                _log.warning("broker_not_reached", error=str(error), again_in_s=delay_s)
            self._lose()
            self._tidy()
            self._rest(delay_s)
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    # One connection

    def _prepare(self) -> mqtt.Client:
        """A new client for each connection: what an old one had on its way is sent afresh."""
        client = new_client(self._settings)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        farewell = msgspec.json.encode(self._status(ReaderState.OFFLINE))
        client.will_set(self._topic(Kind.STATUS), farewell, qos=1)
        self._client = client
        return client

    def _serve(self, client: mqtt.Client) -> bool:
        """Until the connection is lost or we stop; whether there was one at all."""
        was_connected = False
        while not self._stopping and self._turn(client):
            if self.is_connected:
                was_connected = True
                self._work(client)
        if self._stopping and self.is_connected:
            self._say_goodbye(client)
        return was_connected

    def _turn(self, client: mqtt.Client) -> bool:
        """Wait for the network or the bell and answer it; False once the connection is gone."""
        try:
            wire = as_socket(client)
            writers = [wire] if client.want_write() else []
            pending = getattr(wire, "pending", lambda: 0)()
            readable, writable, _ = select.select(
                [wire, self._ear], writers, [], 0 if pending else _TICK_S
            )
        except (OSError, ValueError):
            return False
        self._silence_bell()
        # TLS may hold decrypted bytes of which the socket shows nothing any more.
        if (wire in readable or pending) and client.loop_read() != mqtt.MQTT_ERR_SUCCESS:
            return False
        if writable and client.loop_write() != mqtt.MQTT_ERR_SUCCESS:
            return False
        return bool(client.loop_misc() == mqtt.MQTT_ERR_SUCCESS)

    def _work(self, client: mqtt.Client) -> None:
        now_s = time.monotonic()
        for tap_id in self._take_fresh():
            self._outbox.add_live(tap_id)
        self._outbox.expire(now_s)
        while ids := self._outbox.take(now_s):
            self._send(client, ids)
        if now_s >= self._heartbeat_due_s:
            self._beat(client)
        self._tidy()

    def _take_fresh(self) -> list[UUID]:
        fresh = []
        while not self._fresh.empty():
            fresh.append(self._fresh.get())
        return fresh

    def _tidy(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._tidy_due_s:
            self._tidy_due_s = now_s + _TIDY_S
            self._spool.tidy()

    def _send(self, client: mqtt.Client, ids: list[UUID]) -> None:
        """These taps, or as many of them as one message may carry."""
        kept = self._spool.load(ids)
        wall, now = utc_now(), uptime()
        taps = [each.as_sent(wall.timestamp(), now) for each in kept]
        while taps and len(body := msgspec.json.encode(Taps(wall, taps))) > MAX_BYTES:
            taps = taps[: len(taps) // 2]
        sent = {tap.id for tap in taps}
        waiting = {each.tap.id for each in kept}
        self._outbox.put_back([tap_id for tap_id in ids if tap_id in waiting - sent])
        self._outbox.forget([tap_id for tap_id in ids if tap_id not in waiting])
        if taps:
            expiry = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            expiry.MessageExpiryInterval = TAP_EXPIRY_S
            info = client.publish(self._topic(Kind.TAP), body, qos=1, properties=expiry)
            self._carried[info.mid] = [tap.id for tap in taps]

    def _beat(self, client: mqtt.Client) -> None:
        self._heartbeat_due_s = time.monotonic() + self._settings.heartbeat_s
        # QoS 0: the next one says more, and a broker keeps none of them for an absent server.
        body = msgspec.json.encode(self._status(ReaderState.ONLINE))
        client.publish(self._topic(Kind.STATUS), body, qos=0)

    def _say_goodbye(self, client: mqtt.Client) -> None:
        body = msgspec.json.encode(self._status(ReaderState.OFFLINE))
        client.publish(self._topic(Kind.STATUS), body, qos=1)
        client.disconnect()
        deadline_s = time.monotonic() + 1
        while client.want_write() and time.monotonic() < deadline_s:
            client.loop_write()

    def _lose(self) -> None:
        if self.is_connected:
            _log.warning("broker_lost")
        self.is_connected = False
        self._client = None
        self._carried.clear()
        self._outbox.disconnected()

    def _rest(self, seconds: float) -> None:
        deadline_s = time.monotonic() + seconds
        while not self._stopping and (left := deadline_s - time.monotonic()) > 0:
            select.select([self._ear], [], [], left)
            self._silence_bell()

    # What the broker brings

    def _on_connect(
        self, client: mqtt.Client, _: Any, flags: mqtt.ConnectFlags, code: ReasonCode, more: Any
    ) -> None:
        if code.is_failure:
            _log.error("broker_refused", reason=str(code))
            client.disconnect()
            return
        _log.info("broker_connected")
        self.is_connected = True
        # What was tapped while nobody could hear it is a backlog by now.
        self._outbox.add_backlog(self._take_fresh())
        kinds = (Kind.ACK, Kind.CARDS, Kind.EXITS, Kind.COMMAND)
        client.subscribe([(self._topic(kind), 1) for kind in kinds])
        self._beat(client)

    def _on_message(self, client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        kind = parse_topic(message.topic).kind
        try:
            if kind is Kind.ACK:
                self._take_ack(_ACK.decode(message.payload))
            elif kind is Kind.CARDS:
                self._take_cards(client, _CARDS.decode(message.payload))
            elif kind is Kind.EXITS:
                self._take_exits(client, _EXITS.decode(message.payload))
            elif kind is Kind.COMMAND:
                self._identify(_COMMAND.decode(message.payload).seconds)
        except msgspec.DecodeError as error:
            _log.warning("message_not_understood", kind=kind.value, error=str(error))

    def _on_publish(
        self, _client: mqtt.Client, _data: Any, mid: int, code: ReasonCode, _more: Any
    ) -> None:
        taps = self._carried.pop(mid, [])
        if taps and code.value == _NOBODY_LISTENS:
            self._outbox.unheard(taps, time.monotonic())

    def _take_ack(self, ack: Ack) -> None:
        try:
            self._spool.forget(ack.kept)
            for rejected in ack.rejected:
                self._spool.set_aside(rejected.id, rejected.reason)
                _log.error("tap_rejected", tap=str(rejected.id), reason=rejected.reason.value)
        except sqlite3.OperationalError as error:
            # A full disk: the taps stay, are sent again, and the server knows them already.
            if not self._is_disk_full:
                _log.error("spool_not_written", error=str(error))
            self._is_disk_full = True
            return
        self._is_disk_full = False
        self._outbox.answered([*ack.kept, *(each.id for each in ack.rejected)], time.monotonic())

    def _take_cards(self, client: mqtt.Client, message: CardsMessage) -> None:
        if self._cards.apply(message):
            _log.info("cards", version=self._cards.held.version, cards=len(self._cards.held.cards))
            self._beat(client)

    def _take_exits(self, client: mqtt.Client, message: ExitsMessage) -> None:
        if self._exits.apply(message):
            _log.info("exits", version=self._exits.exits.version)
            self._beat(client)

    # The bell that wakes the thread

    def _ring(self) -> None:
        # When it takes no more, it is ringing already.
        with contextlib.suppress(BlockingIOError):
            self._bell.send(b"\0")

    def _silence_bell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._ear.recv(4096):
                pass

    def _topic(self, kind: Kind) -> str:
        return str(Topic(self._settings.school, self._settings.reader, kind))

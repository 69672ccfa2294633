"""The link takes from the broker what it can hold, and the rest when there is room."""

import base64
import socket
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from card_server.broker.link import RECEIVE_MAXIMUM, BrokerLink
from card_server.config import Settings
from tests.harness.campus import DATA_KEY
from tests.harness.mosquitto import Mosquitto
from tests.harness.waiting import wait_for

_TOPIC = "campus/v1/no1/gate-in/tap"
_MESSAGES = 3 * RECEIVE_MAXIMUM
_ONE_READ = 65_536
"""Bytes that may come on top, at most a message for each 40."""


def make(broker: Mosquitto, folder: Path) -> BrokerLink:
    settings = Settings(
        database_url=f"sqlite:///{folder / 'none.db'}",
        data_key=base64.b64encode(DATA_KEY),
        web_secret="s" * 32,
        broker_port=broker.port,
    )
    return BrokerLink(settings, 1)


@pytest.fixture
def full_broker(mosquitto: Mosquitto, tmp_path: Path) -> Mosquitto:
    """A broker that has kept three times as much for the link as the link may hold."""
    link = make(mosquitto, tmp_path)
    link.start()
    wait_for(lambda: link.is_connected, what="the connection")
    publisher = Client(
        CallbackAPIVersion.VERSION2, client_id="readers", protocol=MQTTProtocolVersion.MQTTv5
    )
    publisher.max_queued_messages_set(0)
    publisher.connect(mosquitto.host, mosquitto.port)
    publisher.loop_start()
    publisher.publish(_TOPIC, b"first", qos=1).wait_for_publish(20)
    wait_for(lambda: link.take(0.1), what="the subscription")
    link.stop()
    sent = [publisher.publish(_TOPIC, b"%06d" % n, qos=1) for n in range(_MESSAGES)]
    for one in sent:
        one.wait_for_publish(60)
    publisher.disconnect()
    publisher.loop_stop()
    return mosquitto


def test_what_a_broker_has_kept_comes_as_it_is_taken(
    full_broker: Mosquitto, tmp_path: Path
) -> None:
    link, come, most = make(full_broker, tmp_path), list[bytes](), 0
    link.start()
    try:
        while len(set(come)) < _MESSAGES:
            batch = link.take(10)
            assert batch, f"only {len(come)} came"
            most = max(most, len(link._waiting))
            come += [one.payload for one in batch if one.payload != b"first"]
            link.acknowledge(batch, [])
    finally:
        link.stop()
    assert come == [b"%06d" % n for n in range(_MESSAGES)]
    assert most <= RECEIVE_MAXIMUM + _ONE_READ // 40


def test_while_nothing_is_taken_the_link_holds_no_more_than_it_may(
    full_broker: Mosquitto, tmp_path: Path
) -> None:
    link = make(full_broker, tmp_path)
    link.start()
    try:
        batch = link.take(10)
        link.acknowledge(batch, [])
        wait_for(lambda: not link._client.room.is_set(), what="as much as may wait")
        assert link.is_connected
        assert len(link._waiting) <= RECEIVE_MAXIMUM + _ONE_READ // 40
    finally:
        link.stop()


def test_after_a_break_what_waited_comes_again_and_not_twice(
    full_broker: Mosquitto, tmp_path: Path
) -> None:
    link, come = make(full_broker, tmp_path), list[bytes]()
    link.start()
    try:
        wait_for(lambda: len(link._waiting) >= 500, what="some of it")
        connection = link._client.socket()
        assert isinstance(connection, socket.socket)
        connection.shutdown(socket.SHUT_RDWR)
        while len(come) < _MESSAGES:
            batch = wait_for(lambda: link.take(1), what="the rest")
            again = [one for one in batch if one.connection == 2]
            come += [one.payload for one in again if one.payload != b"first"]
            link.acknowledge(again, [])
    finally:
        link.stop()
    assert come == [b"%06d" % n for n in range(_MESSAGES)]


def test_what_a_break_took_away_wakes_nobody(full_broker: Mosquitto, tmp_path: Path) -> None:
    link = make(full_broker, tmp_path)
    link.start()
    try:
        wait_for(lambda: len(link._waiting) >= 500, what="some of it")
        link.stop()
        link._forget_waiting()
        assert not link._arrived.is_set()
        assert not link._piled_up.is_set()
    finally:
        link.stop()

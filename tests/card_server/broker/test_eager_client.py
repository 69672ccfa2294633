"""The eager client hears what paho hears: every packet, however the stream is cut."""

import socket
import struct
import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from card_server.broker.eager_client import (
    EagerClient,
    Published,
    read_published,
    write_published,
)

Heard = tuple[str, bytes, int, int, bool, int | None]
"""Topic, payload, packet id, QoS, retained, expiry."""
_CONNACK = bytes((0x20, 3, 0, 0, 0))
_PINGRESP = bytes((0xD0, 0))


def length_of(count: int) -> bytes:
    """MQTT 5.0 §1.5.5."""
    encoded = bytearray()
    while True:
        count, low = divmod(count, 128)
        encoded.append(low | (0x80 if count else 0))
        if not count:
            return bytes(encoded)


def publish(
    topic: str, payload: bytes, mid: int, qos: int, is_retained: bool, properties: bytes
) -> bytes:
    name = topic.encode()
    body = struct.pack("!H", len(name)) + name
    if qos:
        body += struct.pack("!H", mid)
    body += length_of(len(properties)) + properties + payload
    return bytes((0x30 | qos << 1 | is_retained,)) + length_of(len(body)) + body


def expiry(seconds: int) -> bytes:
    return b"\x02" + struct.pack("!I", seconds)


USER_PROPERTY = b"\x26\x00\x01a\x00\x01b"
packets = st.one_of(
    st.builds(
        publish,
        st.sampled_from(["campus/v1/no1/gate/tap", "学校/门", "a" * 200]),
        st.binary(max_size=40) | st.just(b"x" * 20_000),
        st.integers(1, 65_535),
        st.sampled_from([0, 1, 1, 1]),
        st.booleans(),
        st.just(b"")
        | st.integers(0, 2**32 - 1).map(expiry)
        | st.just(USER_PROPERTY)
        | st.just(expiry(5) + USER_PROPERTY),
    ),
    st.just(_PINGRESP),
)


class Wire:
    """A broker's end of a connection; the client believes what comes."""

    def __init__(self, client: Client) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        taken: list[socket.socket] = []
        accepting = threading.Thread(target=lambda: taken.append(listener.accept()[0]))
        accepting.start()
        client.connect("127.0.0.1", listener.getsockname()[1])
        accepting.join()
        listener.close()
        [self._socket] = taken
        self._client = client

    def send(self, data: bytes) -> None:
        """Let the client read these bytes before any more come."""
        if data:
            self._socket.sendall(data)
            assert self._client.loop(1) == MQTTErrorCode.MQTT_ERR_SUCCESS

    def close(self) -> None:
        """End the stream; closed at once, a socket that was never read takes what it sent back."""
        self._socket.shutdown(socket.SHUT_WR)
        while self._client.loop(1) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            pass
        self._socket.close()


def make(kind: type[Client]) -> Client:
    """A client that adds what it hears to the list that is its user data."""

    def on_message(_: Client, heard: list[Heard], one: MQTTMessage) -> None:
        left = getattr(one.properties, "MessageExpiryInterval", None)
        payload = bytes(one.payload)
        heard.append((one.topic, payload, one.mid, one.qos, one.retain, left))

    def on_published(one: Published) -> None:
        heard: list[Heard] = client.user_data_get()
        heard.append((one.topic, one.payload, one.mid, 1, one.is_retained, one.expiry_s))

    made: dict[str, Any] = {
        "callback_api_version": CallbackAPIVersion.VERSION2,
        "protocol": MQTTProtocolVersion.MQTTv5,
        "manual_ack": True,
    }
    client = EagerClient(on_published, **made) if kind is EagerClient else Client(**made)
    client.on_message = on_message
    return client


PLAIN, EAGER = make(Client), make(EagerClient)
"""One of each for all examples: a client keeps two sockets of its own until it is collected."""


@settings(max_examples=60, deadline=None)
@given(stream=st.lists(packets, max_size=12), cuts=st.lists(st.integers(0, 60_000), max_size=6))
def test_it_hears_what_paho_hears_in_the_same_order(stream: list[bytes], cuts: list[int]) -> None:
    data = b"".join(stream)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    plain: list[Heard] = []
    eager: list[Heard] = []
    for client, heard in ((PLAIN, plain), (EAGER, eager)):
        client.user_data_set(heard)
        wire = Wire(client)
        wire.send(_CONNACK)
        for start, end in pairwise(places):
            wire.send(data[start:end])
        wire.close()
    assert eager == plain
    assert len(plain) == sum(packet != _PINGRESP for packet in stream)


def test_half_a_packet_of_a_lost_connection_is_forgotten() -> None:
    heard: list[Heard] = []
    EAGER.user_data_set(heard)
    first = Wire(EAGER)
    whole = publish("t", b"whole", 1, 1, False, expiry(9))
    first.send(_CONNACK + whole + whole[:7])
    first.close()
    second = Wire(EAGER)
    second.send(_CONNACK + publish("t", b"again", 2, 1, False, b""))
    assert [one[1] for one in heard] == [b"whole", b"again"]
    second.close()


@given(st.binary(max_size=60), st.integers(0, 5))
def test_rubbish_is_left_to_paho(rubbish: bytes, at: int) -> None:
    published, end = read_published(rubbish, at)
    assert (published is None) == (end == at)
    assert end <= max(at, len(rubbish))


def test_a_topic_that_is_no_text_is_left_to_paho() -> None:
    packet = publish("ab", b"x", 1, 1, False, b"").replace(b"ab", b"\xff\xfe")
    assert read_published(packet, 0) == (None, 0)


@pytest.mark.parametrize("seconds", [0, 1, 2**32 - 1])
def test_the_expiry_is_what_paho_reads(seconds: int) -> None:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = seconds
    assert properties.pack() == length_of(5) + expiry(seconds)  # type: ignore[no-untyped-call]
    published, _ = read_published(publish("t", b"", 7, 1, False, expiry(seconds)), 0)
    assert published == Published("t", b"", 7, False, seconds)


@given(st.sampled_from(["campus/v1/no1/gate/ack", "学校/门"]), st.binary(max_size=20_000))
def test_what_is_written_at_qos_0_is_the_standards_packet(topic: str, payload: bytes) -> None:
    assert write_published(topic, payload) == publish(topic, payload, 0, 0, False, b"")


def test_without_room_nothing_is_read_and_with_it_all_that_came() -> None:
    assert isinstance(EAGER, EagerClient)
    heard: list[Heard] = []
    EAGER.user_data_set(heard)
    wire = Wire(EAGER)
    wire.send(_CONNACK + publish("t", b"before", 1, 1, False, b""))
    EAGER.room.clear()
    wire.send(publish("t", b"first", 2, 1, False, b"") + publish("t", b"then", 3, 1, False, b""))
    assert [one[1] for one in heard] == [b"before"]
    EAGER.room.set()
    assert EAGER.loop(1) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert [one[1] for one in heard] == [b"before", b"first", b"then"]
    wire.close()

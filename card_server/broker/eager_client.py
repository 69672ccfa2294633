"""paho's client for who takes thousands of messages a second: reads many packets at once.

paho makes a `select` and three `recv` calls for each packet, and gives up the interpreter's lock at
each of them; its decoder of MQTT 5 properties takes longer still. This client reads as much as has
come and decodes the PUBLISH packets that taps come in (QoS 1, no property but the expiry) itself.
Every other packet goes paho's own way. It leans on paho's insides; the version is pinned, and
test_eager_client.py holds the two ways against each other.

While there is no room for more it reads nothing: what cannot be taken yet stays with the broker.
The receive maximum alone does not see to that: Mosquitto 2.0 counts afresh from each message that
is acknowledged, and pours out all that has waited.
"""

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from paho.mqtt.client import Client
from paho.mqtt.enums import MessageType, MQTTErrorCode

_READ_AT_ONCE = 65_536
_PAUSE_S = 0.02
"""How long reading waits for room before the thread looks whether there is something to write."""
_QOS_1 = 0x02
_QOS_BITS = 0x06
_RETAINED = 0x01
_MORE = 0x80
_MESSAGE_EXPIRY = 0x02
_NO_PROPERTIES, _ONLY_EXPIRY = 0, 5


class Published(NamedTuple):
    """A message at QoS 1, to be acknowledged by its `mid`."""

    topic: str
    payload: bytes
    mid: int
    is_retained: bool
    expiry_s: int | None
    """What is left of its life (MQTT 5.0 §3.3.2.3.3)."""


class EagerClient(Client):
    """Calls `on_published` for plain QoS 1 messages, `on_message` for all others."""

    def __init__(self, on_published: Callable[[Published], None], **settings: Any) -> None:
        super().__init__(**settings)
        self.room = threading.Event()
        """Cleared while `on_published` has got enough for now."""
        self.room.set()
        self._on_published = on_published
        self._ahead = b""
        self._at = 0

    def reconnect(self) -> MQTTErrorCode:
        """Forget what the old connection has left, then connect."""
        self._ahead, self._at = b"", 0
        return super().reconnect()

    def loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        """As paho's, which cannot know that something was read already and waits for room."""
        if self._at < len(self._ahead):
            result = self.loop_read()
            if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return result
            timeout = 0.0
        return super().loop(timeout)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Handle all packets that have come, not one; none while there is no room."""
        while True:
            if self._in_packet["command"] == 0:
                if not self._has_room():
                    return MQTTErrorCode.MQTT_ERR_SUCCESS
                self._take_published()
            result = super().loop_read(max_packets)
            if result != MQTTErrorCode.MQTT_ERR_SUCCESS or self._at >= len(self._ahead):
                return result

    def _has_room(self) -> bool:
        """Whether more may be read; what answers a CONNECT may be at any time."""
        return self.room.is_set() or not self.is_connected() or self.room.wait(_PAUSE_S)

    def _take_published(self) -> None:
        """Take whole PUBLISH packets off the front of what was read, while they are plain."""
        ahead, at = self._ahead, self._at
        while True:
            published, at = read_published(ahead, at)
            if published is None:
                return
            self._at = at
            self._on_published(published)

    def _sock_recv(self, bufsize: int) -> bytes:
        """Up to that many bytes of what was read already; reads as much as there is."""
        if self._at >= len(self._ahead):
            self._ahead = super()._sock_recv(max(bufsize, _READ_AT_ONCE))
            self._at = 0
        taken = self._ahead[self._at : self._at + bufsize]
        self._at += len(taken)
        return taken


def read_published(packets: bytes, at: int) -> tuple[Published | None, int]:
    """The plain QoS 1 message that starts there and where it ends (MQTT 5.0 §3.3).

    None, and the same place, for any other packet or one that has not come whole.
    """
    length, start = _read_length(packets, at + 1)
    end = start + length
    if length < 0 or end > len(packets):
        return None, at
    flags = packets[at]
    if flags & 0xF0 != MessageType.PUBLISH or flags & _QOS_BITS != _QOS_1:
        return None, at
    topic_end = start + 2 + int.from_bytes(packets[start : start + 2])
    body = topic_end + 3
    if body > end:
        return None, at
    properties = packets[topic_end + 2]
    expiry = None
    if properties == _ONLY_EXPIRY and packets[body] == _MESSAGE_EXPIRY and body + 5 <= end:
        expiry = int.from_bytes(packets[body + 1 : body + 5])
    elif properties != _NO_PROPERTIES:
        return None, at
    topic = _text(packets[start + 2 : topic_end])
    if topic is None:
        return None, at
    return Published(
        topic,
        packets[body + properties : end],
        int.from_bytes(packets[topic_end : topic_end + 2]),
        bool(flags & _RETAINED),
        expiry,
    ), end


def write_published(topic: str, payload: bytes) -> bytes:
    """The packet of a message at QoS 0 without properties."""
    name = topic.encode()
    body = len(name).to_bytes(2) + name + b"\0" + payload
    return bytes((MessageType.PUBLISH,)) + _write_length(len(body)) + body


def _write_length(length: int) -> bytes:
    """A variable byte integer (MQTT 5.0 §1.5.5)."""
    written = bytearray()
    while length > ~_MORE & 0xFF:
        written.append(length & 0xFF | _MORE)
        length >>= 7
    written.append(length)
    return bytes(written)


def _read_length(packets: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer and where it ends (MQTT 5.0 §1.5.5); -1 while it is not whole."""
    length = 0
    for place, byte in enumerate(packets[at : at + 4]):
        length |= (byte & ~_MORE) << (7 * place)
        if not byte & _MORE:
            return length, at + place + 1
    return -1, at


@lru_cache(maxsize=4_096)
def _text(topic: bytes) -> str | None:
    """None for what is no topic; paho has a way to deal with that."""
    try:
        return topic.decode()
    except UnicodeDecodeError:
        return None

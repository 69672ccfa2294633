"""A connection to the broker: MQTT 5, with the reader's certificate when the broker has one."""

import contextlib
import socket
import ssl
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from reader_daemon.config import Settings

KEEPALIVE_S: Final = 15
CONNECT_S: Final = 5
_IN_FLIGHT: Final = 200
"""More than the outbox ever has on its way, so that paho never queues by itself."""


class ConnectionFailedError(Exception):
    """The broker cannot be reached or refuses us; the text says which."""


def new_client(settings: Settings, suffix: str = "") -> mqtt.Client:
    """A client that has not connected yet; its session ends with its connection."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"reader-{settings.school}-{settings.reader}{suffix}",
        protocol=mqtt.MQTTv5,
    )
    client.connect_timeout = CONNECT_S
    client.max_inflight_messages_set(_IN_FLIGHT)
    if settings.broker_ca:
        client.tls_set_context(_tls(settings))
    return client


def connect(client: mqtt.Client, settings: Settings) -> None:
    """Open it; the broker answers to `on_connect` later. Raises ConnectionFailedError."""
    try:
        client.connect(
            settings.broker_host, settings.broker_port, keepalive=KEEPALIVE_S, clean_start=True
        )
    except (OSError, ValueError) as error:
        raise ConnectionFailedError(f"{type(error).__name__}: {error}") from error
    with contextlib.suppress(OSError):
        # A tap is one small packet: it must not wait for the last one's acknowledgement.
        as_socket(client).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def as_socket(client: mqtt.Client) -> socket.socket:
    """The client's open socket. Raises OSError when there is none."""
    found: Any = client.socket()
    if found is None:
        raise OSError("not connected")
    return found  # type: ignore[no-any-return]


def _tls(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(settings.broker_ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.broker_cert and settings.broker_key:
        context.load_cert_chain(settings.broker_cert, settings.broker_key)
    return context

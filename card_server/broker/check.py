"""Trying the broker as the server meets it: certificates, log-in, and a message to itself."""

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from queue import Empty, Queue
from typing import Any
from uuid import uuid4

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from card_server.broker.certificates import expiry
from card_server.broker.settings import CHECK_ROOT
from card_server.config import Settings
from card_server.finding import Finding, Verdict

_PATIENCE_S = 5.0
_EXPIRES_SOON = timedelta(days=60)


def examine_certificates(settings: Settings) -> Iterator[Finding]:
    """Our certificates of the broker can be read and are valid for a while yet."""
    for path in (settings.broker_ca, settings.broker_cert):
        if path is None:
            continue
        part = f"certificate {path.name}"
        advice = "docs/security.md says how certificates are made and renewed."
        try:
            until = expiry(path)
        except (OSError, ValueError) as error:
            yield Finding(part, Verdict.WRONG, f"It cannot be read: {error}", advice)
            continue
        left = until - datetime.now(UTC)
        verdict = Verdict.WELL if left > _EXPIRES_SOON else Verdict.DOUBTFUL
        if left < timedelta(0):
            verdict = Verdict.WRONG
        yield Finding(
            part, verdict, f"Valid until {until:%F}.", "" if verdict == "well" else advice
        )


def examine_broker(settings: Settings) -> Finding:
    """Connect, log in, and hear what we say."""
    where = f"{settings.broker_host}:{settings.broker_port}"
    answers: Queue[str] = Queue()
    client = _open_client(answers)
    try:
        if settings.broker_ca:
            client.tls_set(
                str(settings.broker_ca),
                str(settings.broker_cert) if settings.broker_cert else None,
                str(settings.broker_key) if settings.broker_key else None,
            )
        client.connect_timeout = _PATIENCE_S
        client.connect(settings.broker_host, settings.broker_port)
        client.loop_start()
        return _try_round_trip(client, answers, where, settings.broker_ca is not None)
    except ssl.SSLError as error:
        return Finding(
            "broker",
            Verdict.WRONG,
            f"{where} does not agree on certificates: {error.reason or error}.",
            "Are broker_ca, broker_cert and broker_key those that this broker's authority made?",
        )
    except OSError as error:
        return Finding(
            "broker",
            Verdict.WRONG,
            f"{where} cannot be reached: {error.strerror or error}.",
            "Is it running (`systemctl status mosquitto`), are broker_host and broker_port right?",
        )
    finally:
        client.disconnect()
        client.loop_stop()


def _open_client(answers: "Queue[str]") -> Client:
    """A client of its own name: ingest's session is not to be disturbed."""
    name = f"card-server-doctor-{uuid4().hex[:8]}"
    client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_connect = lambda _c, _u, _f, reason, _p: answers.put(f"login: {reason}")
    client.on_disconnect = lambda _c, _u, _f, reason, _p: answers.put(f"lost: {reason}")
    client.on_subscribe = lambda _c, _u, _m, reasons, _p: answers.put(f"subscribed: {reasons[0]}")
    client.on_message = lambda _c, _u, message: answers.put(f"heard: {message.payload.decode()}")
    return client


def _try_round_trip(client: Client, answers: "Queue[str]", where: str, is_tls: bool) -> Finding:
    word = uuid4().hex
    topic = f"{CHECK_ROOT}/{word}"
    steps: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("login: Success", lambda: None),
        ("subscribed: Granted QoS 1", lambda: client.subscribe(topic, 1)),
        (f"heard: {word}", lambda: client.publish(topic, word, 1)),
    )
    for wanted, act in steps:
        act()
        try:
            answer = answers.get(timeout=_PATIENCE_S)
        except Empty:
            answer = "no answer"
        if answer != wanted:
            return Finding(
                "broker",
                Verdict.WRONG,
                f"{where}: wanted “{wanted.split(':')[0]}”, got “{answer}”.",
                "The broker's log says why. Is its configuration the one that "
                "`card-server broker-config` writes, and broker_port the server's port in it?",
            )
    if not is_tls:
        return Finding(
            "broker",
            Verdict.DOUBTFUL,
            f"{where} answers, but anybody can listen: broker_ca is not set.",
            "docs/security.md says how to encrypt the connection.",
        )
    return Finding("broker", Verdict.WELL, f"{where} knows us and passes messages on, by TLS.")

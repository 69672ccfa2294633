"""The check: tries each part of a reader by itself and says what is wrong and what to do."""

import ssl
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.reasoncodes import ReasonCode

from reader_daemon.cardlist import CardList
from reader_daemon.config import Settings
from reader_daemon.connection import CONNECT_S, ConnectionFailedError, connect, new_client
from reader_daemon.daemon import CARDS_FILE, LOW_DISK_MB
from reader_daemon.sources.protocol import SourceError
from reader_daemon.sources.registry import open_source
from reader_daemon.spool import free_mb
from schema.messages import utc_now

_OLD_LIST: Final = timedelta(days=1)


class Found(NamedTuple):
    """How one part is."""

    part: str
    is_well: bool
    said: str


class _WrongError(Exception):
    """What is wrong with a part, and what to do."""


def check_parts(settings: Settings) -> Iterator[Found]:
    """Each part in turn, as soon as it was tried."""
    parts: dict[str, Callable[[Settings], str]] = {
        "card reader": _check_source,
        "disk": _check_disk,
        "card list": _check_cards,
        "broker": _check_broker,
    }
    for part, check in parts.items():
        try:
            yield Found(part, True, check(settings))
        except _WrongError as wrong:
            yield Found(part, False, str(wrong))


def _check_source(settings: Settings) -> str:
    try:
        return open_source(settings).check()
    except SourceError as error:
        raise _WrongError(str(error)) from error
    except ImportError as error:
        raise _WrongError(f"{error}: install the package with its [reader] extra.") from error


def _check_disk(settings: Settings) -> str:
    folder = settings.state_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / "check"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        raise _WrongError(
            f"{folder} cannot be written: {error.strerror}. Give it to the daemon's user, or make"
            " room on the disk."
        ) from error
    free = free_mb(folder)
    if free < LOW_DISK_MB:
        raise _WrongError(f"Only {free} MB are free at {folder}: make room.")
    return f"{folder} can be written; {free} MB are free."


def _check_cards(settings: Settings) -> str:
    held = CardList(settings.state_dir / CARDS_FILE).held
    if held.at is None:
        raise _WrongError(
            "There is no card list yet, so every card is refused. It comes within seconds once"
            " the daemon runs and the server knows this reader."
        )
    age = utc_now() - held.at
    hours = age / timedelta(hours=1)
    if age > _OLD_LIST:
        raise _WrongError(
            f"The card list (version {held.version}) is {hours:.0f} hours old: cards that were"
            " reported lost since then still pass. Is the broker reachable, the server running?"
        )
    return f"Version {held.version}, {len(held.cards)} cards, confirmed {hours:.1f} hours ago."


def _check_broker(settings: Settings) -> str:
    where = f"{settings.broker_host}:{settings.broker_port}"
    try:
        code = _try_to_connect(settings)
    except (OSError, ssl.SSLError) as error:
        raise _WrongError(f"A certificate or key cannot be used: {error}") from error
    except ConnectionFailedError as error:
        raise _WrongError(f"{where} cannot be reached or trusted. {error}") from error
    if code is None:
        raise _WrongError(
            f"{where} does not answer as an MQTT 5 broker, or refuses our certificate."
        )
    if code.is_failure:
        raise _WrongError(
            f"{where} refuses this reader ({code}): is its certificate the one made for"
            f" {settings.school}/{settings.reader}, and not revoked?"
        )
    return f"{where} lets this reader in" + ("." if settings.broker_ca else ", unencrypted.")


def _try_to_connect(settings: Settings) -> ReasonCode | None:
    """The broker's answer, by a client id of our own: the running daemon is not disturbed."""
    answers: list[ReasonCode] = []

    def on_connect(client: mqtt.Client, _: Any, flags: Any, code: ReasonCode, more: Any) -> None:
        answers.append(code)

    client = new_client(settings, suffix="-check")
    client.on_connect = on_connect
    connect(client, settings)
    deadline_s = time.monotonic() + CONNECT_S
    while not answers and time.monotonic() < deadline_s:
        if client.loop(0.2) != mqtt.MQTT_ERR_SUCCESS:
            break
    client.disconnect()
    return answers[0] if answers else None

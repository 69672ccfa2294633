"""A district for the bench: many schools, every student with a guardian and an active card."""

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import json as msgjson
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from schema.messages import TAP_EXPIRY_S, Decision, Tap, Taps, utc_now
from tests.harness.campus import DATA_KEY, Campus, make_campus
from tests.harness.mosquitto import Mosquitto
from tests.harness.processes import Process
from tests.harness.waiting import wait_for

SCHOOLS = 20
STUDENTS = 50_000
"""Each comes in once and leaves once: 100,000 taps, each with its three rows."""
IN_AGO, OUT_AGO = timedelta(minutes=20), timedelta(minutes=5)


def make_district(engine: Engine) -> list[Campus]:
    """The schools, as they are on any morning: everybody was here yesterday."""
    each = STUDENTS // SCHOOLS
    with Session(engine) as session:
        schools = [
            make_campus(session, f"s{number}", students=each, first_id=1 + number * each)
            for number in range(SCHOOLS)
        ]
        session.execute(
            text(
                "INSERT INTO presence SELECT school_id, id, homeroom_id, false,"
                " now() - interval '1 day', 1 FROM student"
            )
        )
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return schools


def passages(schools: list[Campus]) -> Iterator[tuple[str, str, str, timedelta]]:
    """(school, reader, uid, how long ago) of all 100,000 taps: the mornings, then the evenings."""
    for reader, ago in (("gate-in", IN_AGO), ("gate-out", OUT_AGO)):
        for place in range(len(schools[0].uids)):
            for school in schools:
                yield school.code, reader, school.uids[place], ago


def make_tap(uid: str, seq: int, tapped_at: datetime) -> Tap:
    """A tap as a reader makes it."""
    return Tap(
        id=uuid7(),
        boot=1,
        seq=seq,
        uid=uid,
        tapped_at=tapped_at,
        decision=Decision.ADMITTED,
        cards_version=1,
    )


def encode(taps: list[Tap]) -> bytes:
    """The message that carries them now."""
    return msgjson.encode(Taps(sent_at=utc_now(), taps=taps))


def expiry() -> Properties:
    """The MQTT property that every reader's tap message has."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = TAP_EXPIRY_S
    return properties


def open_session(broker: Mosquitto, client_id: str) -> Client:
    """A client of MQTT 5 with a session that outlives the connection, acknowledging by hand."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        manual_ack=True,
    )
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 86_400
    properties.ReceiveMaximum = 2_000
    client.connect(broker.host, broker.port, clean_start=False, properties=properties)
    return client


@contextmanager
def ingest(folder: Path, database_url: str, broker: Mosquitto) -> Iterator[Process]:
    """`card-server ingest` as a process."""
    values = {
        "database_url": database_url,
        "data_key": base64.b64encode(DATA_KEY).decode(),
        "web_secret": "s" * 32,
        "broker_port": broker.port,
        "ingest_health_port": 0,
    }
    config = folder / "card-server.toml"
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    argv = [sys.executable, "-c", "from card_server.commands import app; app()", "ingest"]
    with Process([*argv, "--config", str(config)], folder / "ingest.log") as process:
        wait_for(lambda: "connected to the broker" in process.output, 20, "ingest")
        yield process


def resident_mb(pid: int) -> float:
    """The most memory that a process has had resident (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

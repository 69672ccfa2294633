"""A small school with everything running, for the first story: broker, gates, server, SMS."""

import base64
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from card_server.broker import certificates
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.storage.database import open_engine
from schema.messages import CardState, ReaderState
from schema.tables.readers import Direction, Purpose, Reader, ReaderHealth
from schema.tables.school import School
from tests.harness.campus import DATA_KEY, Campus, make_campus
from tests.harness.cards import add_card, set_card_state
from tests.harness.ports import free_port, is_open
from tests.harness.processes import Process
from tests.harness.secure_broker import SecureBroker
from tests.harness.sms_server import ACCOUNT, SENDER, TOKEN, SmsServer
from tests.harness.waiting import wait_for
from tests.harness.zones import EARLY, zone_where_it_is
from tests.reader_daemon.box import Box

SCHOOL = "no1"
GATES = ("east", "west")
LOST = "04AA00000000E1"
"""A card of the school that was reported lost."""
STRAY = "04AA00000000E2"
"""A card that no school knows."""


@dataclass(frozen=True)
class Running:
    """What a story needs of the running school."""

    campus: Campus
    engine: Engine
    broker: SecureBroker
    sms: SmsServer
    address: str
    password: str
    """One-time, of the staff member `admin`."""
    zone: ZoneInfo
    """Where it is early in the morning, whenever the story is told."""

    def session(self) -> Session:
        return Session(self.engine)


@contextmanager
def running_school(
    folder: Path, database_url: str, *, students: int = 3, desks: Sequence[str] = ()
) -> Iterator[Running]:
    """Everything but the readers; on SQLite one process, on PostgreSQL one for each part."""
    engine = open_engine(database_url)
    zone = zone_where_it_is(EARLY)
    campus, password = _make_school(engine, zone, students, desks)
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        readers = [(SCHOOL, reader) for reader in (*GATES, *desks)]
        broker = stack.enter_context(SecureBroker(folder / "broker", readers))
        sms = stack.enter_context(SmsServer())
        port = free_port()
        config = _write_config(folder, database_url, broker, sms, port)
        parts = ["all"] if database_url.startswith("sqlite") else ["web", "ingest", "notify"]
        for part in parts:
            argv = [sys.executable, "-c", "from card_server.commands import app; app()", part]
            log = folder / f"{part}.log"
            stack.enter_context(Process([*argv, "--config", str(config)], log))
        wait_for(lambda: is_open(port), 60, "the web process")
        address = f"http://127.0.0.1:{port}"
        yield Running(campus, engine, broker, sms, address, password, zone)


@contextmanager
def gate(folder: Path, school: Running, code: str, **settings: Any) -> Iterator[Box]:
    """A reader daemon with its own certificate, ready when the server has heard of its list."""
    folder.mkdir()
    own = certificates.reader_files(school.broker.certificates, SCHOOL, code)
    authority = certificates.authority_files(school.broker.certificates)
    secure: dict[str, Any] = {
        "broker_port": school.broker.reader_port,
        "broker_ca": str(authority.certificate),
        "broker_cert": str(own.certificate),
        "broker_key": str(own.key),
    }
    with Box(folder, school=SCHOOL, reader=code, **secure, **settings) as box:
        wait_for(lambda: _has_list(school, code), 20, f"the gate {code} to have its card list")
        yield box


def _has_list(school: Running, code: str) -> bool:
    with school.session() as session:
        health = session.get(ReaderHealth, school.campus.readers[code])
        wanted = session.scalar(select(School.cards_version))
        return (
            health is not None
            and health.state is ReaderState.ONLINE
            and health.cards_version == wanted
        )


def _make_school(
    engine: Engine, zone: ZoneInfo, students: int, desks: Sequence[str]
) -> tuple[Campus, str]:
    now = datetime.now(UTC)
    readers: dict[str, Direction | None] = {
        **dict.fromkeys(GATES, Direction.IN),
        **dict.fromkeys(desks),
    }
    with Session(engine) as session:
        campus = make_campus(session, SCHOOL, students=students, readers=readers)
        session.execute(update(School).values(zone=zone.key))
        session.execute(update(Reader).where(Reader.code.in_(desks)).values(purpose=Purpose.DESK))
        set_card_state(session, add_card(session, campus.school_id, LOST, now), CardState.LOST, now)
        password = create_staff(session, campus.school_id, "admin", "管理员", WHOLE_SCHOOL)
        session.commit()
    return campus, password


def _write_config(
    folder: Path, database_url: str, broker: SecureBroker, sms: SmsServer, port: int
) -> Path:
    own = certificates.server_files(broker.certificates)
    values = {
        "database_url": database_url,
        "data_key": base64.b64encode(DATA_KEY).decode(),
        "web_secret": "s" * 32,
        "web_port": port,
        "web_behind_tls": False,
        "broker_host": broker.host,
        "broker_port": broker.server_port,
        "broker_ca": str(certificates.authority_files(broker.certificates).certificate),
        "broker_cert": str(own.certificate),
        "broker_key": str(own.key),
        "sms_providers": "twilio",
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TOKEN,
        "twilio_sender": SENDER,
        "twilio_base_url": sms.url,
        "ingest_health_port": 0,
        "notify_health_port": 0,
        "clock_health_port": 0,
    }
    config = folder / "card-server.toml"
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    return config


def count(session: Session, table: type) -> int:
    """How many rows a table has."""
    return session.scalar(select(func.count()).select_from(table)) or 0

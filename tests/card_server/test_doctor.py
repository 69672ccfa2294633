"""The doctor names each part that is wrong, with what to do, and is content when all is well."""

import base64
import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from card_server.audit.details import seal_details
from card_server.audit.writing import SYSTEM, note
from card_server.broker.certificates import (
    authority_files,
    create_authority,
    reader_files,
    server_files,
)
from card_server.config import Settings
from card_server.doctor import examine
from card_server.finding import Finding, Verdict
from card_server.health import serve_health
from card_server.storage.database import open_engine, open_sessions
from card_server.storage.sealing import Seal
from schema.messages import Decision
from schema.tables.audit import AuditDetail, AuditEntry, AuditHead
from schema.tables.people import Guardian
from schema.tables.school import School
from schema.tables.taps import Effect, Tap
from tests.harness.mosquitto import Mosquitto
from tests.harness.ports import free_port
from tests.harness.secure_broker import SecureBroker

KEY = b"k" * 32


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    with SecureBroker(tmp_path_factory.mktemp("broker"), [("no1", "gate")]) as running:
        yield running


def _settings(url: str, **more: Any) -> Settings:
    values: dict[str, Any] = {
        "database_url": url,
        "data_key": base64.b64encode(KEY),
        "web_secret": "s" * 32,
        "web_port": free_port(),
        "broker_port": free_port(),
        "ingest_health_port": 0,
        "notify_health_port": 0,
        "clock_health_port": 0,
    }
    return Settings(**(values | more))


def _at(broker: SecureBroker) -> dict[str, Any]:
    own = server_files(broker.certificates)
    return {
        "broker_host": broker.host,
        "broker_port": broker.server_port,
        "broker_ca": authority_files(broker.certificates).certificate,
        "broker_cert": own.certificate,
        "broker_key": own.key,
    }


def _find(settings: Settings, part: str) -> Finding:
    (found,) = [finding for finding in examine(settings) if finding.part == part]
    assert found.verdict is not Verdict.WRONG or found.what_to_do
    return found


def _add_school(url: str, zone: str = "Asia/Shanghai", key: bytes = KEY) -> int:
    engine = open_engine(url)
    with open_sessions(engine).begin() as session:
        school = School(code="no1", name="一中", signature="一中", zone=zone)
        session.add(school)
        session.flush()
        guardian = Guardian(
            school_id=school.id,
            name="王建",
            phone_sealed=Seal(key).close("+8613800138000"),
            phone_hash=b"h" * 32,
            phone_tail="8000",
        )
        session.add(guardian)
        school_id = school.id
    engine.dispose()
    return school_id


def test_a_sound_server_has_nothing_wrong(database_url: str, broker: SecureBroker) -> None:
    _add_school(database_url)
    findings = examine(_settings(database_url, **_at(broker)))
    assert [finding for finding in findings if finding.verdict is Verdict.WRONG] == []
    well = {finding.part for finding in findings if finding.verdict is Verdict.WELL}
    assert well >= {"database", "time zones", "data_key", "clock", "broker", "port of web"}


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    url = f"postgresql+psycopg://campus:secret-word@127.0.0.1:{free_port()}/campus"
    found = _find(_settings(url), "database")
    assert found.verdict is Verdict.WRONG
    assert "does not answer" in found.found
    assert "secret-word" not in repr(found)


def test_a_database_without_tables_says_how_to_make_them(tmp_path: Path) -> None:
    found = _find(_settings(f"sqlite:///{tmp_path / 'new.db'}"), "database")
    assert found.verdict is Verdict.WRONG
    assert "card-server migrate" in found.what_to_do


def test_a_key_of_another_database_is_found_out(database_url: str) -> None:
    _add_school(database_url, key=b"x" * 32)
    found = _find(_settings(database_url), "data_key")
    assert found.verdict is Verdict.WRONG
    assert "8613800138000" not in repr(found)


def test_a_zone_that_nobody_knows_is_named(database_url: str) -> None:
    _add_school(database_url, zone="Asia/Atlantis")
    found = _find(_settings(database_url), "time zones")
    assert (found.verdict, "Asia/Atlantis" in found.found) == (Verdict.WRONG, True)


def test_a_clock_that_went_back_is_noticed(database_url: str) -> None:
    school_id = _add_school(database_url)
    later = datetime.now(UTC) + timedelta(hours=1)
    engine = open_engine(database_url)
    with open_sessions(engine).begin() as session:
        session.add(
            Tap(
                school_id=school_id,
                id=uuid4(),
                reader_id=1,
                uid="04A1B2C3D4E5F6",
                tapped_at=later,
                sent_at=later,
                received_at=later,
                occurred_at=later,
                clock_suspect=False,
                decision=Decision.ADMITTED,
                cards_version=1,
                effect=Effect.NONE,
            )
        )
    engine.dispose()
    assert _find(_settings(database_url), "clock").verdict is Verdict.WRONG


def test_a_broker_that_is_away_is_named(sqlite_url: str) -> None:
    found = _find(_settings(sqlite_url), "broker")
    assert found.verdict is Verdict.WRONG
    assert "cannot be reached" in found.found


def test_a_broker_of_another_authority_is_not_trusted(
    sqlite_url: str, broker: SecureBroker, tmp_path: Path
) -> None:
    other = create_authority(tmp_path / "other").certificate
    found = _find(_settings(sqlite_url, **(_at(broker) | {"broker_ca": other})), "broker")
    assert found.verdict is Verdict.WRONG
    assert "certificates" in found.found


def test_a_certificate_that_may_not_do_the_servers_work_is_found_out(
    sqlite_url: str, broker: SecureBroker
) -> None:
    wrong = reader_files(broker.certificates, "no1", "gate")
    at = _at(broker) | {"broker_cert": wrong.certificate, "broker_key": wrong.key}
    assert _find(_settings(sqlite_url, **at), "broker").verdict is Verdict.WRONG


def test_a_broker_without_encryption_is_doubtful(sqlite_url: str, mosquitto: Mosquitto) -> None:
    found = _find(_settings(sqlite_url, broker_port=mosquitto.port), "broker")
    assert found.verdict is Verdict.DOUBTFUL
    assert "broker_ca" in found.found


def test_certificates_that_cannot_be_read_are_named(sqlite_url: str, tmp_path: Path) -> None:
    missing = tmp_path / "ca.crt"
    found = _find(_settings(sqlite_url, broker_ca=missing), "certificate ca.crt")
    assert found.verdict is Verdict.WRONG


def test_an_sms_provider_that_does_not_answer_is_named(sqlite_url: str) -> None:
    settings = _settings(
        sqlite_url,
        sms_providers="twilio",
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token="hush",
        twilio_sender="+15005550006",
        twilio_base_url=f"http://127.0.0.1:{free_port()}",
    )
    found = _find(settings, "SMS twilio")
    assert found.verdict is Verdict.WRONG
    assert found.found == "Twilio cannot be reached; nothing was sent."
    assert "hush" not in repr(found)


def test_carriers_that_are_not_complete_are_named(sqlite_url: str) -> None:
    found = _find(_settings(sqlite_url, sms_providers="console, tencent"), "SMS")
    assert found.verdict is Verdict.WRONG
    assert "tencent_secret_id is empty" in found.found


def test_a_console_that_tells_no_parent_is_doubtful(sqlite_url: str) -> None:
    assert _find(_settings(sqlite_url), "SMS console").verdict is Verdict.DOUBTFUL


def test_card_trays_that_do_not_answer_are_named(sqlite_url: str, tmp_path: Path) -> None:
    found = _find(_settings(sqlite_url, tray_dir=tmp_path), "card trays")
    assert found.verdict is Verdict.WELL
    assert found.found == "0 answer."


def test_a_port_is_free_ours_not_ready_or_taken(sqlite_url: str) -> None:
    ready = serve_health(0, {})
    waiting = serve_health(0, {"database": lambda: "The database does not answer."})
    stranger = http.server.HTTPServer(("127.0.0.1", 0), _Stranger)
    threading.Thread(target=stranger.serve_forever, daemon=True).start()
    settings = _settings(
        sqlite_url,
        ingest_health_port=ready.server_port,
        notify_health_port=waiting.server_port,
        clock_health_port=stranger.server_port,
    )
    try:
        found = {finding.part: finding for finding in examine(settings)}
    finally:
        for server in (ready, waiting, stranger):
            server.shutdown()
            server.server_close()
    assert "free" in found["port of web"].found
    assert found["port of ingest"].verdict is Verdict.WELL
    assert found["port of notify"].verdict is Verdict.WRONG
    assert "database does not answer" in found["port of notify"].found
    assert "Another program" in found["port of clock"].found


class _Stranger(http.server.BaseHTTPRequestHandler):
    """Some other program's web server."""

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


def test_the_end_of_each_audit_chain_stands_there_to_be_written_down(database_url: str) -> None:
    school_id = _add_school(database_url)
    settings = _settings(database_url)
    assert "Nothing was noted yet" in _find(settings, "audit log").found
    engine = seal_details(open_engine(database_url), KEY)
    with open_sessions(engine).begin() as session:
        for number in range(3):
            note(session, school_id, SYSTEM, "student.day_seen", f"student:{number}")
        note(session, None, SYSTEM, "staff.log_in", "staff:1")
    with engine.connect() as connection:
        heads = {row.school_id: row for row in connection.execute(select(AuditHead.__table__))}
    assert "1 entries; it ends with 1:" in _find(settings, "audit log of district").found
    found = _find(settings, "audit log of no1")
    assert (found.verdict, heads[school_id].hash.hex() in found.found) == (Verdict.WELL, True)
    with engine.begin() as connection:
        connection.execute(delete(AuditDetail))
        connection.execute(delete(AuditEntry).where(AuditEntry.seq == 3))
    engine.dispose()
    found = _find(settings, "audit log of no1")
    assert found.verdict is Verdict.WRONG
    assert "2 entries are there, 3 were written" in found.found

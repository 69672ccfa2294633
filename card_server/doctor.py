"""Trying every outside part of a server: what is well, what is not, and what to do about it."""

import ctypes
import http.client
import json
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Engine, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from card_server.audit.verifying import find_chains, read_head, snapshot
from card_server.broker.check import examine_broker, examine_certificates
from card_server.carriers import build_carriers
from card_server.config import Settings
from card_server.errors import AppError
from card_server.finding import Finding, Verdict
from card_server.storage.database import open_engine
from card_server.storage.migrate import current_revision, newest_revision
from card_server.storage.sealing import Seal
from integrations.sms.protocol import SendError, SmsCarrier
from schema.tables.audit import DISTRICT, AuditEntry
from schema.tables.people import Guardian
from schema.tables.readers import Reader
from schema.tables.school import School
from schema.tables.taps import Tap

_PATIENCE_S = 5.0
_DISK_FREE_MB = 2_000
_CLOCK_OFF = timedelta(seconds=5)
_LOGS = "Its log says more: `journalctl -u card-server-…`."


def examine(settings: Settings) -> list[Finding]:
    """Try each part, whatever the others said; takes a few seconds per part that is away."""
    engine = open_engine(settings.database_url)
    try:
        return [
            *_examine_database(engine, settings),
            *examine_certificates(settings),
            examine_broker(settings),
            *_examine_sms(settings),
            _examine_disk(settings),
            _examine_kernel_clock(),
            *_examine_ports(settings),
        ]
    finally:
        engine.dispose()


# --- Database --------------------------------------------------------------------------------


def _examine_database(engine: Engine, settings: Settings) -> Iterator[Finding]:
    """Reachable, of this release, its zones known, its numbers sealed with our key, its clock."""
    where = make_url(settings.database_url).render_as_string(hide_password=True)
    try:
        revision = current_revision(engine)
    except SQLAlchemyError as error:
        yield Finding(
            "database",
            Verdict.WRONG,
            f"{where} does not answer: {_first_line(error)}",
            "Is it running, and is database_url right? "
            "PostgreSQL: `systemctl status postgresql`; SQLite: the folder must be writable.",
        )
        return
    if revision != newest_revision():
        yield Finding(
            "database",
            Verdict.WRONG,
            f"{where} is at revision {revision or 'none'}, this release needs {newest_revision()}.",
            "Back it up, then run `card-server migrate`.",
        )
        return
    yield Finding("database", Verdict.WELL, f"{where} answers, revision {revision}.")
    yield _examine_zones(engine)
    yield _examine_key(engine, settings)
    yield _examine_clock(engine)
    yield from _examine_audit(engine)
    if settings.tray_dir:
        yield _examine_trays(engine, settings.tray_dir)


def _examine_zones(engine: Engine) -> Finding:
    """Each school's zone is known to Python and, where the database knows zones, to it too."""
    with engine.connect().execution_options(read_only=True) as connection:
        zones = set(connection.scalars(select(School.zone)))
        known = zones
        if engine.dialect.name == "postgresql":
            names = connection.exec_driver_sql("SELECT name FROM pg_timezone_names")
            known = {name for (name,) in names}
    unknown = sorted(zone for zone in zones if zone not in known or not _is_zone(zone))
    if unknown:
        return Finding(
            "time zones",
            Verdict.WRONG,
            f"Nobody here knows {', '.join(unknown)}.",
            "Correct the school's zone (Asia/Shanghai, for example) or install tzdata.",
        )
    return Finding("time zones", Verdict.WELL, ", ".join(sorted(zones)) or "No school yet.")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _examine_key(engine: Engine, settings: Settings) -> Finding:
    """The newest sealed number opens with the key of our settings."""
    newest = select(Guardian.phone_sealed).order_by(Guardian.id.desc()).limit(1)
    with engine.connect().execution_options(read_only=True) as connection:
        sealed = connection.scalar(newest)
    if sealed is None:
        return Finding("data_key", Verdict.WELL, "No number is sealed yet.")
    try:
        Seal(settings.data_key).open(sealed)
    except AppError:
        return Finding(
            "data_key",
            Verdict.WRONG,
            "It does not open the guardians' numbers: messages cannot be sent.",
            "Restore the data_key that belongs to this database from its safe place.",
        )
    return Finding("data_key", Verdict.WELL, "It opens the guardians' numbers.")


def _examine_clock(engine: Engine) -> Finding:
    """Our clock against the database server's, and against what was recorded last."""
    with engine.connect().execution_options(read_only=True) as connection:
        last = connection.scalar(select(func.max(Tap.received_at)))
        theirs = None
        if engine.dialect.name == "postgresql":
            theirs = connection.scalar(select(func.clock_timestamp()))
    now = datetime.now(UTC)
    wrong = ""
    if theirs and abs(theirs - now) > _CLOCK_OFF:
        wrong = f"The database's clock and ours differ by {abs(theirs - now).seconds} s."
    elif last and last - now > _CLOCK_OFF:
        wrong = f"The last tap was received at {last:%F %T} UTC, which is still to come."
    if wrong:
        return Finding("clock", Verdict.WRONG, wrong, "Set the clocks: `timedatectl set-ntp true`.")
    return Finding("clock", Verdict.WELL, f"{now:%F %T} UTC.")


def _examine_audit(engine: Engine) -> Iterator[Finding]:
    """Where each chain of the audit log ends now: for a school to write down elsewhere.

    That the chain holds all the way is for `card-server audit verify`, which reads every entry.
    """
    counted = select(AuditEntry.school_id, func.count()).group_by(AuditEntry.school_id)
    with snapshot(engine) as connection:
        codes = {row.id: row.code for row in connection.execute(select(School.id, School.code))}
        numbers = dict(connection.execute(counted).all())
        chains = {chain: read_head(connection, chain) for chain in find_chains(connection)}
    names = {DISTRICT: "district"} | codes
    if not chains:
        yield Finding("audit log", Verdict.WELL, "Nothing was noted yet.")
    for chain, head in chains.items():
        part = f"audit log of {names.get(chain, f'former school {chain}')}"
        number = numbers.get(chain, 0)
        if head is None or head.seq != number:
            yield Finding(
                part,
                Verdict.WRONG,
                f"{number:,} entries are there, {head.seq if head else 0:,} were written.",
                "`card-server audit verify` names what was cut out; keep a copy of the database.",
            )
        else:
            yield Finding(part, Verdict.WELL, f"{number:,} entries; it ends with {head}.")


def _examine_trays(engine: Engine, folder: Path) -> Finding:
    """Every reader's card tray takes a connection."""
    with engine.connect().execution_options(read_only=True) as connection:
        codes = sorted(connection.scalars(select(Reader.code)))
    silent = [code for code in codes if not _takes_connection(folder / f"{code}.sock")]
    if silent:
        return Finding(
            "card trays",
            Verdict.WRONG,
            f"No answer from {', '.join(silent)}.",
            "Do their daemons run, and is tray_dir right? Only a demo has trays.",
        )
    return Finding("card trays", Verdict.WELL, f"{len(codes)} answer.")


def _takes_connection(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PATIENCE_S)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


# --- SMS, disk, clock, ports -----------------------------------------------------------------


def _examine_sms(settings: Settings) -> Iterator[Finding]:
    """Each carrier of the settings answers and knows us."""
    try:
        carriers = build_carriers(settings)
    except AppError as error:
        yield Finding("SMS", Verdict.WRONG, error.message, "Correct the settings of the carrier.")
        return
    for carrier in carriers:
        yield _examine_carrier(carrier)


def _examine_carrier(carrier: SmsCarrier) -> Finding:
    if carrier.name == "console":
        return Finding(
            "SMS console",
            Verdict.DOUBTFUL,
            "Messages go to the log, parents get nothing.",
            "Set sms_providers when parents are to be told.",
        )
    try:
        carrier.check()
    except SendError as error:
        return Finding(
            f"SMS {carrier.name}",
            Verdict.WRONG,
            error.message,
            "Messages wait and are sent when it answers again. Check the account and its settings.",
        )
    return Finding(f"SMS {carrier.name}", Verdict.WELL, "It knows our account.")


def _examine_disk(settings: Settings) -> Finding:
    """Where SQLite keeps its file; with PostgreSQL elsewhere, the disk of this machine's logs."""
    url = make_url(settings.database_url)
    folder = Path("/var")
    if url.get_backend_name() == "sqlite" and url.database:
        folder = Path(url.database).absolute().parent
    try:
        free_mb = shutil.disk_usage(folder).free // 1_000_000
    except OSError as error:
        return Finding("disk", Verdict.WRONG, f"{folder}: {error.strerror}.", "Create the folder.")
    if free_mb < _DISK_FREE_MB:
        return Finding(
            "disk",
            Verdict.WRONG if free_mb < _DISK_FREE_MB / 10 else Verdict.DOUBTFUL,
            f"{free_mb} MB free at {folder}.",
            "Make room: a full disk stops the recording of taps (the readers keep them).",
        )
    return Finding("disk", Verdict.WELL, f"{free_mb:,} MB free at {folder}.")


class _Timex(ctypes.Structure):
    """Enough room for the kernel's struct timex (adjtimex(2)); with modes 0 it is only read."""

    _fields_ = [("modes", ctypes.c_uint), ("rest", ctypes.c_byte * 508)]


def _examine_kernel_clock() -> Finding:
    """Whether the kernel says that its clock follows a time server (adjtimex(2), TIME_ERROR)."""
    state = ctypes.CDLL(None).adjtimex(ctypes.byref(_Timex()))
    if state in {-1, 5}:
        return Finding(
            "time server",
            Verdict.DOUBTFUL,
            "This machine's clock does not follow a time server.",
            "`timedatectl set-ntp true`, with a time server of the school's network if need be.",
        )
    return Finding("time server", Verdict.WELL, "The clock follows a time server.")


def _examine_ports(settings: Settings) -> Iterator[Finding]:
    """Each of our ports is free, or one of our own processes answers there."""
    ports = {
        "web": (settings.web_host, settings.web_port),
        "ingest": ("127.0.0.1", settings.ingest_health_port),
        "notify": ("127.0.0.1", settings.notify_health_port),
        "clock": ("127.0.0.1", settings.clock_health_port),
    }
    for name, (host, port) in ports.items():
        if port:
            yield _examine_port(f"port of {name}", host, port)


def _examine_port(part: str, host: str, port: int) -> Finding:
    answer = _ask_ready("127.0.0.1" if host in {"0.0.0.0", "::"} else host, port)  # noqa: S104
    if answer is None:
        return Finding(part, Verdict.WELL, f"{port} is free: the process does not run.")
    if answer.get("ready"):
        return Finding(part, Verdict.WELL, f"The process answers at {port} and is ready.")
    if "ready" in answer:
        wrong = " ".join(map(str, answer.get("wrong", {}).values()))
        return Finding(part, Verdict.WRONG, f"The process at {port} is not ready. {wrong}", _LOGS)
    return Finding(
        part,
        Verdict.WRONG,
        f"Another program holds port {port}.",
        f"`ss -ltnp 'sport = :{port}'` says which. End it, or set another port.",
    )


def _ask_ready(host: str, port: int) -> dict[str, Any] | None:
    """What /ready answers; None if nobody listens, empty if it is not one of ours."""
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/ready")
        body = json.loads(connection.getresponse().read())
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return body if isinstance(body, dict) else {}


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]

"""What the demo keeps on disk: keys, certificates, database, and every part's settings."""

import base64
import fcntl
import os
import secrets
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from card_server.broker import certificates
from card_server.broker.settings import BrokerPlan, write_broker_config
from card_server.demo.school import CODE, READERS, Gate
from card_server.errors import AppError, Code
from schema.tables.readers import Purpose

HOST = "127.0.0.1"
_LONGEST_SOCKET_PATH = 107
"""Bytes; sockaddr_un.sun_path is 108 with its closing zero (unix(7))."""


@dataclass(frozen=True)
class Ports:
    """Where on loopback the demo's listeners are."""

    web: int
    broker_readers: int
    broker_server: int


class DemoFolder:
    """One demo's folder, held on entry; everything in it may be deleted to begin anew."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (self.root / "lock").open("a")

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.ports.web}/"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.root / 'campus.db'}"

    @property
    def server_config(self) -> Path:
        return self.root / "card-server.toml"

    @property
    def broker_config(self) -> Path:
        return self.root / "broker" / "mosquitto.conf"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    def reader_config(self, code: str) -> Path:
        return self.root / "readers" / code / "reader-daemon.toml"

    def __enter__(self) -> "DemoFolder":
        """Raises AppError(CONFLICT) if another demo holds the folder."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AppError(
                Code.CONFLICT, f"A demo runs already in {self.root}. End it first (Ctrl-C there)."
            ) from error
        self.ports = self._choose_ports()
        self.tray = self._tray_folder()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.tray, ignore_errors=True)
        self._lock.close()

    def write(self) -> None:
        """Make what is not there yet, and write the settings for this start's ports."""
        self._make_certificates()
        user = "root" if os.geteuid() == 0 else None
        write_broker_config(
            self.broker_config.parent,
            BrokerPlan(
                self._certificates,
                self.root / "broker" / "data",
                self.ports.broker_readers,
                HOST,
                self.ports.broker_server,
                HOST,
                user,
            ),
        )
        self._write_server_config()
        for reader in READERS:
            self._write_reader_config(reader)

    @property
    def _certificates(self) -> Path:
        return self.root / "certificates"

    def _make_certificates(self) -> None:
        store = self._certificates
        if not certificates.authority_files(store).certificate.exists():
            certificates.create_authority(store)
        if not certificates.broker_files(store).certificate.exists():
            certificates.issue_broker_certificate(store, [HOST, "localhost"])
        if not certificates.server_files(store).certificate.exists():
            certificates.issue_server_certificate(store)
        for reader in READERS:
            if not certificates.reader_files(store, CODE, reader.code).certificate.exists():
                certificates.issue_reader_certificate(store, CODE, reader.code)

    def _write_server_config(self) -> None:
        own = certificates.server_files(self._certificates)
        values: dict[str, str | int | bool | Path] = {
            "database_url": self.database_url,
            "data_key": self._secret("data_key"),
            "web_secret": self._secret("web_secret"),
            "web_host": HOST,
            "web_port": self.ports.web,
            "web_behind_tls": False,
            "web_address": f"http://{HOST}:{self.ports.web}",
            "broker_host": HOST,
            "broker_port": self.ports.broker_server,
            "broker_ca": certificates.authority_files(self._certificates).certificate,
            "broker_cert": own.certificate,
            "broker_key": own.key,
            "sms_providers": "console",
            "ingest_health_port": 0,
            "notify_health_port": 0,
            "clock_health_port": 0,
            "tray_dir": self.tray,
        }
        _write_toml(self.server_config, values)

    def _write_reader_config(self, reader: Gate) -> None:
        code = reader.code
        own = certificates.reader_files(self._certificates, CODE, code)
        config = self.reader_config(code)
        values: dict[str, str | int | bool | Path] = {
            "school": CODE,
            "reader": code,
            # All but the desk judge cards by the list; what a tap means, the server decides.
            "purpose": "desk" if reader.purpose is Purpose.DESK else "gate",
            "state_dir": config.parent / "state",
            "source": "tray",
            # So that a newcomer sees a reader that was ended, and one that is back, at once.
            "heartbeat_s": 3,
            "tray_socket": self.tray / f"{code}.sock",
            "broker_host": HOST,
            "broker_port": self.ports.broker_readers,
            "broker_ca": certificates.authority_files(self._certificates).certificate,
            "broker_cert": own.certificate,
            "broker_key": own.key,
        }
        (config.parent / "state").mkdir(parents=True, exist_ok=True)
        _write_toml(config, values)

    def _secret(self, name: str) -> str:
        """32 random bytes, base64, made once."""
        path = self.root / "secrets" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            path.write_text(base64.b64encode(secrets.token_bytes(32)).decode(), encoding="ascii")
        return path.read_text(encoding="ascii")

    def _choose_ports(self) -> Ports:
        """The web's port of last time where it is free, so that a browser's tab stays good."""
        kept = self.root / "web-port"
        wanted = int(kept.read_text()) if kept.exists() else 0
        ports = Ports(_free_port(wanted), _free_port(), _free_port())
        kept.write_text(str(ports.web))
        return ports

    def _tray_folder(self) -> Path:
        """Short enough a path for Unix sockets; without what a killed demo left in it."""
        tray = self.root / "tray"
        shutil.rmtree(tray, ignore_errors=True)
        longest = max(len(os.fsencode(tray / f"{reader.code}.sock")) for reader in READERS)
        if longest > _LONGEST_SOCKET_PATH:
            return Path(tempfile.mkdtemp(prefix="campus-tray-"))
        tray.mkdir(mode=0o700, exist_ok=True)
        return tray


def _free_port(wanted: int = 0) -> int:
    """A port that nobody listens on now; the wanted one if it can be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError:
            probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _write_toml(path: Path, values: dict[str, str | int | bool | Path]) -> None:
    """Readable by its owner only: it holds keys."""
    lines = [f"{name} = {_toml(value)}" for name, value in values.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write("\n".join(["# Written by the demo at each start.", *lines, ""]))


def _toml(value: str | int | bool | Path) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

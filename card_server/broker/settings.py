"""The broker's configuration: who may connect, and who may say and hear what.

Two TLS listeners, both asking for a certificate of the school's authority. Readers come in by the
first, where a client's id is its certificate's name, so that a stolen reader cannot take the
server's session away. The server comes in by the second, which listens on loopback unless told
otherwise and lets several server processes share one certificate.
"""

import os
import pwd
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from card_server.broker.certificates import (
    SERVER_NAME,
    authority_files,
    broker_files,
    create_authority,
    issue_broker_certificate,
    issue_server_certificate,
    revocation_list,
    server_files,
)
from card_server.errors import AppError, Code
from schema.topics import ROOT, Kind

CHECK_ROOT = "campus/check"
"""Below this the server may talk to itself: how `card-server doctor` tries the broker."""

_FROM_READER = (Kind.TAP, Kind.STATUS)
_TO_READER = (Kind.ACK, Kind.CARDS, Kind.EXITS, Kind.COMMAND)

_CONFIG = """\
# Written by card-server broker-config. Readers' taps are safe without this broker's memory: they
# stay in each reader's spool until the server has stored them.
per_listener_settings false
allow_anonymous false
acl_file {acl}
persistence true
persistence_location {data}/
autosave_interval 30
# Ingest asks for up to 2,000 unacknowledged messages; 20, the default, would throttle it.
max_inflight_messages 2000
# While the server is away; what is dropped beyond is sent again by the readers.
max_queued_messages 100000
max_queued_bytes 268435456
max_packet_size 65536
# A tap that comes back from a broker's memory a day later would be a second tap.
retain_available false
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true
set_tcp_nodelay true
{user}
# Readers.
listener {reader_port} {reader_host}
{tls}
use_username_as_clientid true

# The server's own processes.
listener {server_port} {server_host}
{tls}
"""

_TLS = """\
cafile {authority}
certfile {certificate}
keyfile {key}
crlfile {revoked}
require_certificate true
use_identity_as_username true
tls_version tlsv1.2"""


@dataclass(frozen=True)
class BrokerPlan:
    """What a broker's configuration depends on."""

    certificates: Path
    """The folder of the authority, see certificates.py."""
    data: Path
    """Where the broker keeps its memory."""
    reader_port: int = 8883
    reader_host: str = "0.0.0.0"  # noqa: S104  readers come from the school's network
    server_port: int = 8884
    server_host: str = "127.0.0.1"
    user: str | None = None
    """Who the broker becomes when root starts it; None for its own user, mosquitto."""


def write_broker_config(folder: Path, plan: BrokerPlan) -> Path:
    """Write mosquitto.conf and its access list into the folder; the path of mosquitto.conf."""
    folder.mkdir(parents=True, exist_ok=True)
    plan.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    acl = folder / "mosquitto.acl"
    acl.write_text(access_list(), encoding="utf-8")
    broker = broker_files(plan.certificates)
    tls = _TLS.format(
        authority=authority_files(plan.certificates).certificate.absolute(),
        certificate=broker.certificate.absolute(),
        key=broker.key.absolute(),
        revoked=revocation_list(plan.certificates).absolute(),
    )
    config = folder / "mosquitto.conf"
    config.write_text(
        _CONFIG.format(
            acl=acl.absolute(),
            data=plan.data.absolute(),
            user=f"user {plan.user}\n" if plan.user else "",
            reader_port=plan.reader_port,
            reader_host=plan.reader_host,
            server_port=plan.server_port,
            server_host=plan.server_host,
            tls=tls,
        ),
        encoding="utf-8",
    )
    return config


def set_up_broker(
    authority: Path, folder: Path, data: Path, hosts: Sequence[str], owner: str = "mosquitto"
) -> Path:
    """All that the system's own Mosquitto needs, in a folder of its own; the path of its settings.

    Makes the certificates that are not there yet, under these names of this machine, and copies
    the broker's out of the authority's folder, which stays closed to it. To be run again after a
    revocation. Raises AppError(INVALID) when root runs it and there is no such owner.
    """
    if not authority_files(authority).certificate.exists():
        create_authority(authority)
    if not broker_files(authority).certificate.exists():
        issue_broker_certificate(authority, list(dict.fromkeys([*hosts, "127.0.0.1"])))
    if not server_files(authority).certificate.exists():
        issue_server_certificate(authority)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = broker_files(authority)
    needed = (
        authority_files(authority).certificate,
        own.certificate,
        own.key,
        revocation_list(authority),
    )
    for path in needed:
        shutil.copy(path, folder / path.name)
    config = write_broker_config(folder, BrokerPlan(certificates=folder, data=data))
    if os.geteuid() == 0:
        _hand_over([folder, *folder.iterdir(), data], owner)
    return config


def _hand_over(paths: Iterable[Path], owner: str) -> None:
    """Mosquitto reads its key only after it has ceased to be root."""
    try:
        account = pwd.getpwnam(owner)
    except KeyError as error:
        raise AppError(
            Code.INVALID, f"There is no account {owner}. Is Mosquitto installed?"
        ) from error
    for path in paths:
        os.chown(path, account.pw_uid, account.pw_gid)


def access_list() -> str:
    """Mosquitto's access list: the server by its name, a reader by the topics that hold its own."""
    lines = [f"user {SERVER_NAME}"]
    lines += [f"topic read {ROOT}/+/+/{kind}" for kind in _FROM_READER]
    lines += [f"topic write {ROOT}/+/+/{kind}" for kind in _TO_READER]
    lines += [f"topic readwrite {CHECK_ROOT}/#", ""]
    # %u is the certificate's name, `<school>/<reader>`; it spans two levels of the topic.
    lines += [f"pattern write {ROOT}/%u/{kind}" for kind in _FROM_READER]
    lines += [f"pattern read {ROOT}/%u/{kind}" for kind in _TO_READER]
    return "\n".join(lines) + "\n"

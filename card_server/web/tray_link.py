"""Holding a card to a demo's reader: one line of JSON to its socket, one line back."""

import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from card_server.errors import AppError, Code
from schema.topics import CODE

_TIMEOUT_S = 5.0
_MAX_ANSWER = 4096
_UID = re.compile(r"[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}")


class Answer(msgspec.Struct, frozen=True):
    """What the reader's light showed."""

    signal: str
    """admitted, refused, or not_kept when the tap could not be kept."""
    reason: str | None = None


@dataclass(frozen=True)
class Shown:
    """The light, and how long the tap took to be judged and kept."""

    signal: str
    reason: str | None
    milliseconds: int


def hold_card(tray_dir: Path, reader: str, uid: str) -> Shown:
    """Hold a card to a reader. Raises AppError when the reader is not there or says nothing."""
    if not CODE.fullmatch(reader) or not _UID.fullmatch(uid):
        raise AppError(Code.INVALID, "This is not a card or not a reader.")
    started = time.perf_counter()
    try:
        line = _exchange(tray_dir / f"{reader}.sock", msgspec.json.encode({"uid": uid}) + b"\n")
        answer = msgspec.json.decode(line, type=Answer)
    except (OSError, msgspec.DecodeError) as error:
        raise AppError(
            Code.UNAVAILABLE, "This reader does not answer. Is its reader daemon running?"
        ) from error
    took = round((time.perf_counter() - started) * 1000)
    return Shown(answer.signal, answer.reason, took)


def _exchange(path: Path, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(_TIMEOUT_S)
        link.connect(str(path))
        link.sendall(line)
        answer = b""
        while not answer.endswith(b"\n") and len(answer) < _MAX_ANSWER:
            part = link.recv(_MAX_ANSWER)
            if not part:
                break
            answer += part
    return answer

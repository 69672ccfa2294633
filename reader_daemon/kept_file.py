"""One value on the reader's disk, whole or not at all: this version of it, or the one before."""

import hashlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

_log = structlog.get_logger()
T = TypeVar("T")


def write_file(path: Path, value: msgspec.Struct) -> None:
    """Write aside, sync, rename: a crash leaves this version, or the one before it."""
    body = msgspec.json.encode(value)
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        path.replace(_previous(path))
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_file(path: Path, kind: type[T]) -> T | None:
    """The newest version that is whole; None if there is none."""
    return _read(path, kind) or _read(_previous(path), kind)


def _previous(path: Path) -> Path:
    return path.with_suffix(".previous")


def _read(path: Path, kind: type[T]) -> T | None:
    """What is in a file; None if there is none or if it is torn, which is logged."""
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            raise ValueError("checksum")
        return msgspec.json.decode(body, type=kind)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.error("file_unreadable", file=path.name, error=type(error).__name__)
        return None

"""The personal part of an entry: a text with a salt in it, sealed by the key of its engine."""

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine

from card_server.errors import AppError
from card_server.storage.sealing import Seal

_SALT_BYTES = 32
_SEAL = "audit_seal"
_PLAIN = b"{"
"""How a text begins that was not sealed; a sealed one begins with the seal's version."""


class Detail(msgspec.Struct, frozen=True):
    """Who it was by name and address, why, and the values that belong to it."""

    salt: str
    """Random: two equal details have different digests, and none can be guessed from its digest."""
    name: str
    address: str
    reason: str
    details: dict[str, Any]


def seal_details(engine: Engine, data_key: bytes) -> Engine:
    """From now on what this engine's sessions note is sealed, and they can open it again."""
    engine.update_execution_options(**{_SEAL: Seal(data_key)})
    return engine


def write_detail(name: str, address: str, reason: str, details: Mapping[str, object]) -> str:
    """The text that is digested and kept."""
    salt = secrets.token_hex(_SALT_BYTES)
    detail = Detail(salt, name, address, reason, dict(details))
    return msgspec.json.encode(detail, enc_hook=str).decode()


def read_detail(text: str) -> Detail:
    """What write_detail was given."""
    return msgspec.json.decode(text, type=Detail)


def close_text(connection: Connection, text: str) -> bytes:
    """The text as it is stored: sealed, unless nobody gave the engine a key."""
    seal = _seal_of(connection)
    return seal.close(text) if seal else text.encode()


def open_text(connection: Connection, body: bytes) -> str | None:
    """The text again; None when this engine has not the key, or the stored bytes were changed."""
    if not is_sealed(body):
        return body.decode(errors="replace")
    seal = _seal_of(connection)
    try:
        return seal.open(body) if seal else None
    except AppError:
        return None


def is_sealed(body: bytes) -> bool:
    """Whether a stored detail needs the key."""
    return not body.startswith(_PLAIN)


def _seal_of(connection: Connection) -> Seal | None:
    found: Seal | None = connection.get_execution_options().get(_SEAL)
    return found

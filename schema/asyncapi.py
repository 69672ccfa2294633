"""The MQTT contract as an AsyncAPI 3.0 document, made from the messages and topics themselves.

`python -m schema.asyncapi` writes it to asyncapi.json beside this file.
"""

import ast
import inspect
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

from schema import messages
from schema.topics import CODE, ROOT, Kind

FILE: Final = Path(__file__).with_name("asyncapi.json")
Json = dict[str, Any]

_ADDITIONS: Final = 1
"""Raised with each message, field or word that is new and that older readers need not know."""
_BINDING: Final = "0.2.0"
"""Version of AsyncAPI's MQTT bindings."""
_NOON: Final = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
_TAP_ID: Final = UUID("0199f0a4-5c00-7000-8000-000000000001")
_OTHER_ID: Final = UUID("0199f0a4-5c00-7000-8000-000000000002")


class Party(StrEnum):
    """Who takes part in a conversation."""

    READER = "reader"
    SERVER = "server"


class Talk(NamedTuple):
    """What travels on one kind of topic, who says it, and how."""

    sender: Party
    qos: int
    messages: dict[type[Struct], Struct]
    """Each message with an example."""
    about: str
    expiry_s: int | None = None


TALKS: Final[dict[Kind, Talk]] = {
    Kind.TAP: Talk(
        Party.READER,
        1,
        {
            messages.Taps: messages.Taps(
                sent_at=_NOON,
                taps=[
                    messages.Tap(
                        id=_TAP_ID,
                        boot=12,
                        seq=1,
                        uid="5630F009",
                        tapped_at=_NOON,
                        decision=messages.Decision.ADMITTED,
                        cards_version=41,
                    )
                ],
            )
        },
        f"Taps, at most {messages.MAX_TAPS} in a message of at most {messages.MAX_BYTES} bytes. "
        "A PUBACK says only that the broker has it: the reader keeps each tap and sends it again "
        "until an ack names it. Never retained.",
        messages.TAP_EXPIRY_S,
    ),
    Kind.ACK: Talk(
        Party.SERVER,
        0,
        {
            messages.Ack: messages.Ack(
                kept=[_TAP_ID],
                rejected=[messages.Rejected(_OTHER_ID, messages.Rejection.SEQ_REUSED)],
            )
        },
        "After the commit: kept taps may leave the spool, rejected ones are set aside and not sent "
        "again. A lost ack does no harm, for a tap that comes again is acknowledged again.",
    ),
    Kind.CARDS: Talk(
        Party.SERVER,
        1,
        {
            messages.CardsSnapshot: messages.CardsSnapshot(
                list_version=41,
                part=0,
                parts=1,
                cards=[messages.ListedCard("5630F009", messages.CardState.ACTIVE)],
            ),
            messages.CardsChange: messages.CardsChange(
                from_version=41,
                to_version=42,
                cards=[messages.ListedCard("5630F009", messages.CardState.LOST)],
            ),
        },
        "The card list: a change to who has `from_version`, else a snapshot in parts. Each status "
        "is answered; an empty change says that the list still holds.",
    ),
    Kind.EXITS: Talk(
        Party.SERVER,
        1,
        {
            messages.ExitsSnapshot: messages.ExitsSnapshot(
                list_version="5f0c9a41d27be683",
                part=0,
                parts=1,
                sent_at=_NOON,
                others=[messages.Window(_NOON, _NOON + timedelta(hours=4))],
                held=[messages.HeldCards(windows=[], cards=["5630F009"])],
            ),
            messages.ExitPermits: messages.ExitPermits(
                sent_at=_NOON,
                part=0,
                parts=1,
                permits=[
                    messages.Permit(
                        "04A1B2C3D4E5F6",
                        _NOON + timedelta(hours=1),
                        _NOON + timedelta(hours=2),
                    )
                ],
            ),
        },
        "Which exits a gate's reader holds, for a gate that leads out: to each status that has an "
        "`exits_version` the permits, and before them the snapshot if that is another version. "
        "For any other reader the list is the empty one, whose version is empty.",
    ),
    Kind.STATUS: Talk(
        Party.READER,
        0,
        {
            messages.Status: messages.Status(
                state=messages.ReaderState.ONLINE,
                boot=12,
                sent_at=_NOON,
                drained_to=_NOON,
                source=messages.SourceState.READY,
                cards_version=41,
                cards_at=_NOON,
                disk_free_mb=21_630,
                exits_version="5f0c9a41d27be683",
                software="0.1.0",
            )
        },
        "How the reader is: every 15 s and on each connection. The last will and the goodbye, with "
        "`state` offline, go at QoS 1.",
    ),
    Kind.COMMAND: Talk(
        Party.SERVER,
        1,
        {messages.Identify: messages.Identify(seconds=5)},
        "What a reader is asked to do.",
    ),
}


def build_document() -> Json:
    """The whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Campus card: readers and server",
            "version": f"{messages.VERSION}.{_ADDITIONS}.0",
            "description": "What a card reader and the school's server say to each other over "
            "MQTT 5. Times are RFC 3339 with a zone; payloads are JSON objects with `type` (which "
            "message) and `v` (the version of its shape). No names, no phone numbers.",
        },
        "defaultContentType": "application/json",
        "servers": {"broker": _server()},
        "channels": {kind.value: _channel(kind, talk) for kind, talk in TALKS.items()},
        "operations": _operations(),
        "components": {
            "messages": {
                struct.__name__: _message(struct, example)
                for talk in TALKS.values()
                for struct, example in talk.messages.items()
            },
            "schemas": _schemas(),
            "securitySchemes": {
                "certificate": {
                    "type": "X509",
                    "description": "A certificate of the school's own authority, named "
                    "`<school>/<reader>`.",
                }
            },
        },
    }


def encode_document() -> bytes:
    """The document as it is kept in FILE."""
    return msgspec.json.format(msgspec.json.encode(build_document()), indent=2) + b"\n"


def _server() -> Json:
    return {
        "host": "card.school.example:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5.0",
        "description": "The school's own broker; TLS 1.2 or newer.",
        "security": [{"$ref": "#/components/securitySchemes/certificate"}],
    }


def _channel(kind: Kind, talk: Talk) -> Json:
    code = f"A code: {CODE.pattern}"
    return {
        "address": f"{ROOT}/{{school}}/{{reader}}/{kind}",
        "description": talk.about,
        "parameters": {
            "school": {"description": f"The school. {code}", "examples": ["no1"]},
            "reader": {"description": f"The reader. {code}", "examples": ["gate-east"]},
        },
        "messages": {
            struct.__name__: {"$ref": f"#/components/messages/{struct.__name__}"}
            for struct in talk.messages
        },
    }


def _operations() -> Json:
    """Each conversation twice: as the one who says it and as the one who hears it."""
    operations = {}
    for kind, talk in TALKS.items():
        for party in Party:
            action = "send" if party is talk.sender else "receive"
            binding: Json = {"qos": talk.qos, "retain": False, "bindingVersion": _BINDING}
            if talk.expiry_s is not None:
                binding["messageExpiryInterval"] = talk.expiry_s
            operations[f"{party}.{action}.{kind}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{kind}"},
                "summary": f"The {party} {action}s {kind}.",
                "tags": [{"name": party.value}],
                "bindings": {"mqtt": binding},
                "messages": [
                    {"$ref": f"#/channels/{kind}/messages/{struct.__name__}"}
                    for struct in talk.messages
                ],
            }
    return operations


def _message(struct: type[Struct], example: Struct) -> Json:
    return {
        "name": struct.__struct_config__.tag,
        "summary": inspect.getdoc(struct),
        "payload": {"$ref": f"#/components/schemas/{struct.__name__}"},
        "examples": [{"payload": msgspec.to_builtins(example)}],
    }


def _schemas() -> Json:
    structs = [struct for talk in TALKS.values() for struct in talk.messages]
    _, schemas = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    for name, schema in schemas.items():
        _describe(schema, _notes(getattr(messages, name)))
        _as_draft_7(schema)
    return schemas


def _describe(schema: Json, notes: dict[str, str]) -> None:
    for name, note in notes.items():
        described = schema.get("properties", {}).get(name)
        if described is not None:
            # Draft 7 ignores whatever stands beside a $ref.
            if "$ref" in described:
                described["allOf"] = [{"$ref": described.pop("$ref")}]
            described["description"] = note


def _notes(described: type) -> dict[str, str]:
    """The docstrings below a class's fields."""
    body = ast.parse(inspect.getsource(described)).body[0]
    if not isinstance(body, ast.ClassDef):
        return {}
    return {
        field.target.id: inspect.cleandoc(note.value.value)
        for field, note in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(note, ast.Expr)
        and isinstance(note.value, ast.Constant)
        and isinstance(note.value.value, str)
    }


def _as_draft_7(schema: Json) -> None:
    """AsyncAPI reads draft 7, in which a tuple's members are `items`; msgspec writes 2020-12."""
    if "prefixItems" in schema:
        schema["items"] = schema.pop("prefixItems")


if __name__ == "__main__":
    FILE.write_bytes(encode_document())
    sys.stdout.write(f"{FILE}\n")

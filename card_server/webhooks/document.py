"""The events as a JSON Schema, made from their structs.

`python -m card_server.webhooks.document` writes it to schema/webhooks.json.
"""

import ast
import inspect
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from card_server.webhooks import events

FILE: Final = Path(str(files("schema"))) / "webhooks.json"
Json = dict[str, Any]
_EVENTS: Final = (
    events.TapEvent,
    events.AttendanceEvent,
    events.MessageEvent,
    events.CardEvent,
    events.StudentEvent,
    events.LimitEvent,
    events.TrialEvent,
)


def build_document() -> Json:
    """One schema for the body of any event; `type` says which it is."""
    _, schemas = msgspec.json.schema_components(_EVENTS, ref_template="#/$defs/{name}")
    for name, schema in schemas.items():
        for field, note in _notes(getattr(events, name, None)).items():
            if field in schema.get("properties", {}):
                schema["properties"][field]["description"] = note
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What a webhook is told",
        "oneOf": [{"$ref": f"#/$defs/{event.__name__}"} for event in _EVENTS],
        "$defs": dict(sorted(schemas.items())),
    }


def encode_document() -> bytes:
    """The document as it is kept in FILE."""
    return msgspec.json.format(msgspec.json.encode(build_document()), indent=2) + b"\n"


def _notes(described: type | None) -> dict[str, str]:
    """The docstrings below a struct's fields."""
    if described is None:
        return {}
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


if __name__ == "__main__":
    FILE.write_bytes(encode_document())
    sys.stdout.write(f"{FILE}\n")

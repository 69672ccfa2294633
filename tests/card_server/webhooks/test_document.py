"""The published JSON Schema is the one of the structs, and says what each field means."""

import jsonschema_rs
import msgspec
import pytest

from card_server.webhooks.document import FILE, build_document, encode_document
from card_server.webhooks.events import TrialEvent, Tried
from schema.messages import utc_now


def test_the_committed_document_is_the_one_of_the_code() -> None:
    assert FILE.read_bytes() == encode_document(), "run: python -m card_server.webhooks.document"


@pytest.mark.parametrize(("change", "is_valid"), [({}, True), ({"type": "x"}, False)])
def test_the_schema_takes_an_event_and_nothing_else(
    change: dict[str, object], is_valid: bool
) -> None:
    body = msgspec.to_builtins(TrialEvent(utc_now(), "no1", Tried(1)))
    assert jsonschema_rs.is_valid(build_document(), body | change) is is_valid


def test_no_field_is_a_name_or_a_phone() -> None:
    fields = {
        name
        for schema in build_document()["$defs"].values()
        for name in schema.get("properties", {})
    }
    assert "number" in fields
    assert not [name for name in fields if "phone" in name or "name" in name or name == "body"]

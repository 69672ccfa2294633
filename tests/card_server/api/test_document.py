"""The OpenAPI document says what the routes do, and nobody forgot to write it anew."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from card_server.api.description import FILE
from card_server.api.document import encode_document
from card_server.api.problems import KINDS
from card_server.api.shapes import Shape


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(encode_document())
    return made


def test_the_committed_document_is_the_one_of_the_code() -> None:
    assert FILE.read_bytes() == encode_document(), "run: make openapi"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(_references(document))
    assert len(references) > 100
    assert {one for one in references if not _leads_somewhere(document, one)} == set()


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _references(one)


def _leads_somewhere(document: dict[str, Any], reference: str) -> bool:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step, {})
    return bool(found)


def test_every_operation_names_its_roles_its_problems_and_what_it_is(
    document: dict[str, Any],
) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["x-roles"]
            assert operation["summary"].endswith(".")
            assert {"401", "403", "422", "429"} <= operation["responses"].keys()
            assert {"200", "201", "204"} & operation["responses"].keys()


def test_each_model_has_one_name(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"].keys()
    assert not [name for name in names if "." in name]
    described = [json.dumps(one) for one in document["components"]["schemas"].values()]
    assert len(described) == len({*described})


def test_a_name_is_of_one_model() -> None:
    """Of two with one name the document has the first alone, also where the other is sent."""
    found = Counter(one.__name__ for one in _all_below(Shape))
    assert [name for name, times in found.items() if times > 1] == []


def _all_below(model: type[BaseModel]) -> set[type[BaseModel]]:
    below = {*model.__subclasses__()}
    return below.union(*map(_all_below, below))


def test_a_problems_type_is_its_own() -> None:
    assert len({kind.name for kind in KINDS.values()}) == len(KINDS)

"""Every finding of the sheets, and every meaning of a column, has words."""

import re

import pytest
from flask import Flask
from flask_babel import Babel

from card_server.words.roster import FIELDS, FINDINGS, SLOTS, say_finding
from integrations.roster import kinds
from integrations.roster.oneroster.findings import Kind as OneRosterKind
from integrations.roster.sheets import fields


@pytest.fixture(name="words", autouse=True)
def _words() -> object:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


def test_all_kinds_fields_and_guardians_have_words() -> None:
    assert {*FINDINGS} == {*kinds.Kind}
    assert {*FIELDS} == {*fields.Field}
    assert {*SLOTS} == {*fields.SLOTS}


@pytest.mark.parametrize("kind", [*kinds.Kind, *OneRosterKind])
def test_a_finding_of_any_source_is_a_sentence(kind: str) -> None:
    said = say_finding(kind, "100%", "12")
    assert re.fullmatch(r"[A-Z].*[.]", said)
    assert "%(" not in said


def test_a_missing_column_is_called_by_its_words() -> None:
    assert "student number" in say_finding("column.missing", expected="number")
    assert "Row 7" in say_finding("number.twice", expected="7")

"""Every text has its Chinese, and every stored choice its word."""

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from card_server.words.choices import WORDS

ROOT = Path(__file__).parents[3]
_WEB = ROOT / "card_server" / "web"
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "AppError": (2,),
}


@pytest.fixture(scope="module")
def texts() -> set[str]:
    """The English texts in code and templates."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = extract_from_dir(ROOT, methods, options, keywords=_KEYWORDS)
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    path = _WEB / "translations" / "zh" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale="zh")


def test_every_text_is_translated(texts: set[str], chinese: Catalog) -> None:
    assert len(texts) > 100
    missing = {text for text in texts if not (found := chinese.get(text)) or not found.string}
    assert missing == set()


def test_no_translation_is_unsure_or_left_over(texts: set[str], chinese: Catalog) -> None:
    entries = [one for one in chinese if one.id]
    assert [one.id for one in entries if one.fuzzy] == []
    ids = {one.id if isinstance(one.id, str) else one.id[0] for one in entries}
    assert ids - texts == set()


def test_a_translation_keeps_the_places_for_values(chinese: Catalog) -> None:
    for one in chinese:
        english = one.id if isinstance(one.id, str) else one.id[0]
        string = one.string if isinstance(one.string, str) else "".join(one.string or ())
        if english:
            places = [set(re.findall(r"%\(\w+\)s", text)) for text in (english, string)]
            assert places[0] == places[1], english


def test_a_percent_sign_stands_only_where_a_value_comes(chinese: Catalog) -> None:
    """Templates fill every text in, also one without values: a sign of its own ends the page."""
    strings = [text for one in chinese for text in _strings(one.string) if one.id]
    assert [text for text in strings if re.search(r"%(?!\(\w+\)s)", text)] == []


def _strings(found: str | Sequence[str] | None) -> Sequence[str]:
    return [found] if isinstance(found, str) else found or []


@pytest.mark.parametrize("choices", list(WORDS), ids=lambda one: one.__name__)
def test_every_choice_has_a_word(choices: type[StrEnum]) -> None:
    assert set(WORDS[choices]) == set(choices)

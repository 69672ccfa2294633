"""Carriers' sentences in the language of who reads them, and none without its Chinese."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from card_server.exports.speaking import speaking
from card_server.words.failures import carrier_word, failure
from card_server.words.sentences import find_sentences
from integrations.sms.answers import Meaning
from integrations.sms.registry import CARRIERS
from schema.tables.people import Language

ROOT = Path(__file__).parents[3]
_PO = ROOT / "card_server" / "web" / "translations" / "zh" / "LC_MESSAGES" / "messages.po"
TABLES = sorted(path.stem for path in (ROOT / "integrations" / "sms").glob("*_codes.py"))


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    with _PO.open("rb") as file:
        return read_po(file, locale="zh")


def sentences_of(module: ModuleType) -> set[str]:
    """The sentences of all tables of a module."""
    return {one for value in vars(module).values() for one in _sentences(value)}


def _sentences(value: object) -> Iterator[str]:
    if isinstance(value, Meaning):
        yield value.sentence
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _sentences(one)
    elif isinstance(value, tuple) and value and isinstance(value[0], str) and " " in value[0]:
        yield value[0]


@pytest.mark.parametrize("table", TABLES)
def test_each_sentence_of_a_carriers_table_is_found_and_has_its_chinese(
    table: str, chinese: Catalog
) -> None:
    module = import_module(f"integrations.sms.{table}")
    sentences = sentences_of(module)
    assert len(sentences) > 5
    source = (ROOT / "integrations" / "sms" / f"{table}.py").read_text()
    assert sentences - {sentence for _, sentence in find_sentences(source)} == set()
    assert {one for one in sentences if not (chinese.get(one) and chinese[one].string)} == set()


def test_every_carrier_has_a_name() -> None:
    with speaking(Language.ENGLISH):
        assert {carrier_word(name) for name in CARRIERS}.isdisjoint(CARRIERS)
        assert carrier_word("another") == "another"
        assert carrier_word(None) == ""


def test_what_is_no_text_of_its_own_is_no_sentence() -> None:
    source = (
        '"""A module."""\nA = "Twilio: It failed."\nB = f"{A} and more."\nC = "a code."\nD = "x."'
    )
    assert find_sentences(source) == [(2, "It failed."), (4, "a code.")]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, ""),
        ("Twilio 21211: The number is not valid.", "Twilio 21211: The number is not valid."),
        ("Aliyun MK:0001: The number is not valid.", "Aliyun MK:0001: The number is not valid."),
        (
            "WeCom cannot be reached; nothing was sent.",
            "WeCom cannot be reached; nothing was sent.",
        ),
        ("The carrier's program failed (KeyError).", "The carrier's program failed (KeyError)."),
        ("30006: an old one", "30006: an old one"),
        ("100% of it", "100% of it"),
    ],
)
def test_in_english_it_is_as_it_was_written(error: str | None, said: str) -> None:
    with speaking(Language.ENGLISH):
        assert failure(error) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Twilio 21211: The number is not valid.", "Twilio 21211: 号码无效。"),
        ("Aliyun MK:0001: The number is not valid.", "阿里云 MK:0001: 号码无效。"),
        ("Tencent cannot be reached; nothing was sent.", "无法连接腾讯云；没有发送任何内容。"),
        (
            "Twilio: The answer took too long: the message may have been accepted.",
            "Twilio: 答复超时：消息可能已被接收。",
        ),
        ("Staff decided that it arrived.", "教职工确认已送达。"),
        ("30006: unbekannt", "30006: unbekannt"),
    ],
)
def test_in_chinese_the_code_stays_and_the_sentence_is_chinese(error: str, said: str) -> None:
    with speaking(Language.CHINESE):
        assert failure(error) == said

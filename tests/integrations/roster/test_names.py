"""Names are kept as people are called, without what nobody sees."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.roster.names import clean_name, is_lost, is_odd


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("李　明", "李明"),
        (" 张 三 ", "张三"),
        ("Anna  Maria", "Anna Maria"),
        ("买买提•艾力", "买买提·艾力"),
        ("买买提・艾力", "买买提·艾力"),
        ("张\u200b三\u202e", "张三"),
        ("张\x00三", "张三"),
        ("Ame\u0301lie", "Amélie"),
        ("\U00020bb7田", "\U00020bb7田"),
        ("王\U00030edd", "王\U00030edd"),
        ("'; DROP TABLE student", "'; DROP TABLE student"),
        ("<script>", "<script>"),
        ("=1+1", "=1+1"),
    ],
)
def test_a_name_is_cleaned_and_not_changed(written: str, name: str) -> None:
    assert clean_name(written) == name


@given(st.text())
def test_a_clean_name_is_clean(written: str) -> None:
    name = clean_name(written)
    assert clean_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf"}


def test_lost_and_odd_characters_are_seen() -> None:
    assert is_lost("张\ufffd")
    assert is_lost("张?")
    assert not is_lost("张三")
    assert is_odd("张三2")
    assert is_odd("张\ue000")
    assert not is_odd("\U00020bb7田")

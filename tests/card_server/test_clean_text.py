"""What people typed, without what nobody can see."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.clean_text import clean


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("张\u200b三", "张三"),
        ("\u202e张三\u202c", "张三"),
        ("张\x00三\x1b", "张三"),
        ("张\n三", "张 三"),
        ("  Ann\u00a0 Lee ", "Ann Lee"),
        ("Jose\u0301", "José"),
        ("e\u200d\u0301", "é"),
        ("\u3164", ""),
        ("𠮷田", "𠮷田"),
        ("\ue863", "\ue863"),
    ],
)
def test_what_cannot_be_seen_is_left_out(written: str, seen: str) -> None:
    assert clean(written) == seen


@given(st.text())
def test_nothing_unseen_is_left_and_cleaning_again_changes_nothing(written: str) -> None:
    seen = clean(written)
    assert clean(seen) == seen
    assert unicodedata.is_normalized("NFC", seen)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in seen)

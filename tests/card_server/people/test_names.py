"""Names are kept as they are written, and found by pinyin as families read them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.field_errors import FieldsError, Problems
from card_server.people.names import read_name, write_pinyin


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("张三", ["zhang san", "zhangsan", "zs"]),
        ("单雄信", ["shan xiong xin", "sxx"]),
        ("解珍", ["xie zhen", "xz"]),
        ("曾国藩", ["zeng guo fan", "zgf"]),
        ("尉迟恭", ["yu chi gong", "ycg"]),
        ("仇英", ["qiu ying", "qy"]),
        ("万俟卨", ["mo qi", "mqx"]),
        ("欧阳娜", ["ou yang na", "oyn"]),
        ("区桂芝", ["ou gui zhi"]),
        ("乐毅", ["yue yi", "le yi", "yy", "ly"]),
        ("覃海洋", ["qin hai yang", "tan hai yang"]),
        ("阿依努尔·买买提", ["a yi nu er mai mai ti", "aynemmt"]),
        ("Anna O'Neil", ["anna oneil", "ao"]),
    ],
)
def test_a_name_is_found_by_each_way_to_read_it(name: str, words: list[str]) -> None:
    pinyin = write_pinyin(name)
    assert [word for word in words if word not in pinyin] == []
    assert pinyin == pinyin.lower()


def test_a_rare_sign_without_a_reading_stays_in_the_search() -> None:
    assert "𠮷" in write_pinyin("𠮷野")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  张　三 ", "张 三"),
        ("张\u200b三\u202e", "张三"),
        ("Zoe\u0308", "Zoë"),
        ("\U0002b740\U000323b0", "\U0002b740\U000323b0"),
        ("\ue000明", "\ue000明"),
        ("阿依努尔·买买提", "阿依努尔·买买提"),
    ],
    ids=["spaces", "unseen", "NFC", "rare Han", "private use", "middle dot"],
)
def test_a_name_is_kept_clean_and_whole(typed: str, kept: str) -> None:
    wrong = Problems()
    assert read_name(wrong, "name", typed) == kept
    assert wrong == {}


@pytest.mark.parametrize("typed", ["", " \u200b ", "长" * 121])
def test_nothing_and_too_much_is_no_name(typed: str) -> None:
    wrong = Problems()
    read_name(wrong, "name", typed)
    with pytest.raises(FieldsError):
        wrong.refuse()


@given(st.text(max_size=40))
def test_what_is_kept_stays_as_it_is_and_its_pinyin_fits(typed: str) -> None:
    kept = read_name(Problems(), "name", typed)
    assert read_name(Problems(), "name", kept) == kept
    assert unicodedata.is_normalized("NFC", kept)
    assert len(write_pinyin(kept)) <= 200

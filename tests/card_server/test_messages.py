"""What parents read, and where a message may go from each state."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.messages import (
    MOVES,
    ONE_PART,
    TWO_PARTS,
    clean,
    next_state,
    states_before,
    write_text,
)
from schema.tables.messages import MessageKind, MessageState
from schema.tables.people import Language

ARRIVAL, DEPARTURE = MessageKind.ARRIVAL, MessageKind.DEPARTURE
CHINESE, ENGLISH = Language.CHINESE, Language.ENGLISH
FINAL = {MessageState.ACCEPTED, MessageState.FAILED, MessageState.SUPPRESSED}


@pytest.mark.parametrize(
    ("kind", "language", "name", "text"),
    [
        (ARRIVAL, CHINESE, "张三", "【实验中学】家长您好，张三已于07:32进入学校。"),
        (DEPARTURE, CHINESE, "张三", "【实验中学】家长您好，张三已于07:32离开学校。"),
        (
            ARRIVAL,
            ENGLISH,
            "Li Lei",
            "【实验中学】Dear parent, Li Lei entered the school at 07:32.",
        ),
        (DEPARTURE, ENGLISH, "Li Lei", "【实验中学】Dear parent, Li Lei left the school at 07:32."),
        (ARRIVAL, CHINESE, "\u200b \t", "【实验中学】家长您好，学生已于07:32进入学校。"),
        (ARRIVAL, ENGLISH, "", "【实验中学】Dear parent, your child entered the school at 07:32."),
        (ARRIVAL, CHINESE, "{time}{0}%s", "【实验中学】家长您好，{time}{0}%s已于07:32进入学校。"),
        (ARRIVAL, CHINESE, "=SUM('; DROP", "【实验中学】家长您好，=SUM('; DROP已于07:32进入学校。"),
    ],
)
def test_the_text_says_exactly_this(
    kind: MessageKind, language: Language, name: str, text: str
) -> None:
    assert write_text(kind, language, "实验中学", name, "07:32") == text


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


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("买买提·" * 10 + "买买提", "买买提·" * 10 + "买买提"),
        ("买买提·" * 11 + "买买提", "买买提·" * 11 + "买…"),
        ("𠮷" * 40, "𠮷" * 22 + "…"),
        ("x" * 44 + "e\u0331\u0331" * 3, "x" * 44 + "…"),
    ],
)
def test_a_long_name_is_cut_between_characters(name: str, shown: str) -> None:
    text = write_text(ARRIVAL, CHINESE, "实验中学校", name, "07:32")
    assert text == f"【实验中学校】家长您好，{shown}已于07:32进入学校。"


@given(kind=st.sampled_from(MessageKind), signature=st.text(max_size=20), name=st.text())
def test_the_chinese_text_always_fits_one_part(
    kind: MessageKind, signature: str, name: str
) -> None:
    text = write_text(kind, CHINESE, signature, name, "07:32")
    assert len(text.encode("utf-16-le")) <= 2 * ONE_PART
    assert unicodedata.is_normalized("NFC", clean(name))
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in text)


@given(signature=st.text(max_size=20), name=st.text())
def test_the_english_text_always_fits_two_parts(signature: str, name: str) -> None:
    text = write_text(ARRIVAL, ENGLISH, signature, name, "07:32")
    assert len(text.encode("utf-16-le")) <= 2 * TWO_PARTS


@given(st.lists(st.sampled_from(MessageState)))
def test_a_state_only_moves_forward_whatever_news_comes(news: list[MessageState]) -> None:
    states = [MessageState.QUEUED]
    for wanted in news:
        states.append(next_state(states[-1], wanted))
    for before, after in pairwise(states):
        assert before == after or after in MOVES[before]
        if before in FINAL:
            assert after == before
        if before is MessageState.UNKNOWN:
            assert after not in (MessageState.QUEUED, MessageState.SENDING)


@given(st.lists(st.sampled_from(MessageState)), st.sampled_from(MessageState))
def test_the_same_news_twice_is_news_once(news: list[MessageState], last: MessageState) -> None:
    state = MessageState.QUEUED
    for wanted in news:
        state = next_state(state, wanted)
    once = next_state(state, last)
    assert next_state(once, last) == once


def test_every_state_has_its_row_and_is_reached() -> None:
    assert set(MOVES) == set(MessageState)
    for state in set(MessageState) - {MessageState.QUEUED}:
        assert states_before(state)

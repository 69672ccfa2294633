"""Phone numbers become E.164, whatever else stands in the cell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.roster.kinds import Kind
from integrations.roster.phones import mask, read_phones

MOBILE = "+8613800138000"


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "+86 138 0013 8000",
        "008613800138000",
        "8613800138000",
        "１３８００１３８０００",
        "138-0013-8000",
        "138‐0013‐8000",
        "13800138000(母)",
        "妈妈：13800138000",
    ],
)
def test_one_number_in_any_writing(written: str) -> None:
    [phone] = read_phones(written).phones
    assert phone.number == MOBILE
    assert phone.takes_messages


@pytest.mark.parametrize("between", ["、", "/", ";", "；", ",", "，", "\n", " ", "或", " | "])
def test_several_numbers_in_one_cell(between: str) -> None:
    read = read_phones(f"13800138000{between}13900139000")
    assert [phone.number for phone in read.phones] == [MOBILE, "+8613900139000"]
    assert read.faults == ()


def test_a_landline_stands_behind_what_takes_messages() -> None:
    read = read_phones("0571-8888 8888、13800138000")
    assert [phone.number for phone in read.phones] == [MOBILE, "+8657188888888"]
    assert [phone.takes_messages for phone in read.phones] == [True, False]


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("1380013800", Kind.PHONE_INVALID),
        ("138001380000", Kind.PHONE_INVALID),
        ("+1 415 555 2671", Kind.PHONE_COUNTRY),
        ("联系不上", Kind.PHONE_INVALID),
    ],
)
def test_what_is_no_number_is_said_and_left_out(written: str, kind: Kind) -> None:
    read = read_phones(written)
    assert read.phones == ()
    assert [fault[0] for fault in read.faults] == [kind]
    assert written not in read.faults[0][1]


def test_a_school_says_which_countries() -> None:
    assert read_phones("+852 9123 4567").phones
    assert read_phones("+852 9123 4567", ("CN",)).faults[0][0] is Kind.PHONE_COUNTRY
    assert read_phones("91234567", ("HK",)).phones[0].number == "+85291234567"


@given(st.text(max_size=40))
def test_any_text_is_read_without_a_fault_of_ours(written: str) -> None:
    for phone in read_phones(written).phones:
        assert phone.number.startswith("+")


def test_a_mask_shows_four_at_most() -> None:
    assert mask("13800138000") == "*******8000"
    assert mask("123") == "***"

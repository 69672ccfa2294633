"""Phone numbers as people write them become E.164; what is none, or foreign, is refused."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.errors import AppError
from card_server.field_errors import Problems
from card_server.people.phones import read_countries, read_phone, show_phone


@pytest.mark.parametrize(
    "typed",
    [
        "13800138000",
        "138 0013 8000",
        "+86 138-0013-8000",
        "+8613800138000",
        "008613800138000",
        "8613800138000",
        "１３８００１３８０００",
        "（+86）138 0013 8000",
    ],
)
def test_one_mobile_number_in_its_many_forms(typed: str) -> None:
    phone = read_phone(typed)
    assert phone == ("+8613800138000", True)
    assert phone.tail == "8000"
    assert show_phone(phone.number) == "138 0013 8000"


@pytest.mark.parametrize("typed", ["010-62345678", "(021) 6234 5678", "+86 10 6234 5678"])
def test_a_landline_is_no_mobile(typed: str) -> None:
    assert not read_phone(typed).is_mobile


@pytest.mark.parametrize(
    "typed",
    ["", "138", "1380013800", "138001380000", "张三", "1.38E+10", "13800138000转3", "1" * 200, "+"],
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(AppError, match="no phone number"):
        read_phone(typed)


def test_other_countries_are_the_schools_decision() -> None:
    with pytest.raises(AppError, match="does not write to this country"):
        read_phone("+852 5123 4567")
    assert read_phone("+852 5123 4567", ["CN", "HK"]).number == "+85251234567"
    assert show_phone("+85251234567") == "+852 5123 4567"
    assert read_phone("5123 4567", ["HK"]).number == "+85251234567"


@pytest.mark.parametrize(
    ("typed", "kept"), [("", "CN"), ("cn， hk", "CN HK"), ("HK HK", "HK"), ("CN;MO", "CN MO")]
)
def test_countries_are_read(typed: str, kept: str) -> None:
    wrong = Problems()
    assert read_countries(wrong, "countries", typed) == kept
    assert not wrong


@pytest.mark.parametrize("typed", ["China", "XX", " ".join(["CN"] * 2 + ["86"])])
def test_what_is_no_country_is_said(typed: str) -> None:
    wrong = Problems()
    read_countries(wrong, "countries", typed)
    assert wrong


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_valid_number_or_refused(typed: str) -> None:
    try:
        phone = read_phone(typed, ["CN", "HK", "US"])
    except AppError:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(phone.number))
    assert read_phone(phone.number, ["CN", "HK", "US"]) == phone

"""Turning numbers round: what a reader reads becomes the card's own number, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.cards.byte_order import turn
from schema.tables.readers import ByteOrder

_NUMBERS = st.sampled_from([4, 7, 10]).flatmap(lambda size: st.binary(min_size=size, max_size=size))


@pytest.mark.parametrize(
    ("number", "read"),
    [
        ("04A1B2C3", "C3B2A104"),
        ("04A1B2C3D4E580", "80E5D4C3B2A104"),
        ("00000000000000000001", "01000000000000000000"),
    ],
)
def test_a_reader_gives_the_bytes_in_its_order(number: str, read: str) -> None:
    assert turn(number, ByteOrder.REVERSED) == read
    assert turn(number, ByteOrder.AS_SENT) == number


@given(_NUMBERS, st.sampled_from(ByteOrder))
def test_turning_twice_gives_the_number_again(number: bytes, order: ByteOrder) -> None:
    uid = number.hex().upper()
    assert turn(turn(uid, order), order) == uid

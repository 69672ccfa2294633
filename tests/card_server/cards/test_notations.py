"""One card as other systems write it.

The five numbers of 5630F009 were published at cnblogs.com/gengtongyu/p/16564907.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.cards.notations import CardNumber, Notation, read_number

CARD = CardNumber("5630F009", True)
BEGINNING = CardNumber("5630F0", False)


@pytest.mark.parametrize(
    ("written", "notation", "number"),
    [
        ("5630F009", Notation.HEX, CARD),
        ("56:30:f0:09", Notation.HEX, CARD),
        ("0x5630f009", Notation.HEX, CARD),
        ("09F03056", Notation.HEX_REVERSED, CARD),
        ("04A1B2C3D4E5F6", Notation.HEX, CardNumber("04A1B2C3D4E5F6", True)),
        ("F6E5D4C3B2A104", Notation.HEX_REVERSED, CardNumber("04A1B2C3D4E5F6", True)),
        ("12E45678", Notation.HEX, CardNumber("12E45678", True)),
        ("1446047753", Notation.DECIMAL_10, CARD),
        ("0166735958", Notation.DECIMAL_10_REVERSED, CARD),
        ("166735958", Notation.DECIMAL_10_REVERSED, CARD),
        ('="0166735958"', Notation.DECIMAL_10_REVERSED, CARD),
        ("'0166735958\t", Notation.DECIMAL_10_REVERSED, CARD),
        ("１４４６０４７７５３", Notation.DECIMAL_10, CARD),
        ("08612528", Notation.DECIMAL_8, BEGINNING),
        ("8612528", Notation.DECIMAL_8, BEGINNING),
        ("086,12528", Notation.DECIMAL_8, BEGINNING),
        ("24012374", Notation.DECIMAL_8_REVERSED, BEGINNING),
        ("0010101100011000011110000000010011", Notation.WIEGAND_34, CARD),
        ("0000010011111000000110000010101101", Notation.WIEGAND_34_REVERSED, CARD),
        ("00101011000110000111100001", Notation.WIEGAND_26, BEGINNING),
        ("01111000000110000010101101", Notation.WIEGAND_26_REVERSED, BEGINNING),
    ],
)
def test_each_notation_gives_the_cards_own_number(
    written: str, notation: Notation, number: CardNumber
) -> None:
    assert read_number(written, notation) == number


@pytest.mark.parametrize(
    ("written", "notation", "what"),
    [
        ("1.2E+09", Notation.DECIMAL_10, "lost digits"),
        ("1.446047753E+09", Notation.DECIMAL_10, "lost digits"),
        ("1E+09", Notation.DECIMAL_10, "lost digits"),
        ("1446047753.0", Notation.DECIMAL_10, "lost digits"),
        ("5.63E+13", Notation.HEX, "lost digits"),
        ("########", Notation.HEX, "lost digits"),
        ("", Notation.HEX, "missing"),
        ('=""', Notation.DECIMAL_10, "missing"),
        ("9F03056", Notation.HEX, "hex digits"),
        ("5630F00G", Notation.HEX, "hex digits"),
        ("5630F00912", Notation.HEX, "hex digits"),
        ("4294967296", Notation.DECIMAL_10, "four-byte"),
        ("01446047753", Notation.DECIMAL_10, "four-byte"),
        ("-1", Notation.DECIMAL_10, "four-byte"),
        ("25612528", Notation.DECIMAL_8, "three-byte"),
        ("08665536", Notation.DECIMAL_8, "three-byte"),
        ("086125281", Notation.DECIMAL_8, "three-byte"),
        ("1010101100011000011110000000010011", Notation.WIEGAND_34, "parity"),
        ("0010101100011000011110000000010010", Notation.WIEGAND_34, "parity"),
        ("001010110001100001111000000001001", Notation.WIEGAND_34, "34 bits"),
        ("5630F0", Notation.WIEGAND_26, "26 bits"),
    ],
)
def test_a_number_that_is_not_in_its_notation_is_refused(
    written: str, notation: Notation, what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        read_number(written, notation)


@given(st.binary(min_size=4, max_size=4))
def test_any_card_comes_back_from_either_order(card: bytes) -> None:
    wanted = CardNumber(card.hex().upper(), True)
    assert read_number(card.hex(), Notation.HEX) == wanted
    assert read_number(card[::-1].hex(), Notation.HEX_REVERSED) == wanted
    assert read_number(str(int.from_bytes(card)), Notation.DECIMAL_10) == wanted
    reverse = str(int.from_bytes(card, "little"))
    assert read_number(reverse, Notation.DECIMAL_10_REVERSED) == wanted


@given(st.text(), st.sampled_from(Notation))
def test_whatever_is_written_is_read_or_refused(written: str, notation: Notation) -> None:
    try:
        number = read_number(written, notation)
    except ValueError:
        return
    assert len(number.hex) in ((8, 14, 20) if number.is_whole else (6,))

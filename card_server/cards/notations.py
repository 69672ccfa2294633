"""The ways in which other systems write a card's number, and the canonical one. Pure.

The canonical number is the card's bytes in the order in which it sends them (ISO/IEC 14443-3
§6.5.4), as upper-case hex. 8 decimal digits and Wiegand 26 leave the last of four bytes out:
what they give is the beginning of a number.
"""

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple


class Notation(StrEnum):
    """One way to write a number; `-reversed` begins with the last byte."""

    HEX = "hex"
    HEX_REVERSED = "hex-reversed"
    DECIMAL_10 = "decimal-10"
    DECIMAL_10_REVERSED = "decimal-10-reversed"
    DECIMAL_8 = "decimal-8"
    DECIMAL_8_REVERSED = "decimal-8-reversed"
    WIEGAND_26 = "wiegand-26"
    WIEGAND_26_REVERSED = "wiegand-26-reversed"
    WIEGAND_34 = "wiegand-34"
    WIEGAND_34_REVERSED = "wiegand-34-reversed"


class CardNumber(NamedTuple):
    """A canonical number, or the first three bytes of one."""

    hex: str
    is_whole: bool


def read_number(text: str, notation: Notation) -> CardNumber:
    """The number in canonical form. Raises ValueError with a sentence that says what is wrong."""
    written = _unwrap(text)
    if not written:
        raise ValueError("the card number is missing")
    if _LOSSY.fullmatch(written):
        raise ValueError("the card number has lost digits in a spreadsheet; export it as text")
    plain, is_reversed = notation.removesuffix("-reversed"), notation.endswith("-reversed")
    number = _READ[plain](written)
    return CardNumber((number[::-1] if is_reversed else number).hex().upper(), len(number) != 3)


_LOSSY = re.compile(r"[+-]?\d*\.\d*([eE][+-]?\d+)?|\d+[eE]\+\d+|#+")
"""1.2E+09, 123.0, ### and the like. Hex such as 12E45678 has neither point nor plus."""
_FORMULA = re.compile(r'="(.*)"')


def _unwrap(text: str) -> str:
    """The number as a person sees it: spreadsheets keep digits by ="0123" or '0123."""
    narrow = unicodedata.normalize("NFKC", text).strip()
    formula = _FORMULA.fullmatch(narrow)
    return (formula[1] if formula else narrow.removeprefix("'")).strip()


def _from_hex(written: str) -> bytes:
    digits = re.sub(r"^0[xX]|[\s:-]", "", written)
    if not re.fullmatch(r"[0-9A-Fa-f]+", digits) or len(digits) not in (8, 14, 20):
        raise ValueError("the card number is not 8, 14 or 20 hex digits")
    return bytes.fromhex(digits)


def _from_decimal_10(written: str) -> bytes:
    if not re.fullmatch(r"[0-9]{1,10}", written) or int(written) > 0xFFFF_FFFF:
        raise ValueError("the card number is not 10 digits of a four-byte number")
    return int(written).to_bytes(4)


def _from_decimal_8(written: str) -> bytes:
    """Three digits for the first byte and five for the other two, with or without a comma."""
    parts = re.fullmatch(r"([0-9]{1,3})\s*[,:]\s*([0-9]{1,5})", written)
    if not parts:
        parts = re.fullmatch(r"([0-9]{3})([0-9]{5})", written.rjust(8, "0"))
    if not parts or int(parts[1]) > 0xFF or int(parts[2]) > 0xFFFF:
        raise ValueError("the card number is not 3 and 5 digits of a three-byte number")
    return int(parts[1]).to_bytes(1) + int(parts[2]).to_bytes(2)


def _from_wiegand_26(written: str) -> bytes:
    return _from_wiegand(written, 26)


def _from_wiegand_34(written: str) -> bytes:
    return _from_wiegand(written, 34)


def _from_wiegand(written: str, bits: int) -> bytes:
    """The first bit makes the first half even, the last one makes the second half odd."""
    if not re.fullmatch(r"[01]+", written) or len(written) != bits:
        raise ValueError(f"the card number is not {bits} bits")
    half = bits // 2
    if written[:half].count("1") % 2 != 0 or written[half:].count("1") % 2 != 1:
        raise ValueError("the card number has a wrong parity bit")
    return int(written[1:-1], 2).to_bytes((bits - 2) // 8)


_READ: Final[dict[str, Callable[[str], bytes]]] = {
    "hex": _from_hex,
    "decimal-10": _from_decimal_10,
    "decimal-8": _from_decimal_8,
    "wiegand-26": _from_wiegand_26,
    "wiegand-34": _from_wiegand_34,
}

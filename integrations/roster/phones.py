"""Phone numbers in E.164, out of a cell that may hold several, in any writing."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import phonenumbers
from msgspec import Struct
from phonenumbers import NumberParseException, PhoneNumberType

from integrations.roster.kinds import Kind

COUNTRIES: Final = ("CN", "HK", "MO", "TW")
"""The countries whose numbers a school takes unless it says otherwise; the first needs no code."""
_BETWEEN: Final = re.compile(r"[、,;/|\n\r或和]+")
_NOTE: Final = re.compile(r"[^\d+\-\s().]+")
_CAN_RECEIVE: Final = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_DASHES: Final = str.maketrans("‐‑‒–—―−", "-------")


class Phone(Struct, frozen=True):
    """One number."""

    number: str
    """E.164."""
    takes_messages: bool


class Phones(Struct, frozen=True):
    """The numbers of a cell, those that take messages first; and what was wrong with the rest."""

    phones: tuple[Phone, ...]
    faults: tuple[tuple[Kind, str], ...]
    """Why something is left out, with what stood there, masked."""


@lru_cache(maxsize=4096)
def read_phones(written: str, countries: tuple[str, ...] = COUNTRIES) -> Phones:
    """Each number of the cell once. Numbers without a country's code are of the first country."""
    found: dict[str, Phone] = {}
    faults: list[tuple[Kind, str]] = []
    text = unicodedata.normalize("NFKC", written).translate(_DASHES)
    for part in _BETWEEN.split(text):
        for piece in _pieces(part, countries):
            read = _read_one(piece, countries)
            if isinstance(read, Phone):
                found[read.number] = read
            else:
                faults.append((read, mask(piece)))
    phones = sorted(found.values(), key=lambda phone: not phone.takes_messages)
    return Phones(tuple(phones), tuple(faults))


def mask(written: str) -> str:
    """What stood there with all but the last four characters hidden."""
    text = written.strip()
    return "*" * max(0, len(text) - 4) + text[-4:] if len(text) > 4 else "*" * len(text)


def _pieces(part: str, countries: Sequence[str]) -> list[str]:
    """The numbers of a part: one with blanks in it, or several with blanks between them."""
    bare = _NOTE.sub(" ", part).strip(" -.()")
    if not any(character.isdigit() for character in bare):
        return [part.strip()] if part.strip() else []
    if " " not in bare or isinstance(_read_one(bare, countries), Phone):
        return [bare]
    pieces = bare.split()
    are_numbers = all(isinstance(_read_one(piece, countries), Phone) for piece in pieces)
    return pieces if are_numbers else [bare]


def _read_one(written: str, countries: Sequence[str]) -> Phone | Kind:
    try:
        number = phonenumbers.parse(written, countries[0])
    except NumberParseException:
        return Kind.PHONE_INVALID
    if not phonenumbers.is_valid_number(number):
        return Kind.PHONE_INVALID
    if phonenumbers.region_code_for_number(number) not in countries:
        return Kind.PHONE_COUNTRY
    return Phone(
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        phonenumbers.number_type(number) in _CAN_RECEIVE,
    )

"""How many SMS a text is: its encoding and its parts (3GPP TS 23.038 §6.2, TS 23.040 §9.2.3.24.1).

A text that does not fit into one SMS is sent in several, each of which loses room to the header
that joins them. Neither an extension character of GSM-7 nor a surrogate pair of UCS-2 may lie
across the border of two.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple


class Encoding(StrEnum):
    """How a text is written on the air."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Size(NamedTuple):
    """What a text takes."""

    encoding: Encoding
    characters: int
    units: int
    """Septets of GSM-7, or 16-bit units of UCS-2."""
    segments: int
    """At least one: an empty text is an SMS as well."""


ALONE: Final = {Encoding.GSM7: 160, Encoding.UCS2: 70}
"""Units of a text that is one SMS."""
JOINED: Final = {Encoding.GSM7: 153, Encoding.UCS2: 67}
"""Units of each SMS of a text that is several."""

_DEFAULT = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Each is an escape and a septet."""
_GSM7 = _DEFAULT | _EXTENSION


def size_of(text: str) -> Size:
    """The encoding, characters, units and segments of a text as it is sent."""
    if _GSM7.issuperset(text):
        doubled = sum(character in _EXTENSION for character in text)
        widths: Iterable[int] = (2 if character in _EXTENSION else 1 for character in text)
        encoding = Encoding.GSM7
    else:
        doubled = sum(character > "\uffff" for character in text)
        widths = (2 if character > "\uffff" else 1 for character in text)
        encoding = Encoding.UCS2
    units = len(text) + doubled
    if units <= ALONE[encoding]:
        return Size(encoding, len(text), units, 1)
    return Size(encoding, len(text), units, _count_joined(widths, JOINED[encoding]))


def _count_joined(widths: Iterable[int], room: int) -> int:
    """How many segments; what does not fit whole begins the next one."""
    segments, used = 1, 0
    for width in widths:
        if used + width > room:
            segments, used = segments + 1, 0
        used += width
    return segments

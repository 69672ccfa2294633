"""A person's name as it is kept: NFC, nothing invisible in it, rare characters as they are."""

import re
import unicodedata
from typing import Final

LONGEST: Final = 120
_DOTS: Final = str.maketrans("•・‧∙⋅･．", "·······")
"""What keyboards give for the dot of names like 买买提·艾力; U+00B7 is what the register writes."""
_BESIDE_HAN: Final = re.compile(r"(?<=[⺀-鿿豈-﫿𠀀-𳍿])\s+|\s+(?=[⺀-鿿豈-﫿𠀀-𳍿])")


def clean_name(written: str) -> str:
    """The name without control and formatting characters, and without blanks between Han.

    `李　明` is padding for the look of a printed list; `Anna Maria` keeps its blank.
    """
    visible = "".join(_visible(character) for character in written)
    name = " ".join(unicodedata.normalize("NFC", visible).split())
    return _BESIDE_HAN.sub("", name.translate(_DOTS))


def _visible(character: str) -> str:
    """The character; a blank for tabs and line ends; nothing for what shows nothing."""
    if character in "\t\r\n":
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs"} else character


def is_lost(name: str) -> bool:
    """Whether an earlier conversion has put something else for a character that it did not know."""
    return "\ufffd" in name or "?" in name or "？" in name


def is_odd(name: str) -> bool:
    """Whether it holds what names do not: digits, or characters that only one machine knows."""
    return any(unicodedata.category(character) in {"Nd", "Co", "Cn"} for character in name)

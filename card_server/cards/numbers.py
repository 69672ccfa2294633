"""Which numbers a card of the school may have. Pure.

The canonical number is upper-case hex of 4, 7 or 10 bytes in the order in which the card sends
them (ISO/IEC 14443-3 §6.5.4).
"""

import re
from typing import Final

from card_server.field_errors import marked as _

_UID: Final = re.compile("[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}")
_RANDOM: Final = "08"
"""First byte of a four-byte number that is random (ISO/IEC 14443-3 §6.5.4)."""

NO_NUMBER: Final = _("This is no card number: 8, 14 or 20 digits 0–9 and A–F.")
RANDOM: Final = _("This card invents a new number at each tap (phones do), so it cannot be kept.")
KNOWN: Final = _("The school has this card already.")
TWIN: Final = _(
    "The school has a card whose number is this one read from the other end."
    " One of the two was read in the wrong byte order."
)
REPEATED: Final = _("This number stands in the list twice.")


def clean_number(typed: str) -> str:
    """A number as somebody typed it, without the spaces, hyphens and colons of its pairs."""
    return re.sub(r"[\s:-]", "", typed).upper()


def fault_of(uid: str) -> str | None:
    """Why no card of a school can have this number; None when one can."""
    if not _UID.fullmatch(uid):
        return NO_NUMBER
    if is_random(uid):
        return RANDOM
    return None


def is_random(uid: str) -> bool:
    """Whether the card makes a number up at each tap."""
    return len(uid) == 8 and uid.startswith(_RANDOM)


def twin_of(uid: str) -> str:
    """The number with its bytes in the other order."""
    return bytes.fromhex(uid)[::-1].hex().upper()

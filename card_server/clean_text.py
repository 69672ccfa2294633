"""What people typed, without what nobody can see."""

import re
import unicodedata

_PLAIN = re.compile(r"[\u4e00-\u9fff]{1,20}")
"""Han of the first block, as nearly all names are: nothing to clean."""
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u180b\u180c\u180d\u180f\ufeff")
"""Letters and marks that show as nothing."""


def clean(text: str) -> str:
    """The text in NFC without anything unseen: controls, bidi marks, zero-width characters."""
    if _PLAIN.fullmatch(text):
        return text
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    seen = "".join(c for c in spaced if not _is_unseen(c))
    return " ".join(unicodedata.normalize("NFC", seen).split())


def _is_unseen(character: str) -> bool:
    # Unassigned (Cn) stays: a rare Han character may be younger than this Python's tables.
    # So does private use (Co): that is where old systems put rare Han.
    return unicodedata.category(character) in ("Cc", "Cf", "Cs") or character in _FILLERS

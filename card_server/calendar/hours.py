"""Times of the day as people write them (07:50) and as rules count them, in minutes."""

import re
import unicodedata

from card_server.field_errors import Problems
from card_server.field_errors import marked as _

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
NO_TIME = _("Write a time from 00:00 to 23:59, like 07:50.")


def read_minute(wrong: Problems, field: str, typed: str) -> int:
    """The minute of the day; 0 with a word beside the field when it is none."""
    found = _TIME.fullmatch(unicodedata.normalize("NFKC", typed).strip())
    if found is None:
        wrong.add(field, NO_TIME)
        return 0
    return int(found[1]) * 60 + int(found[2])


def write_minute(minute: int) -> str:
    """07:50; the end of the day is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"

"""A date in the many ways in which sheets write it; what can be read in two ways is not guessed."""

import re
import unicodedata
from datetime import date, timedelta
from typing import Final

from integrations.roster.kinds import Kind


class DateError(ValueError):
    """No date, or not one alone; `kind` says which."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind.value)
        self.kind = kind


_YEAR_FIRST: Final = re.compile(
    r"(\d{4})\s*[-/.年\s]\s*(\d{1,2})\s*[-/.月\s]\s*(\d{1,2})\s*日?(?:[T\s].*)?"
)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0|\s*0{6})?")
_YEAR_LAST: Final = re.compile(
    r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?"
)
_YEAR_MONTH: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?|(\d{4})(\d{2})")
_SERIAL: Final = re.compile(r"([1-9]\d{4})(?:\.0+)?")
_EPOCH: Final = date(1899, 12, 30)
"""Day 0 of a spreadsheet's calendar, for all days since March 1900 (ECMA-376 §18.17.4.1)."""
_DIGITS: Final = str.maketrans("〇零○一二三四五六七八九", "000123456789")
HAN_NUMBER: Final = "(?:[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九])"
"""A pattern for what `read_han` reads."""
_HAN_YEAR: Final = re.compile(
    rf"([〇零○一二三四五六七八九]{{4}})年({HAN_NUMBER})月({HAN_NUMBER})日?"
)


def read_date(written: str) -> date:
    """The date. Raises DateError."""
    text = unicodedata.normalize("NFKC", written).strip().replace("—", "-").replace("–", "-")
    if found := _HAN_YEAR.fullmatch(text):
        parts = (int(found[1].translate(_DIGITS)), read_han(found[2]), read_han(found[3]))
        return _make(*parts)
    for form in (_YEAR_FIRST, _COMPACT):
        if found := form.fullmatch(text):
            return _make(int(found[1]), int(found[2]), int(found[3]))
    if found := _SERIAL.fullmatch(text):
        return _EPOCH + timedelta(days=int(found[1]))
    is_partial = _YEAR_LAST.fullmatch(text) or _YEAR_MONTH.fullmatch(text)
    raise DateError(Kind.DATE_UNCLEAR if is_partial else Kind.DATE_INVALID)


def read_year(written: str) -> int | None:
    """The year of a date of which the day, or day and month, may be missing; None: no date."""
    text = unicodedata.normalize("NFKC", written).strip()
    found = re.match(r"(?:19|20)\d{2}(?=\D|$|\d{2}$|\d{4}$)", text)
    return int(found[0]) if found else None


def read_han(written: str) -> int:
    """A number below 100 as 三, 十二 or 二十一."""
    tens, has_ten, ones = written.rpartition("十")
    if not has_ten:
        return int(written.translate(_DIGITS))
    ten = int(tens.translate(_DIGITS)) if tens else 1
    return 10 * ten + (int(ones.translate(_DIGITS)) if ones else 0)


def _make(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise DateError(Kind.DATE_INVALID) from None

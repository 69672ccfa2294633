"""Numbers of identity papers: checked where the paper has a rule, taken as they are where not.

Citizens' identity numbers by GB 11643-1999, with the regions of GB/T 2260 as they were in the year
of birth (python-stdnum has both), and the residence permits for Hong Kong, Macao and Taiwan, which
have the same form and the regions 810000, 820000 and 830000 (State Council Order 2018 No. 81).
"""

import re
import unicodedata
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct
from stdnum import numdb
from stdnum.cn import ric

from integrations.roster.kinds import Kind
from integrations.roster.protocol import Sex


class Paper(StrEnum):
    """What kind of paper has the number."""

    IDENTITY_CARD = "identity_card"
    """居民身份证, 户口簿, or a residence permit (居住证): all of one form."""
    OTHER = "other"
    """A passport, a travel permit: no rule that could be checked here."""


class IdentityNumber(Struct, frozen=True):
    """A number that may be kept."""

    number: str
    """Canonical: eighteen characters; other papers' upper-case, without blanks."""
    born_on: date | None = None
    sex: Sex | None = None
    warnings: tuple[Kind, ...] = ()


class IdentityError(ValueError):
    """A number that cannot be right; `kind` says why."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind.value)
        self.kind = kind


_OTHER: Final = re.compile(r"[A-Z0-9]{5,20}")
_PERMITS: Final = {"810000", "820000", "830000"}
_FIRST_YEAR: Final = 1985
"""Numbers were given from then on: whoever was born earlier has a region of that time."""
_SHAPE: Final = re.compile(r"\d{17}[\dX]")


def read_identity(written: str, paper: Paper = Paper.IDENTITY_CARD) -> IdentityNumber:
    """The number in canonical form. Raises IdentityError.

    Fifteen digits, which were given until 1999, become eighteen. An unknown county of a known
    province is a warning: there are new ones each year. So is one that came after the birth: the
    number may have been given later.
    """
    number = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", written)).upper()
    if not number.isascii():
        raise IdentityError(Kind.IDENTITY_SHAPE)
    if paper is Paper.OTHER:
        if not _OTHER.fullmatch(number):
            raise IdentityError(Kind.IDENTITY_SHAPE)
        return IdentityNumber(number)
    if len(number) == 15 and number.isdigit():
        long = f"{number[:6]}19{number[6:]}"
        long += ric.calc_check_digit(f"{long}0")
        return _check(long, (Kind.IDENTITY_OLD_FORM,))
    if len(number) != 18:
        raise IdentityError(Kind.IDENTITY_LENGTH)
    if not _SHAPE.fullmatch(number):
        raise IdentityError(Kind.IDENTITY_SHAPE)
    return _check(number, ())


def mask(written: str) -> str:
    """What stood there with the birth date and the serial number hidden."""
    text = written.strip()
    if len(text) <= 8:
        return "*" * len(text)
    return text[:2] + "*" * (len(text) - 6) + text[-4:]


def _check(number: str, warnings: tuple[Kind, ...]) -> IdentityNumber:
    born_on = _born_on(number)
    warning = _check_region(number[:6], born_on.year)
    if number[-1] != ric.calc_check_digit(number):
        raise IdentityError(Kind.IDENTITY_CHECKSUM)
    sex = Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
    return IdentityNumber(number, born_on, sex, (*warnings, *([warning] if warning else [])))


def _born_on(number: str) -> date:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise IdentityError(Kind.IDENTITY_BIRTH) from None


@lru_cache(maxsize=8192)
def _check_region(code: str, year: int) -> Kind | None:
    """What is doubtful about the region. Raises IdentityError for a province that is none."""
    if code in _PERMITS:
        return None
    properties = [found for _, found in numdb.get("cn/loc").info(code)]
    known = {name: value for found in properties for name, value in found.items()}
    if "province" not in known:
        raise IdentityError(Kind.IDENTITY_REGION)
    if "county" not in known:
        return Kind.IDENTITY_REGION_UNKNOWN
    terms = [_term(county) for county in known["county"].split(",")]
    if year < _FIRST_YEAR or any(begin <= year <= end for begin, end in terms):
        return None
    return Kind.IDENTITY_REGION_LATER


def _term(county: str) -> tuple[int, int]:
    """The first and last year in which a region had its code: "[2016-]开州区"."""
    found = re.match(r"\[(\d*)-(\d*)\]", county)
    if found is None:
        return 0, 9999
    return int(found[1] or 0), int(found[2] or 9999)

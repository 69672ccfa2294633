"""Identity numbers (证件号码): read, checked by GB 11643, and what they say of their owner."""

import re
import unicodedata
from datetime import date
from typing import NamedTuple

from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from schema.tables.people import Sex

_MAINLAND = re.compile(r"\d{17}[\dX]")
_OTHER = re.compile(r"[A-Z0-9][A-Z0-9()/-]{4,24}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


class Identity(NamedTuple):
    """A number in the form that is kept, and what can be read from it."""

    number: str
    born_on: date | None = None
    sex: Sex | None = None


def read_identity(typed: str) -> Identity:
    """The number that somebody wrote. Raises AppError(INVALID).

    18 digits are checked by GB 11643-1999 (date and check digit; residence permits of Hong Kong,
    Macao and Taiwan are numbered by it as well). Other papers are taken as they are written; the 15
    digits that were given out until 1999 are no valid number any more.
    """
    number = re.sub(r"\s", "", unicodedata.normalize("NFKC", typed)).upper()
    if re.fullmatch(r"\d{17}.", number):
        return _read_mainland(number)
    is_old_form = number.isdigit() and len(number) >= 15
    if is_old_form or not _OTHER.fullmatch(number):
        raise AppError(Code.INVALID, _("This is no identity number."))
    return Identity(number)


def _read_mainland(number: str) -> Identity:
    if not _MAINLAND.fullmatch(number):
        raise AppError(Code.INVALID, _("This is no identity number."))
    rest = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11
    if _CHECKS[rest] != number[-1]:
        raise AppError(
            Code.INVALID, _("A digit of this identity number is wrong: its check digit differs.")
        )
    try:
        born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise AppError(
            Code.INVALID, _("The birth date in this identity number is no day.")
        ) from error
    return Identity(number, born_on, Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)

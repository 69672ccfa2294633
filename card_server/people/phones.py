"""Phone numbers (电话): read as people write them, kept in E.164, and told mobile from landline."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.field_errors import marked as _

COUNTRIES = ("CN",)
"""Where the guardians of a school have their phones unless the school says more (ISO 3166-1)."""
_MOST_COUNTRIES = 12
_MOST_DIGITS = 40
_MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_NOT_DIGITS = re.compile(r"[^\d+]")


class Phone(NamedTuple):
    """A number that exists in its country's plan."""

    number: str
    """E.164."""
    is_mobile: bool
    """Whether it may take messages: some countries do not tell their mobiles from landlines."""

    @property
    def tail(self) -> str:
        """The last four digits, which is all that screens show."""
        return self.number[-4:]


def read_phone(typed: str, countries: Sequence[str] = COUNTRIES) -> Phone:
    """A number as somebody wrote it: `138 0013 8000`, `+86 138…`, `0086…`, full-width, `010-…`.

    A number without a country is one of the first country. Raises AppError(INVALID) for what is no
    number, or one of a country that the school does not write to.
    """
    written = _join(typed)
    home = countries[0]
    try:
        if len(written) > _MOST_DIGITS:
            raise NumberParseException(NumberParseException.TOO_LONG, "")
        number = phonenumbers.parse(written, home)
    except NumberParseException as error:
        raise AppError(Code.INVALID, NO_NUMBER) from error
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise AppError(Code.INVALID, NO_NUMBER)
    if phonenumbers.region_code_for_number(number) not in countries:
        raise AppError(Code.INVALID, FOREIGN)
    kind = phonenumbers.number_type(number)
    return Phone(phonenumbers.format_number(number, PhoneNumberFormat.E164), kind in _MOBILE)


def show_phone(number: str) -> str:
    """An E.164 number as people read it aloud; without the country where that is China."""
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return number
    if parsed.country_code == 86:
        written = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    else:
        written = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
    return str(written)


def read_countries(wrong: Problems, field: str, typed: str) -> str:
    """Country codes apart by spaces, the school's own first; `CN` when none is given."""
    codes = list(dict.fromkeys(re.split(r"[\s,，、;；]+", typed.strip().upper())))
    codes = [code for code in codes if code]
    known = phonenumbers.SUPPORTED_REGIONS
    if len(codes) > _MOST_COUNTRIES or any(code not in known for code in codes):
        wrong.add(field, _("Write countries as two letters each, like CN HK; 12 at most."))
    return " ".join(codes or COUNTRIES)


def _join(typed: str) -> str:
    """The digits with a plus before them where one stood; 00 is how some write it."""
    written = unicodedata.normalize("NFKC", typed).strip()
    if re.search(r"[^\W\d_]", written):
        raise AppError(Code.INVALID, NO_NUMBER)
    digits = _NOT_DIGITS.sub("", written)
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    elif re.fullmatch(r"86\d{11}", digits):
        digits = f"+{digits}"
    return digits


NO_NUMBER = _("This is no phone number. Write it like 138 0013 8000 or +852 5123 4567.")
FOREIGN = _("The school does not write to this country. An administrator can allow it.")

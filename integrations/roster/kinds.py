"""What can be wrong with a spreadsheet or with what stands in it: each kind of finding by name."""

from enum import StrEnum
from typing import Final

from integrations.roster.protocol import Severity


class Kind(StrEnum):
    """A kind of finding of the sheets; whoever shows it has the sentence."""

    FILE_EMPTY = "file.empty"
    FILE_TOO_BIG = "file.too_big"
    FILE_KIND = "file.kind"
    FILE_MACROS = "file.macros"
    FILE_ENCRYPTED = "file.encrypted"
    FILE_BROKEN = "file.broken"
    FILE_NUL = "file.nul"
    FILE_QUOTES = "file.quotes"
    FILE_NO_HEADER = "file.no_header"
    FILE_NO_SHEET = "file.no_sheet"
    FILE_NO_ROWS = "file.no_rows"
    ENCODING_UNCERTAIN = "encoding.uncertain"
    ENCODING_NONE = "encoding.none"
    ENCODING_WRONG = "encoding.wrong"
    ENCODING_UNMARKED = "encoding.unmarked"
    ENCODING_MIXED = "encoding.mixed"
    COLUMN_MISSING = "column.missing"
    COLUMN_TWICE = "column.twice"
    COLUMN_UNKNOWN = "column.unknown"
    ROW_NOTE = "row.note"
    ROW_HEADER_AGAIN = "row.header_again"
    FORMULA_CACHED = "formula.cached"
    FORMULA_NO_VALUE = "formula.no_value"
    CELL_ERROR = "cell.error"
    NUMBER_LOST_DIGITS = "number.lost_digits"
    NUMBER_MISSING = "number.missing"
    NUMBER_SHAPE = "number.shape"
    NUMBER_IS_IDENTITY = "number.is_identity"
    NUMBER_TWICE = "number.twice"
    NAME_MISSING = "name.missing"
    NAME_TOO_LONG = "name.too_long"
    NAME_LOST = "name.lost"
    NAME_ODD = "name.odd"
    HOMEROOM_MISSING = "homeroom.missing"
    HOMEROOM_GRADE_UNCLEAR = "homeroom.grade_unclear"
    HOMEROOM_GRADE_OUTSIDE = "homeroom.grade_outside"
    HOMEROOM_CONTRADICTS = "homeroom.contradicts"
    HOMEROOM_TOO_LONG = "homeroom.too_long"
    DATE_INVALID = "date.invalid"
    DATE_UNCLEAR = "date.unclear"
    BORN_UNLIKELY = "born.unlikely"
    CODE_UNKNOWN = "code.unknown"
    IDENTITY_LENGTH = "identity.length"
    IDENTITY_SHAPE = "identity.shape"
    IDENTITY_REGION = "identity.region"
    IDENTITY_BIRTH = "identity.birth"
    IDENTITY_CHECKSUM = "identity.checksum"
    IDENTITY_OLD_FORM = "identity.old_form"
    IDENTITY_REGION_UNKNOWN = "identity.region_unknown"
    IDENTITY_REGION_LATER = "identity.region_later"
    IDENTITY_OTHER_BIRTH = "identity.other_birth"
    IDENTITY_OTHER_SEX = "identity.other_sex"
    IDENTITY_TWICE = "identity.twice"
    REGISTRY_SHAPE = "registry.shape"
    REGISTRY_TWICE = "registry.twice"
    CARD_SHAPE = "card.shape"
    CARD_TWICE = "card.twice"
    PHONE_INVALID = "phone.invalid"
    PHONE_COUNTRY = "phone.country"
    PHONE_NO_MESSAGES = "phone.no_messages"
    GUARDIAN_UNNAMED = "guardian.unnamed"
    GUARDIAN_NO_PHONE = "guardian.no_phone"


WARNINGS: Final = frozenset(
    {
        Kind.COLUMN_UNKNOWN,
        Kind.ROW_NOTE,
        Kind.ROW_HEADER_AGAIN,
        Kind.FORMULA_CACHED,
        Kind.NAME_ODD,
        Kind.DATE_UNCLEAR,
        Kind.BORN_UNLIKELY,
        Kind.CODE_UNKNOWN,
        Kind.IDENTITY_OLD_FORM,
        Kind.IDENTITY_REGION_UNKNOWN,
        Kind.IDENTITY_REGION_LATER,
        Kind.IDENTITY_OTHER_BIRTH,
        Kind.IDENTITY_OTHER_SEX,
        Kind.REGISTRY_SHAPE,
        Kind.PHONE_INVALID,
        Kind.PHONE_COUNTRY,
        Kind.PHONE_NO_MESSAGES,
        Kind.GUARDIAN_UNNAMED,
        Kind.GUARDIAN_NO_PHONE,
    }
)
"""What does not stop an import: the value is taken, or left out as if it were not there."""


def severity_of(kind: Kind) -> Severity:
    """Whether the kind stops an import."""
    return Severity.WARNING if kind in WARNINGS else Severity.ERROR

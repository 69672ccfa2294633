"""What is wrong with what somebody filled in, field by field, and the rules that many fields share.

Rules know no language: a sentence is marked here, and whoever shows it translates it.
"""

import unicodedata
from collections.abc import Mapping

from card_server.errors import AppError, Code
from schema.topics import CODE


def marked(text: str) -> str:
    """The text itself, marked for translation; import it as `_`, the name that extraction knows."""
    return text


_ = marked


class FieldsError(AppError):
    """One sentence for each field that cannot stay as it is; nothing was changed."""

    def __init__(self, fields: Mapping[str, str], code: Code = Code.INVALID) -> None:
        super().__init__(code, " ".join(f"{name}: {said}" for name, said in fields.items()))
        self.fields = dict(fields)


class Problems(dict[str, str]):
    """The sentences by field, as they are found; the first one of a field stays."""

    def add(self, field: str, said: str) -> None:
        """Note what is wrong with a field."""
        self.setdefault(field, said)

    def text(self, field: str, typed: str, most: int) -> str:
        """A text as it may be kept: normalised, and of 1 to `most` characters."""
        kept = clean(typed)
        if not kept:
            self.add(field, _("This must not be empty."))
        elif len(kept) > most:
            self.add(field, _TOO_LONG[most])
        return kept

    def code(self, field: str, typed: str) -> str:
        """A short name that stands in topics and certificates."""
        if not CODE.fullmatch(typed):
            self.add(field, _("This is no code: small letters, digits and hyphens, 32 at most."))
        return typed

    def number(self, field: str, typed: str, least: int, most: int) -> int:
        """A whole number within bounds; `least` when it is none."""
        written = unicodedata.normalize("NFKC", typed).strip()
        is_number = written.isascii() and written.isdigit() and len(written) <= 9
        if is_number and least <= int(written) <= most:
            return int(written)
        self.add(field, _OUT_OF_BOUNDS[least, most])
        return least

    def refuse(self) -> None:
        """Raise FieldsError when anything is wrong."""
        if self:
            raise FieldsError(self)


def clean(typed: str) -> str:
    """NFC, single spaces, and nothing that cannot be seen (controls, zero-width, bidi marks)."""
    visible = "".join(
        sign
        for sign in unicodedata.normalize("NFC", " ".join(typed.split()))
        if unicodedata.category(sign) not in _UNSEEN
    )
    return visible.strip()


_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_TOO_LONG = {
    20: _("This may have 20 characters at most."),
    32: _("This may have 32 characters at most."),
    40: _("This may have 40 characters at most."),
    60: _("This may have 60 characters at most."),
    120: _("This may have 120 characters at most."),
    200: _("This may have 200 characters at most."),
    300: _("This may have 300 characters at most."),
}
_OUT_OF_BOUNDS = {
    (0, 3600): _("Write a whole number from 0 to 3600."),
    (1, 1440): _("Write a whole number from 1 to 1440."),
    (1, 2): _("Write 1 or 2."),
    (1, 12): _("Write a whole number from 1 to 12."),
    (1, 7): _("Write a whole number from 1 to 7."),
    (1, 9): _("Write a whole number from 1 to 9."),
    (1, 30): _("Write a whole number from 1 to 30."),
    (1, 200): _("Write a whole number from 1 to 200."),
    (1, 1_000_000): _("Write a whole number from 1 to 1000000."),
    (2000, 2100): _("Write a year from 2000 to 2100."),
}

"""Rows with the names of the CSV tables, wherever they came from; their values, read strictly."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from integrations.roster.oneroster.findings import Findings, Kind
from integrations.roster.oneroster.tables import EXTENSION, STATUSES

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T.*)?")


class Row(Struct, frozen=True):
    """One record of a table. Values are clean; what is not there is empty."""

    file: str
    line: int
    values: dict[str, str]

    def text(self, *fields: str) -> str:
        """The first of these columns that says anything."""
        for field in fields:
            if value := self.values.get(field):
                return value
        return ""

    def ids(self, *fields: str) -> tuple[str, ...]:
        """A list in one cell, without repetitions, in its order."""
        parts = (part.strip() for part in self.text(*fields).split(","))
        return tuple(dict.fromkeys(part for part in parts if part))


class Reading:
    """Reads the values of one row, and says what is wrong with them."""

    def __init__(self, row: Row, findings: Findings) -> None:
        self.row = row
        self._findings = findings

    def say(self, kind: Kind, field: str = "", value: str = "", expected: str = "") -> None:
        """Keep a finding on this row."""
        self._findings.add(kind, self.row.file, self.row.line, field, value, expected)

    def say_once(self, kind: Kind, field: str, value: str = "", expected: str = "") -> None:
        """Keep a finding on this column, if it is the first."""
        self._findings.once(kind, self.row.file, self.row.line, field, value, expected)

    def required(self, *fields: str) -> str:
        """The value; empty and a finding if there is none."""
        value = self.row.text(*fields)
        if not value:
            self.say(Kind.VALUE_MISSING, fields[0])
        return value

    def word(self, allowed: Sequence[str], *fields: str) -> str:
        """The word of the vocabulary; empty if there is none or another (a finding).

        Words are case-sensitive (1.2.1 CSV Binding §3); one in another case is understood and
        reported. An extension word (`ext:…`) comes as it is.
        """
        value = self.row.text(*fields)
        if not value or value in allowed or value.startswith(EXTENSION):
            return value
        for word in allowed:
            if word.lower() == value.lower():
                self.say_once(Kind.CASE, fields[0], value, word)
                return word
        self.say(Kind.VOCABULARY, fields[0], value, ", ".join(allowed))
        return ""

    def day(self, *fields: str) -> date | None:
        """An ISO date; what a time stamp says of the hour is not looked at."""
        value = self.row.text(*fields)
        if not value:
            return None
        try:
            if match := _DATE.fullmatch(value):
                return date.fromisoformat(match[1])
        except ValueError:
            pass
        self.say(Kind.DATE, fields[0], value, "2026-09-01")
        return None

    def truth(self, *fields: str) -> bool | None:
        """Whether; None if the cell is empty or says something else (a finding)."""
        value = self.row.text(*fields)
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        if value:
            self.say(Kind.VOCABULARY, fields[0], value, "true, false")
        return None

    def is_deleted(self) -> bool:
        """Whether the source says that the record is no more."""
        return self.word(STATUSES, "status") == "tobedeleted"


def clean(text: str) -> str:
    """Text in NFC on one line, without controls, zero-width and direction marks."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split()) if "  " in text else text.strip()
    kept = (c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())

"""Sheets for a school-register system: card numbers, attendance and loans, as XLSX or CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, time
from typing import Final

import xlsxwriter
from msgspec import Struct

from integrations.roster.cmis import OutSheet, Profile


class CardRow(Struct, frozen=True):
    """A student's card."""

    number: str
    name: str
    homeroom: str
    card_number: str
    registry: str = ""
    issued_on: date | None = None


class AttendanceRow(Struct, frozen=True):
    """A student's day."""

    number: str
    name: str
    homeroom: str
    day: date
    result: str
    """present, late, early_leave, absent, on_leave."""
    registry: str = ""
    arrived_at: time | None = None
    left_at: time | None = None
    """By the school's clock."""


class LoanRow(Struct, frozen=True):
    """A loan of a student's."""

    number: str
    name: str
    homeroom: str
    title: str
    lent_on: date
    registry: str = ""
    isbn: str = ""
    barcode: str = ""
    due_on: date | None = None
    returned_on: date | None = None


class NotWritableError(Exception):
    """Rows with characters that the register's encoding does not have; XLSX has them all."""

    def __init__(self, encoding: str, lines: tuple[int, ...]) -> None:
        super().__init__(f"not in {encoding}: lines {', '.join(map(str, lines))}")
        self.encoding = encoding
        self.lines = lines
        """As the sheet would count them: the header is 1."""


Line = list[str]


def write_cards_xlsx(profile: Profile, rows: Iterable[CardRow]) -> bytes:
    """Card numbers as a workbook."""
    return _workbook(profile.cards, _lines(profile, profile.cards, rows))


def write_cards_csv(profile: Profile, rows: Iterable[CardRow]) -> bytes:
    """Card numbers as CSV in the register's encoding. Raises NotWritableError."""
    return _csv(profile, _lines(profile, profile.cards, rows))


def write_attendance_xlsx(profile: Profile, rows: Iterable[AttendanceRow]) -> bytes:
    """Attendance as a workbook."""
    return _workbook(profile.attendance, _lines(profile, profile.attendance, rows))


def write_attendance_csv(profile: Profile, rows: Iterable[AttendanceRow]) -> bytes:
    """Attendance as CSV in the register's encoding. Raises NotWritableError."""
    return _csv(profile, _lines(profile, profile.attendance, rows))


def write_loans_xlsx(profile: Profile, rows: Iterable[LoanRow]) -> bytes:
    """Loans as a workbook."""
    return _workbook(profile.loans, _lines(profile, profile.loans, rows))


def write_loans_csv(profile: Profile, rows: Iterable[LoanRow]) -> bytes:
    """Loans as CSV in the register's encoding. Raises NotWritableError."""
    return _csv(profile, _lines(profile, profile.loans, rows))


def _lines(
    profile: Profile, sheet: OutSheet, rows: Iterable[CardRow | AttendanceRow | LoanRow]
) -> Iterator[Line]:
    """The header, and each row in the sheet's order and words."""
    yield [header for header, _ in sheet.columns]
    for row in rows:
        yield [_write(profile, sheet, getattr(row, name), name) for _, name in sheet.columns]


def _write(profile: Profile, sheet: OutSheet, value: str | date | time | None, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.strftime(profile.writing.date)
    if isinstance(value, time):
        return value.strftime(profile.writing.time)
    return sheet.words.get(value, value) if name == "result" else value


_HOSTILE: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""A spreadsheet takes text that begins with one of these for a formula (OWASP, CSV injection)."""


def _csv(profile: Profile, lines: Iterable[Line]) -> bytes:
    encoding = profile.writing.encoding
    written: list[bytes] = []
    failed: list[int] = []
    for number, line in enumerate(lines, 1):
        text = io.StringIO()
        csv.writer(text).writerow([f"'{c}" if c.startswith(_HOSTILE) else c for c in line])
        try:
            written.append(text.getvalue().encode(encoding))
        except UnicodeEncodeError:
            failed.append(number)
    if failed:
        raise NotWritableError(encoding, tuple(failed))
    return b"".join(written)


def _workbook(sheet: OutSheet, lines: Iterable[Line]) -> bytes:
    """Every cell is text: none is a formula, and no number loses its digits."""
    body = io.BytesIO()
    with xlsxwriter.Workbook(body, {"constant_memory": True}) as workbook:
        page = workbook.add_worksheet(sheet.title[:31])
        page.freeze_panes(1, 0)
        as_text = workbook.add_format({"num_format": "@"})
        bold = workbook.add_format({"bold": True, "num_format": "@"})
        page.set_column(0, len(sheet.columns) - 1, 20, as_text)
        for number, line in enumerate(lines):
            for column, cell in enumerate(line):
                page.write_string(number, column, cell, as_text if number else bold)
    return body.getvalue()

"""Rows as a file for a spreadsheet: XLSX or CSV, with hostile cells made harmless."""

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import chain, islice
from typing import IO, Any
from zoneinfo import ZoneInfo

import xlsxwriter

Cell = str | int | float | datetime | date | None
Row = Sequence[Cell]

SHEET_ROWS = 1_048_575
"""Of one sheet under its head; a workbook's next sheet takes what is more."""
_HOSTILE = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""A spreadsheet takes text that begins with one of these for a formula (OWASP, CSV injection)."""
_WIDEST = 60
_CHUNK = 64 * 1024
_IN_MEMORY = 1024 * 1024


class Export(StrEnum):
    """A kind of file."""

    XLSX = "xlsx"
    CSV = "csv"


MEDIA_TYPES = {
    Export.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Export.CSV: "text/csv; charset=utf-8",
}


@dataclass(frozen=True)
class SecondSheet:
    """What stands beside a list in its workbook; a CSV has one table alone."""

    name: str
    heads: Sequence[str]
    rows: Iterable[Row]


@dataclass(frozen=True)
class Sheet:
    """A list before it is a file."""

    name: str
    """Stands in the file's name, so it says what it is and names nobody."""
    heads: Sequence[str]
    rows: Iterable[Row]
    zone: ZoneInfo
    """Times are written as the clocks there showed them."""
    filters: Mapping[str, str]
    """Which rows of the list these are, as the page's address says it: ids and choices."""
    about: Iterable[tuple[str, Cell]] | None = None
    """The same for people, in their words: a workbook's last sheet, taken after the rows."""
    second: SecondSheet | None = None


def name_file(kind: Export, sheet: Sheet, today: date) -> str:
    """Which list, which rows of it, and when: `messages-state_failed-2026-09-01.csv`."""
    chosen = [
        f"{name}_{_UNSAFE.sub('_', value)}"
        for name, value in sorted(sheet.filters.items())
        if value
    ]
    return "-".join([sheet.name, *chosen])[:120] + f"-{today}.{kind}"


_UNSAFE = re.compile(r"[^A-Za-z0-9.]+")


def write_file(kind: Export, sheet: Sheet) -> Iterator[bytes]:
    """The file's bytes; of a long list never more than a part is in memory."""
    return _write_xlsx(sheet) if kind is Export.XLSX else _write_csv(sheet)


def make_harmless(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would run it."""
    return f"'{text}" if text.startswith(_HOSTILE) else text


def _write_csv(sheet: Sheet) -> Iterator[bytes]:
    """Line by line; the byte order mark tells Excel that this is UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([make_harmless(head) for head in sheet.heads])
    for row in sheet.rows:
        writer.writerow([_csv_cell(cell, sheet.zone) for cell in row])
        if buffer.tell() > _CHUNK:
            yield _take(buffer)
    yield _take(buffer)


def _csv_cell(cell: Cell, zone: ZoneInfo) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return _local(cell, zone).isoformat(" ", "seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    return make_harmless(cell) if isinstance(cell, str) else cell


def _take(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _write_xlsx(sheet: Sheet) -> Iterator[bytes]:
    """A workbook. Text is stored as text: no cell is a formula, whatever it says."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        _fill_workbook(file, sheet)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _fill_workbook(file: IO[bytes], sheet: Sheet) -> None:
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
        pen = _Pen(workbook, sheet.zone)
        rows, number = iter(sheet.rows), 1
        first: list[Row] = []
        while number == 1 or first:
            name = sheet.name if number == 1 else f"{sheet.name} {number}"
            pen.write_list(name, sheet.heads, islice(chain(first, rows), SHEET_ROWS))
            first, number = list(islice(rows, 1)), number + 1
        if sheet.second is not None:
            pen.write_list(sheet.second.name, sheet.second.heads, sheet.second.rows)
        if sheet.about is not None:
            pen.write_about(sheet.about)


class _Pen:
    """Writes cells into one workbook, each by its kind."""

    def __init__(self, workbook: Any, zone: ZoneInfo) -> None:
        self._workbook = workbook
        self._zone = zone
        self._bold = workbook.add_format({"bold": True})
        self._moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._day = workbook.add_format({"num_format": "yyyy-mm-dd"})

    def write_list(self, name: str, heads: Sequence[str], rows: Iterable[Row]) -> None:
        sheet = self._workbook.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for column, head in enumerate(heads):
            sheet.set_column(column, column, min(_WIDEST, max(12, 2 * len(head))))
            sheet.write_string(0, column, head, self._bold)
        for line, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                self._write(sheet, line, column, cell)

    def write_about(self, about: Iterable[tuple[str, Cell]]) -> None:
        sheet = self._workbook.add_worksheet("about")
        sheet.set_column(0, 1, 24)
        for line, (label, cell) in enumerate(about):
            sheet.write_string(line, 0, label, self._bold)
            self._write(sheet, line, 1, cell)

    def _write(self, sheet: Any, line: int, column: int, cell: Cell) -> None:
        if isinstance(cell, str):
            sheet.write_string(line, column, cell)
        elif isinstance(cell, datetime):
            sheet.write_datetime(line, column, _local(cell, self._zone), self._moment)
        elif isinstance(cell, date):
            sheet.write_datetime(line, column, cell, self._day)
        elif cell is not None:
            sheet.write_number(line, column, cell)


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """A moment as the school's clock showed it, without a zone: spreadsheets know none."""
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)

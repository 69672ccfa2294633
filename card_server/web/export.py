"""Rows as a download for a spreadsheet: XLSX or CSV, with hostile cells made harmless (导出)."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import IO
from zoneinfo import ZoneInfo

import xlsxwriter
from flask import Response, request

from card_server.access import school_in_use

Cell = str | int | float | datetime | date | None

_HOSTILE = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""A spreadsheet takes text that begins with one of these for a formula (OWASP, CSV injection)."""
_WIDEST = 60
_CHUNK = 64 * 1024
_IN_MEMORY = 1024 * 1024


class Export(StrEnum):
    """A kind of file."""

    XLSX = "xlsx"
    CSV = "csv"


_TYPES = {
    Export.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Export.CSV: "text/csv; charset=utf-8",
}


def asked_export() -> Export | None:
    """The kind of file that this request wants instead of a page."""
    asked = request.args.get("export", "")
    return Export(asked) if asked in list(Export) else None


def send_export(
    kind: Export, name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> Response:
    """The download; `name` stands in the file's name, so it says what it is and names nobody.

    Times are written in the school's zone.
    """
    zone = school_in_use().zone
    is_xlsx = kind is Export.XLSX
    body = _write_xlsx(name, heads, rows, zone) if is_xlsx else _write_csv(heads, rows, zone)
    response = Response(body, mimetype=_TYPES[kind])
    today = datetime.now(zone).date()
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{today}.{kind}"'
    return response


def make_harmless(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would run it."""
    return f"'{text}" if text.startswith(_HOSTILE) else text


def _write_csv(
    heads: Sequence[str], rows: Iterable[Sequence[Cell]], zone: ZoneInfo
) -> Iterator[str]:
    """Line by line; the byte order mark tells Excel that this is UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([make_harmless(head) for head in heads])
    for row in rows:
        writer.writerow([_csv_cell(cell, zone) for cell in row])
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


def _take(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _write_xlsx(
    name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], zone: ZoneInfo
) -> Iterator[bytes]:
    """A workbook of one sheet. Text is stored as text: no cell is a formula, whatever it says."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        _fill_workbook(file, name, heads, rows, zone)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _fill_workbook(
    file: IO[bytes],
    name: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    zone: ZoneInfo,
) -> None:
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        bold = workbook.add_format({"bold": True})
        moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for column, head in enumerate(heads):
            sheet.set_column(column, column, min(_WIDEST, max(12, 2 * len(head))))
            sheet.write_string(0, column, head, bold)
        for line, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(line, column, cell)
                elif isinstance(cell, datetime):
                    sheet.write_datetime(line, column, _local(cell, zone), moment)
                elif isinstance(cell, date):
                    sheet.write_datetime(line, column, cell, day)
                elif cell is not None:
                    sheet.write_number(line, column, cell)


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """A moment as the school's clock showed it, without a zone: spreadsheets know none."""
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)

"""Sheets as bytes, in every kind of file that a school is given."""

import csv
import html
import io
from collections.abc import Sequence
from datetime import date

import xlsxwriter
import xlwt

Cell = str | int | float | date | None
Cells = Sequence[Sequence[Cell]]


def write_text(rows: Cells, encoding: str = "utf-8-sig", delimiter: str = ",") -> bytes:
    """As CSV, or separated otherwise."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def write_xlsx(rows: Cells, *, sheet: str = "学生", merged: Sequence[str] = ()) -> bytes:
    """As XLSX; text as text, numbers as numbers, a date as a date. `merged`: ranges like A1:C1."""
    body = io.BytesIO()
    with xlsxwriter.Workbook(body) as book:
        page = book.add_worksheet(sheet)
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for line, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    page.write_datetime(line, column, cell, day)
                elif isinstance(cell, str):
                    page.write_string(line, column, cell)
                elif cell is not None:
                    page.write_number(line, column, cell)
        for where in merged:
            first = where.split(":")[0]
            line, column = int(first[1:]) - 1, ord(first[0]) - 65
            page.merge_range(where, rows[line][column])
    return body.getvalue()


def write_xls(rows: Cells) -> bytes:
    """As the XLS of old."""
    book = xlwt.Workbook()
    page = book.add_sheet("学生")
    for line, row in enumerate(rows):
        for column, cell in enumerate(row):
            page.write(line, column, cell)
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def write_html(rows: Cells, encoding: str = "utf-8") -> bytes:
    """As the page that many systems call .xls."""
    cells = (
        "<tr>" + "".join(f"<td>{html.escape(str(cell or ''))}</td>" for cell in row) + "</tr>\n"
        for row in rows
    )
    return f"<html><body><table>\n{''.join(cells)}</table></body></html>".encode(encoding)

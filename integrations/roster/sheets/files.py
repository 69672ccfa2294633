"""A table with a header out of the bytes of a file, whatever kind of file it really is."""

import re
from collections.abc import Collection, Mapping
from itertools import chain
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from integrations.roster.codes import LODGING, NATION, RELATION, STATUS
from integrations.roster.kinds import Kind
from integrations.roster.protocol import Finding, Severity
from integrations.roster.sheets.fields import WORDS
from integrations.roster.sheets.grid import LARGEST_FILE, Grid, Mark, SheetError
from integrations.roster.sheets.header import Header, find_header
from integrations.roster.sheets.pages import looks_like_page, read_page
from integrations.roster.sheets.text import decode, read_text
from integrations.roster.sheets.workbook import COMPOUND, ZIP, Workbook

_REFUSED: Final = (".xlsm", ".xltm", ".xlsb", ".xlam")
_MOST_SHEETS: Final = 20


class Row(Struct, frozen=True):
    """A row under the header."""

    line: int
    """As a spreadsheet counts it."""
    cells: tuple[str, ...]
    """As many as the header has, as text."""


class Table(Struct, frozen=True):
    """All that was read of a file."""

    file: str
    kind: str
    """"xlsx", "xls", "html" or "text": what the file is, whatever its name says."""
    encoding: str | None
    """Of a text."""
    sheet: str | None
    sheets: tuple[str, ...]
    """Of a workbook: the sheet that was read, and those that there are."""
    header: tuple[str, ...]
    header_line: int
    rows: tuple[Row, ...]
    marks: Mapping[tuple[int, int], Kind]
    """What is remarkable about single cells, by line and column."""
    findings: tuple[Finding, ...]
    """What was passed over."""


def read_table(
    body: bytes, file: str, *, encoding: str | None = None, sheet: str | None = None
) -> Table:
    """The table. `file` is its name, to say it in findings; what it is, its bytes say.

    `encoding` and `sheet` are what a person chose. Raises SheetError.
    """
    if not body.strip():
        raise SheetError(Kind.FILE_EMPTY, file)
    if len(body) > LARGEST_FILE:
        raise SheetError(Kind.FILE_TOO_BIG, file)
    if file.lower().endswith(_REFUSED):
        raise SheetError(Kind.FILE_MACROS, file)
    if body.startswith((ZIP, COMPOUND)):
        return _read_workbook(body, file, sheet)
    return _read_text(body, file, encoding)


def mend(
    table: Table, cells: Mapping[tuple[int, int], str], without: Collection[int] = ()
) -> Table:
    """The table with some cells written anew, by line and column, and without some lines."""
    lines = {line for line, _ in cells}
    rows = tuple(
        replace(
            row,
            cells=tuple(
                cells.get((row.line, column), text) for column, text in enumerate(row.cells)
            ),
        )
        if row.line in lines
        else row
        for row in table.rows
        if row.line not in without
    )
    marks = {place: kind for place, kind in table.marks.items() if place not in cells}
    return replace(table, rows=rows, marks=marks)


def _read_workbook(body: bytes, file: str, sheet: str | None) -> Table:
    book = Workbook(body, file)
    names = (sheet,) if sheet else book.sheets[:_MOST_SHEETS]
    best: tuple[str, Grid, Header] | None = None
    for name in names:
        grid = book.read(name)
        header = find_header(grid)
        if header and (best is None or header.known > best[2].known):
            best = (name, grid, header)
    if best is None:
        raise SheetError(Kind.FILE_NO_HEADER, file)
    name, grid, header = best
    rows, findings = _rows_below(grid, header, file)
    marks = _marks_below(grid.marks, header)
    return Table(
        file, book.kind, None, name, book.sheets, header.names, header.line, rows, marks, findings
    )


def _read_text(body: bytes, file: str, encoding: str | None) -> Table:
    text, found = decode(body, file, encoding, _words())
    if looks_like_page(text):
        kind, grid = "html", read_page(text, file)
    elif text.lstrip("\ufeff \t\r\n").startswith(("<", "%PDF", "{")):
        raise SheetError(Kind.FILE_KIND, file)
    else:
        kind, grid = "text", read_text(text, file)
    header = find_header(grid)
    if header is None:
        raise SheetError(Kind.FILE_NO_HEADER, file)
    rows, findings = _rows_below(grid, header, file)
    return Table(file, kind, found, None, (), header.names, header.line, rows, {}, findings)


def _words() -> set[str]:
    """Words that a roster holds; under the wrong encoding they are not there."""
    tables = (RELATION, NATION, LODGING, STATUS)
    return {*WORDS, *chain.from_iterable(table.by_code.values() for table in tables)}


def _marks_below(marks: tuple[Mark, ...], header: Header) -> dict[tuple[int, int], Kind]:
    return {(mark.line, mark.column): mark.kind for mark in marks if mark.line > header.line}


_NOTE: Final = re.compile(
    r"[\s*※]*(?:注|备\s*注|说\s*明|填\s*表|填\s*报|合\s*计|总\s*计|共\s*计|小\s*计|制\s*表|审\s*核|打\s*印|"
    r"单\s*位|负责人|共\s*\d+\s*人|第?\s*\d+\s*页|note|total)",
    re.IGNORECASE,
)
_EXPLAINED: Final = re.compile(r"必填|选填|可空|示例|样例|格式[:：为]|下拉|请填|填写")
_FEW: Final = 3
"""A note fills this many cells at most."""


def _rows_below(
    grid: Grid, header: Header, file: str
) -> tuple[tuple[Row, ...], tuple[Finding, ...]]:
    """The rows with people in them; notes, sums and repeated headers are passed over and said."""
    wide = len(header.names)
    rows, findings = [], []
    for line, cells in enumerate(grid.rows[header.line :], header.line + 1):
        filled = [cell for cell in cells if cell]
        if not filled:
            continue
        padded = (*cells[:wide], *[""] * (wide - len(cells)))
        kind = _kind_of_no_row(padded, filled, header, is_first=line == header.line + 1)
        if kind is None:
            rows.append(Row(line, padded))
        else:
            findings.append(Finding(kind, Severity.WARNING, file, line, "", filled[0][:60]))
    if not rows:
        raise SheetError(Kind.FILE_NO_ROWS, file)
    return tuple(rows), tuple(findings)


def _kind_of_no_row(
    cells: tuple[str, ...], filled: list[str], header: Header, *, is_first: bool
) -> Kind | None:
    """Why a row is no person's; None when it is."""
    same = sum(cell == name for cell, name in zip(cells, header.names, strict=True) if name)
    if same >= max(2, len([name for name in header.names if name]) // 2):
        return Kind.ROW_HEADER_AGAIN
    if len(filled) <= _FEW and _NOTE.match(filled[0]):
        return Kind.ROW_NOTE
    explained = sum(bool(_EXPLAINED.search(cell)) for cell in filled)
    if is_first and explained >= max(1, len(filled) // 3):
        return Kind.ROW_NOTE
    return None

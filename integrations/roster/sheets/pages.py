"""A table out of a web page: what many systems save as .xls is HTML."""

from html.parser import HTMLParser
from typing import Final

from integrations.roster.kinds import Kind
from integrations.roster.sheets.grid import (
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    Grid,
    SheetError,
    check_size,
)


def looks_like_page(text: str) -> bool:
    """Whether the text is HTML with a table in it."""
    begin = text[:4096].lstrip("\ufeff \t\r\n").lower()
    return begin.startswith("<") and "<table" in text[:100_000].lower()


def read_page(text: str, file: str) -> Grid:
    """The cells of the page's largest table. Raises SheetError."""
    parser = _Tables()
    try:
        parser.feed(text)
        parser.close()
    except _TooManyError as error:
        raise SheetError(Kind.FILE_TOO_BIG, file) from error
    if not parser.tables:
        raise SheetError(Kind.FILE_EMPTY, file)
    grid = max(parser.tables, key=lambda table: sum(map(len, table.rows)))
    check_size(grid.rows, file)
    return grid


class _TooManyError(Exception):
    """A table that says of itself that it is larger than any."""


_UNSEEN: Final = {"script", "style", "title", "head"}


class _Tables(HTMLParser):
    """Collects tables; one within another's cell is text of that cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Grid] = []
        self._depth = 0
        self._unseen = 0
        self._rows: list[list[str]] = []
        self._spans: list[tuple[int, int, int, int]] = []
        self._taken: dict[tuple[int, int], bool] = {}
        self._cell: list[str] | None = None
        self._size = (1, 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "table":
            self._depth += 1
            if self._depth == 1:
                self._rows, self._spans, self._taken, self._cell = [], [], {}, None
        elif self._depth != 1:
            return
        elif tag == "tr":
            self._end_cell()
            self._rows.append([])
        elif tag in {"td", "th"}:
            self._end_cell()
            if not self._rows:
                self._rows.append([])
            given = dict(attrs)
            self._cell = []
            self._size = (_count(given.get("rowspan")), _count(given.get("colspan")))
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "table" and self._depth:
            if self._depth == 1:
                self._end_cell()
                self.tables.append(Grid(self._rows, spans=tuple(self._spans)))
            self._depth -= 1
        elif tag in {"td", "th", "tr"} and self._depth == 1:
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._unseen:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        row, line = self._rows[-1], len(self._rows)
        text = "".join(self._cell).replace("\xa0", " ").strip()
        self._cell = None
        while (line, len(row)) in self._taken:
            row.append("")
        column, (high, wide) = len(row), self._size
        if len(self._taken) + high * wide > MOST_CELLS:
            raise _TooManyError
        row.extend([text, *[""] * (wide - 1)])
        if high > 1:
            self._taken |= {
                (line + down, column + right): True
                for down in range(1, high)
                for right in range(wide)
            }
        if high > 1 or wide > 1:
            self._spans.append((line, column, line + high - 1, column + wide - 1))


def _count(written: str | None) -> int:
    """How many rows or columns a cell spans."""
    number = int(written) if written and written.isascii() and written.isdigit() else 1
    if number > max(MOST_ROWS, MOST_COLUMNS):
        raise _TooManyError
    return max(1, number)

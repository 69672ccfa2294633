"""What a reader of files gives: cells as text, as they stand, and what is remarkable about some."""

from msgspec import Struct

from integrations.roster.kinds import Kind
from integrations.roster.protocol import Finding, Severity

LARGEST_FILE = 30 * 1024 * 1024
MOST_ROWS = 60_000
MOST_COLUMNS = 500
MOST_CELLS = 4_000_000
LONGEST_CELL = 10_000
MOST_TEXT = 150 * 1024 * 1024
"""Characters of a whole sheet."""


class Mark(Struct, frozen=True):
    """Something about one cell that its text does not say."""

    line: int
    column: int
    """From 0."""
    kind: Kind


class Grid(Struct, frozen=True):
    """A rectangle of cells; the first row is line 1."""

    rows: list[list[str]]
    marks: tuple[Mark, ...] = ()
    spans: tuple[tuple[int, int, int, int], ...] = ()
    """Merged cells: first line, first column (from 0), last line, last column."""


class SheetError(Exception):
    """A file that cannot be read, with the finding that says why; nothing of it was used."""

    def __init__(
        self, kind: Kind, file: str, *, line: int | None = None, value: str = "", expected: str = ""
    ) -> None:
        super().__init__(kind.value)
        self.finding = Finding(kind, Severity.ERROR, file, line, "", value, expected)


def check_size(rows: list[list[str]], file: str) -> None:
    """Raise SheetError for a table that no school has."""
    widest = max((len(row) for row in rows), default=0)
    if len(rows) > MOST_ROWS or widest > MOST_COLUMNS:
        raise SheetError(Kind.FILE_TOO_BIG, file)
    for line, row in enumerate(rows, 1):
        if any(len(cell) > LONGEST_CELL for cell in row):
            raise SheetError(Kind.FILE_TOO_BIG, file, line=line)

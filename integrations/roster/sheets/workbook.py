"""Tables out of a workbook, XLSX or the old XLS: every cell as the text that it stands for."""

import io
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final, TypeVar

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from integrations.roster.kinds import Kind
from integrations.roster.sheets.archive import Archive, Look
from integrations.roster.sheets.grid import (
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    Grid,
    SheetError,
    check_size,
)

ZIP: Final = b"PK\x03\x04"
COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What .xls begins with, and an encrypted .xlsx too (MS-CFB §2.2)."""
_EXACT: Final = 10**15
"""A spreadsheet keeps fifteen digits of a number; the rest of a longer one are noughts."""
Value = int | float | str | bool | time | date | datetime | timedelta
Result = TypeVar("Result")


class Workbook:
    """A workbook whose sheets are read one at a time."""

    def __init__(self, body: bytes, file: str) -> None:
        """Raises SheetError for macros, a password, damage, and what is too big."""
        self._file = file
        self._archive = Archive(body, file) if body.startswith(ZIP) else None
        if self._archive is None:
            _check_compound(body, file)
        self._book = self._guard(lambda: CalamineWorkbook.from_filelike(io.BytesIO(body)))
        self.sheets: tuple[str, ...] = tuple(
            sheet.name
            for sheet in self._book.sheets_metadata
            if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible
        )
        if not self.sheets:
            raise SheetError(Kind.FILE_EMPTY, file)

    @property
    def kind(self) -> str:
        """What it is, whatever its name says."""
        return "xlsx" if self._archive else "xls"

    def read(self, name: str) -> Grid:
        """The cells of a sheet. Raises SheetError."""
        if name not in self.sheets:
            raise SheetError(Kind.FILE_NO_SHEET, self._file, value=name)
        look = self._archive.look(name) if self._archive else Look((), {})
        sheet = self._guard(lambda: self._book.get_sheet_by_name(name))
        high, wide = sheet.total_height, sheet.total_width
        if sheet.end is not None:
            high, wide = sheet.end[0] + 1, sheet.end[1] + 1
        if high > MOST_ROWS or wide > MOST_COLUMNS or high * wide > MOST_CELLS:
            raise SheetError(Kind.FILE_TOO_BIG, self._file)
        values = self._guard(lambda: sheet.to_python(skip_empty_area=False))
        rows = [[_write(value) for value in row] for row in values]
        for (line, column), digits in look.padded.items():
            if line <= len(rows) and column < len(rows[line - 1]):
                cell = rows[line - 1][column]
                rows[line - 1][column] = cell.zfill(digits) if cell.isdigit() else cell
        check_size(rows, self._file)
        merged = self._guard(lambda: sheet.merged_cell_ranges) or []
        spans = tuple((top + 1, left, end + 1, right) for (top, left), (end, right) in merged)
        return Grid(rows, look.marks, spans)

    def _guard(self, read: Callable[[], Result]) -> Result:
        """What is read, or the reason why a damaged file cannot be.

        The reader is a Rust program: where it gives up, Python sees a PanicException, which is not
        an Exception.
        """
        try:
            return read()
        except PasswordError as error:
            raise SheetError(Kind.FILE_ENCRYPTED, self._file) from error
        except (CalamineError, ValueError, OverflowError, OSError) as error:
            raise SheetError(Kind.FILE_BROKEN, self._file) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise SheetError(Kind.FILE_BROKEN, self._file) from error


def _check_compound(body: bytes, file: str) -> None:
    """Refuse an old workbook with macros, and a new one with a password, by its streams' names."""
    if "EncryptedPackage".encode("utf-16-le") in body:
        raise SheetError(Kind.FILE_ENCRYPTED, file)
    if "_VBA_PROJECT".encode("utf-16-le") in body:
        raise SheetError(Kind.FILE_MACROS, file)


def _write(value: Value) -> str:
    """A cell's value as text. Long numbers keep the look of a number that lost digits."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return _write_number(value) if isinstance(value, int | float) else _write_time(value)


def _write_number(value: float) -> str:
    if abs(value) >= _EXACT:
        return f"{value:.5E}"
    return str(int(value)) if value == int(value) else repr(value)


def _write_time(value: time | date | timedelta) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time() != time() else value.date().isoformat()
    return str(value) if isinstance(value, timedelta) else value.isoformat()

"""Looking into a workbook before it is read: what it would take, formulas, and padded numbers.

The reader of workbooks makes a dense table of whatever a sheet says of itself, and gives neither
formulas nor number formats; so the sheet's own text is looked through first.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

from msgspec import Struct

from integrations.roster.kinds import Kind
from integrations.roster.sheets.grid import (
    LONGEST_CELL,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    MOST_TEXT,
    Mark,
    SheetError,
)

_MOST_FILES: Final = 2_000
_MOST_BYTES: Final = 120 * 1024 * 1024
_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Look(Struct, frozen=True):
    """What a sheet's own text says that its cells do not."""

    marks: tuple[Mark, ...]
    padded: dict[tuple[int, int], int]
    """Line and column of numbers that are shown with leading zeros → digits shown."""


class Archive:
    """A workbook's files, of bounded size."""

    def __init__(self, body: bytes, file: str) -> None:
        """Raises SheetError for what is none, has macros, or would be too big."""
        self._file = file
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(body))
            self._check()
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            EOFError,
        ) as error:
            raise SheetError(Kind.FILE_BROKEN, file) from error

    def _check(self) -> None:
        """Unpack everything once and throw it away: what the list of files says may be a lie."""
        entries = self._zip.infolist()
        names = [entry.filename.lower() for entry in entries]
        if any(name.endswith(("vbaproject.bin", "xlmacrosheets")) for name in names):
            raise SheetError(Kind.FILE_MACROS, self._file)
        if any("macrosheets/" in name for name in names):
            raise SheetError(Kind.FILE_MACROS, self._file)
        if len(names) != len(set(names)) or len(names) > _MOST_FILES:
            raise SheetError(Kind.FILE_BROKEN, self._file)
        if sum(entry.file_size for entry in entries) > _MOST_BYTES:
            raise SheetError(Kind.FILE_TOO_BIG, self._file)
        for entry in entries:
            with self._zip.open(entry) as file:
                while file.read(1024 * 1024):
                    pass
        if "xl/workbook.xml" not in names:
            raise SheetError(Kind.FILE_KIND, self._file)
        if b"macroEnabled" in self._zip.read("[Content_Types].xml"):
            raise SheetError(Kind.FILE_MACROS, self._file)
        for name in ("xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml"):
            if name in self._zip.namelist() and b"<!DOCTYPE" in self._zip.read(name)[:4096]:
                raise SheetError(Kind.FILE_BROKEN, self._file)

    def look(self, sheet: str) -> Look:
        """What is remarkable in the sheet. Raises SheetError when it would be too big."""
        try:
            text = self._zip.read(self._path(sheet))
            if b"<!DOCTYPE" in text[:4096]:
                raise SheetError(Kind.FILE_BROKEN, self._file)
            return self._look_through(text)
        except (KeyError, ValueError, ElementTree.ParseError) as error:
            raise SheetError(Kind.FILE_BROKEN, self._file) from error

    def _path(self, sheet: str) -> str:
        workbook = ElementTree.fromstring(self._zip.read("xl/workbook.xml"))  # noqa: S314 - no DTD
        links = ElementTree.fromstring(  # noqa: S314 - bounded, and expat bounds entities
            self._zip.read("xl/_rels/workbook.xml.rels")
        )
        targets = {link.get("Id"): link.get("Target") or "" for link in links}
        for one in workbook.iter():
            if one.tag.endswith("}sheet") and one.get("name") == sheet:
                link = next((v for k, v in one.attrib.items() if k.endswith("}id")), "")
                target = targets[link]
                return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        raise KeyError(sheet)

    def _look_through(self, text: bytes) -> Look:
        widths = self._padding()
        marks: list[Mark] = []
        padded: dict[tuple[int, int], int] = {}
        last_line = last_column = strings = 0
        for cell in _cells(text):
            last_line, last_column = max(last_line, cell.line), max(last_column, cell.column)
            strings += cell.kind == b"s"
            if cell.kind == b"e":
                marks.append(Mark(cell.line, cell.column, Kind.CELL_ERROR))
            elif cell.is_formula:
                kind = Kind.FORMULA_CACHED if cell.has_value else Kind.FORMULA_NO_VALUE
                marks.append(Mark(cell.line, cell.column, kind))
            if cell.style in widths and not cell.kind:
                padded[cell.line, cell.column] = widths[cell.style]
        is_too_big = last_line * (last_column + 1) > MOST_CELLS
        if is_too_big or last_line > MOST_ROWS or last_column >= MOST_COLUMNS:
            raise SheetError(Kind.FILE_TOO_BIG, self._file)
        self._check_strings(text, strings)
        return Look(tuple(marks), padded)

    def _check_strings(self, text: bytes, cells: int) -> None:
        """A long text that many cells share takes its length in each of them."""
        if "xl/sharedStrings.xml" not in self._zip.namelist():
            return
        lengths = [len(one) for one in self._zip.read("xl/sharedStrings.xml").split(b"</si>")]
        longest = max(lengths)
        if longest * cells <= MOST_TEXT and longest <= LONGEST_CELL:
            return
        places = [int(found) for found in re.findall(rb't="s"[^>]*>\s*<v>(\d+)</v>', text)]
        if sum(lengths[place] for place in places if place < len(lengths)) > MOST_TEXT:
            raise SheetError(Kind.FILE_TOO_BIG, self._file)

    def _padding(self) -> dict[bytes, int]:
        """Cell styles that show numbers with leading zeros, as "00000000" → how many digits."""
        if "xl/styles.xml" not in self._zip.namelist():
            return {}
        styles = ElementTree.fromstring(self._zip.read("xl/styles.xml"))  # noqa: S314 - no DTD
        formats = {
            one.get("numFmtId"): len(code)
            for one in styles.iter(f"{_MAIN}numFmt")
            if re.fullmatch("0{2,20}", code := one.get("formatCode") or "")
        }
        cells = styles.find(f"{_MAIN}cellXfs")
        ids = [one.get("numFmtId") for one in cells] if cells is not None else []
        return {
            str(place).encode(): formats[number]
            for place, number in enumerate(ids)
            if number in formats
        }


class _Cell(Struct):
    line: int
    column: int
    kind: bytes
    """The attribute t: "s" shared text, "e" an error, "" a number."""
    style: bytes
    is_formula: bool
    has_value: bool


_CELL: Final = re.compile(
    rb"<(?:\w+:)?c\s([^>]*?)(?:/>|>\s*(<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)\s*)?"
    rb"(<(?:\w+:)?(?:v|is)\b[^>]*?>)?)"
)
_ATTRIBUTE: Final = re.compile(rb'\b([rst])="([^"]*)"')


def _cells(text: bytes) -> Iterator[_Cell]:
    """Each cell of a sheet that holds something."""
    for found in _CELL.finditer(text):
        if found[2] is None and found[3] is None:
            continue
        given = dict(_ATTRIBUTE.findall(found[1]))
        line, column = _place(given.get(b"r", b"A1"))
        has_value = found[3] is not None and not found[3].endswith(b"/>")
        yield _Cell(
            line, column, given.get(b"t", b""), given.get(b"s", b""), bool(found[2]), has_value
        )


def _place(reference: bytes) -> tuple[int, int]:
    """Line (from 1) and column (from 0) of "B3"."""
    letters = reference.rstrip(b"0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + letter - 64
    return int(reference[len(letters) :]), column - 1

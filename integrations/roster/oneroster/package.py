"""A package of CSV files, zip or folder, opened without trusting it; nothing is unpacked to disk.

Source: OneRoster 1.2.1 CSV Binding §3.1: the files lie side by side, named exactly as the tables.
"""

import csv
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Final

from integrations.roster.oneroster.findings import Findings, Kind
from integrations.roster.oneroster.rows import clean
from integrations.roster.oneroster.tables import IN_ORDER, MANIFEST, NOT_READ

Source = Path | BinaryIO
"""A zip, as a path or an open file, or the path of a folder."""

LARGEST_FILE: Final = 512 * 1024 * 1024
LARGEST_PACKAGE: Final = 1024 * 1024 * 1024
MOST_FILES: Final = 200
_HARMLESS_SIZE: Final = 8 * 1024 * 1024
_GREATEST_RATIO: Final = 200
"""Rosters shrink to a tenth or a thirtieth; what shrinks more is there to fill a memory."""
_LONGEST_CELL: Final = 65_536

_TABLES: Final = {table.lower(): table for table in (MANIFEST, *IN_ORDER, *NOT_READ)}

_DAMAGES: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)
"""What the zip module raises for archives that are not as they say."""

csv.field_size_limit(_LONGEST_CELL)


class Package:
    """The tables that are there, each to be read from its beginning."""

    def __init__(self, openers: dict[str, Callable[[], IO[bytes]]], encoding: str) -> None:
        self._openers = openers
        self._encoding = encoding

    @property
    def tables(self) -> frozenset[str]:
        """Names of the tables, without .csv."""
        return frozenset(self._openers)

    def lines(self, table: str, findings: Findings) -> Iterator[tuple[int, list[str]]]:
        """The rows with something in them, and their numbers: the header is 1, as in a spreadsheet.

        Ends early, with a finding, where the file cannot be read.
        """
        file = f"{table}.csv"
        number = 0
        try:
            with self._openers[table]() as raw:
                text = TextIOWrapper(raw, encoding=self._encoding, errors="strict", newline="")
                for number, cells in enumerate(csv.reader(text, strict=True), start=1):
                    row = [clean(cell) for cell in cells]
                    if any(row):
                        yield number, row
        except UnicodeError:
            line = self._first_unreadable_line(table)
            findings.add(Kind.ENCODING, file, line, expected=self._encoding)
        except csv.Error:
            findings.add(Kind.CSV_BROKEN, file, number + 1)
        except _DAMAGES:
            findings.add(Kind.FILE_BROKEN, file, number + 1)

    def _first_unreadable_line(self, table: str) -> int | None:
        """Where the encoding ends to fit; None for encodings whose lines are not bytes' lines."""
        if self._encoding.replace("-", "").lower().startswith("utf16"):
            return None
        number = 0
        try:
            with self._openers[table]() as raw:
                while line := raw.readline(_LONGEST_CELL):
                    number += 1
                    line.decode(self._encoding)
        except UnicodeError:
            return number
        except _DAMAGES:
            return None
        return None


@contextmanager
def open_package(source: Source, encoding: str, findings: Findings) -> Iterator[Package]:
    """The package. What cannot be opened is a finding, and a package without tables."""
    if isinstance(source, Path) and source.is_dir():
        members = [path for path in sorted(source.iterdir()) if path.is_file()]
        yield Package(_openers_of_folder(members, findings), encoding)
        return
    try:
        archive = zipfile.ZipFile(source)
    except (*_DAMAGES, ValueError):
        findings.add(Kind.NOT_A_PACKAGE, source.name if isinstance(source, Path) else "")
        yield Package({}, encoding)
        return
    with archive:
        yield Package(_openers_of_zip(archive, findings), encoding)


def _openers_of_folder(
    members: list[Path], findings: Findings
) -> dict[str, Callable[[], IO[bytes]]]:
    openers: dict[str, Callable[[], IO[bytes]]] = {}
    total = 0
    for path in members:
        if path.is_symlink():
            findings.add(Kind.MEMBER_NAME, path.name)
        elif table := _table_of(path.name, openers, findings):
            size = path.stat().st_size
            total += size
            if size > LARGEST_FILE or total > LARGEST_PACKAGE:
                findings.add(Kind.PACKAGE_TOO_BIG, path.name)
                return {}
            openers[table] = lambda path=path: path.open("rb")  # type: ignore[misc]
    return openers


def _openers_of_zip(
    archive: zipfile.ZipFile, findings: Findings
) -> dict[str, Callable[[], IO[bytes]]]:
    """Sizes are those that the archive states: the zip module reads no byte beyond them."""
    members = [member for member in archive.infolist() if not _is_litter(member)]
    total = sum(member.file_size for member in members)
    if len(members) > MOST_FILES or total > LARGEST_PACKAGE:
        findings.add(Kind.PACKAGE_TOO_BIG, "")
        return {}
    folder = _common_folder(members)
    if folder:
        findings.add(Kind.IN_A_FOLDER, "", value=folder)
    openers: dict[str, Callable[[], IO[bytes]]] = {}
    for member in members:
        path = PurePosixPath(member.filename)
        if str(path.parent) != (folder or ".") or _is_outside(member.filename):
            findings.add(Kind.MEMBER_NAME, clean(member.filename))
        elif table := _table_of(path.name, openers, findings):
            if _is_bomb(member):
                findings.add(Kind.PACKAGE_TOO_BIG, path.name)
                return {}
            if member.flag_bits & 1:
                findings.add(Kind.MEMBER_LOCKED, path.name)
            else:
                openers[table] = lambda member=member: archive.open(member)  # type: ignore[misc]
    return openers


def _is_litter(member: zipfile.ZipInfo) -> bool:
    """Folders, and what macOS and editors leave behind."""
    path = PurePosixPath(member.filename)
    is_hidden = path.name.startswith(".") and not path.name.startswith("..")
    return member.is_dir() or "__MACOSX" in path.parts or is_hidden


def _common_folder(members: list[zipfile.ZipInfo]) -> str:
    """The one folder that all files lie in; empty if they lie where they should."""
    parents = {str(PurePosixPath(member.filename).parent) for member in members}
    [first, *rest] = parents or {"."}
    return "" if rest or first == "." or _is_outside(first) else first


def _is_outside(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    if member.file_size > LARGEST_FILE:
        return True
    ratio = member.file_size / max(member.compress_size, 1)
    return member.file_size > _HARMLESS_SIZE and ratio > _GREATEST_RATIO


def _table_of(
    name: str, openers: dict[str, Callable[[], IO[bytes]]], findings: Findings
) -> str | None:
    """The table that a file of this name is; None and a finding for what is none, or is one twice.

    Names are case-sensitive; one in another case is understood and reported.
    """
    stem = name[:-4] if name.lower().endswith(".csv") else ""
    table = _TABLES.get(stem.lower())
    if table is None:
        findings.add(Kind.FILE_UNKNOWN, clean(name))
        return None
    if table in openers:
        findings.add(Kind.FILE_TWICE, f"{table}.csv")
        return None
    if name != f"{table}.csv":
        findings.add(Kind.FILE_NAME, clean(name), expected=f"{table}.csv")
    return table

"""A table out of a text file: comma, tab or semicolon between the cells, in any known encoding."""

import csv
import io
import re
from collections.abc import Collection
from typing import Final

from integrations.roster.kinds import Kind
from integrations.roster.sheets.columns import count_known
from integrations.roster.sheets.grid import Grid, SheetError, check_size
from integrations.text_encoding import EncodingError, EncodingFault, find_encoding

_DELIMITERS: Final = ("\t", ",", ";", "|")
_LOOKED_AT: Final = 20
"""Rows in which a header is looked for."""
_FAULTS: Final = {
    EncodingFault.UNHEARD_OF: Kind.ENCODING_WRONG,
    EncodingFault.WRONG: Kind.ENCODING_WRONG,
    EncodingFault.NONE: Kind.ENCODING_NONE,
    EncodingFault.UNCERTAIN: Kind.ENCODING_UNCERTAIN,
    EncodingFault.UTF_32: Kind.ENCODING_NONE,
    EncodingFault.UNMARKED_UTF_16: Kind.ENCODING_UNMARKED,
}


def decode(body: bytes, file: str, named: str | None, words: Collection[str]) -> tuple[str, str]:
    """The text, and the encoding by which it was read. Raises SheetError."""
    try:
        encoding = find_encoding(body, named, words)
    except EncodingError as error:
        raise SheetError(
            _FAULTS[error.fault], file, line=error.line, value=error.encoding
        ) from error
    if encoding in {"gbk", "gb18030"}:
        _refuse_mixture(body, file)
    text = body.decode(encoding)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise SheetError(Kind.FILE_NUL, file, line=line)
    return text, encoding


_SEVERAL_HAN: Final = re.compile("[\u4e00-\u9fff]{2}")


def _refuse_mixture(body: bytes, file: str) -> None:
    """Two files of different encodings put together decode by GB18030, and give nonsense.

    A line of GB18030 is hardly ever UTF-8 as well, and then not with two Han in a row.
    """
    for line, raw in enumerate(body.split(b"\n"), 1):
        if raw.isascii():
            continue
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if _SEVERAL_HAN.search(text):
            raise SheetError(Kind.ENCODING_MIXED, file, line=line)


def read_text(text: str, file: str) -> Grid:
    """The cells. Raises SheetError for quotes that do not end and for too much."""
    delimiter = _find_delimiter(text)
    rows = [[_clean(cell) for cell in row] for row in _rows(text, delimiter, file)]
    check_size(rows, file)
    return Grid(rows)


def _find_delimiter(text: str) -> str:
    """The one that gives the best header; of equals the one that gives the most columns."""
    begin = text[:200_000]

    def worth(delimiter: str) -> tuple[int, int]:
        rows = []
        try:
            for row in csv.reader(io.StringIO(begin, newline=""), delimiter=delimiter):
                rows.append(row)
                if len(rows) == _LOOKED_AT:
                    break
        except csv.Error:
            return -1, 0
        known = max((count_known(row) for row in rows), default=0)
        return known, max((len(row) for row in rows), default=0)

    return max(_DELIMITERS, key=worth)


def _rows(text: str, delimiter: str, file: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error as error:
        raise SheetError(Kind.FILE_QUOTES, file, line=len(rows) + 1) from error
    return rows


_AS_TEXT: Final = re.compile(r'="(.*)"', re.DOTALL)
_MADE_HARMLESS: Final = re.compile(r"'(?=[=+\-@\t\r＝＋－＠])")


def _clean(cell: str) -> str:
    """The cell without what makes a spreadsheet take it for text: `="0012"`, or a leading `'`."""
    stripped = cell.strip()
    if found := _AS_TEXT.fullmatch(stripped):
        return found[1].strip()
    return _MADE_HARMLESS.sub("", stripped, count=1) if stripped.startswith("'") else stripped

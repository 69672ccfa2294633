"""Finding the encoding of a text file that another system wrote: strictly, and never by chance."""

import codecs
from collections.abc import Collection
from pathlib import Path
from typing import Final

from card_server.errors import AppError, Code

ENCODINGS: Final = ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16")
_MARKS: Final = {
    codecs.BOM_UTF32_LE: None,
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""What a file begins with → its encoding; UTF-32 begins like UTF-16, so it stands first."""
_CHUNK: Final = 1024 * 1024


def find_encoding(path: Path, named: str | None, words: Collection[str]) -> str:
    """The encoding that decodes the whole file without a fault.

    Without a name one is found: by the file's mark, else the one of UTF-8 and GB18030 that fits.
    When both fit, the one counts under which more of the expected words stand in the file.
    Raises AppError(INVALID): wrong, none, or not certain.
    """
    if named is not None:
        return _check_named(path, named)
    marked = _marked(path)
    if marked:
        return _check_named(path, marked)
    fitting = [encoding for encoding in ("utf-8", "gb18030") if not _first_fault(path, encoding)]
    if not fitting:
        raise AppError(
            Code.INVALID,
            f"{path.name} is neither UTF-8 nor GB18030; name its encoding: {', '.join(ENCODINGS)}.",
        )
    if len(fitting) == 1 or _is_ascii(path):
        return fitting[0]
    seen = {encoding: _count_words(path, encoding, words) for encoding in fitting}
    if seen["utf-8"] == seen["gb18030"]:
        raise AppError(
            Code.INVALID,
            f"{path.name} may be UTF-8 or GB18030, and nothing tells which; name its encoding.",
        )
    return max(fitting, key=seen.__getitem__)


def _check_named(path: Path, encoding: str) -> str:
    if encoding not in ENCODINGS:
        raise AppError(
            Code.INVALID, f"The encoding {encoding!r} is not one of {', '.join(ENCODINGS)}."
        )
    fault = _first_fault(path, encoding)
    if fault:
        raise AppError(Code.INVALID, f"{path.name} is not {encoding}: {fault}.")
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _marked(path: Path) -> str | None:
    with path.open("rb") as file:
        begin = file.read(4096)
    for mark, encoding in _MARKS.items():
        if begin.startswith(mark):
            if encoding is None:
                raise AppError(Code.INVALID, f"{path.name} is UTF-32; save it as UTF-8.")
            return encoding
    if b"\0" in begin:
        raise AppError(
            Code.INVALID, f"{path.name} looks like UTF-16 without a mark; save it as UTF-8."
        )
    return None


def _first_fault(path: Path, encoding: str) -> str | None:
    """Where the file first does not decode; None when all of it does."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                lines += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeError as error:
                before = (
                    error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
                )
                return f"wrong bytes near line {lines + before.count(10) + 1}"
            if not chunk:
                return None


def _is_ascii(path: Path) -> bool:
    with path.open("rb") as file:
        return all(chunk.isascii() for chunk in iter(lambda: file.read(_CHUNK), b""))


def _count_words(path: Path, encoding: str, words: Collection[str]) -> int:
    """How many of the words stand in the beginning of the file."""
    with path.open(encoding=encoding, newline="") as file:
        begin = file.read(_CHUNK)
    return sum(word in begin for word in words if not word.isascii())

"""Finding the encoding of a text that another system wrote: strictly, and never by chance."""

import codecs
import io
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

ENCODINGS: Final = ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16")
_MARKS: Final = {
    codecs.BOM_UTF32_LE: None,
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""What a text begins with → its encoding; UTF-32 begins like UTF-16, so it stands first."""
_CHUNK: Final = 1024 * 1024


class EncodingFault(StrEnum):
    """Why no encoding could be found."""

    UNHEARD_OF = "unheard_of"
    """The named encoding is none that is read here."""
    WRONG = "wrong"
    """The text does not decode by the named encoding, or by the one that it is marked with."""
    NONE = "none"
    """It decodes by none."""
    UNCERTAIN = "uncertain"
    """It decodes by two, and nothing tells which: a person must say."""
    UTF_32 = "utf_32"
    UNMARKED_UTF_16 = "unmarked_utf_16"


class EncodingError(Exception):
    """No encoding is certain; `encoding` and `line` say which was tried and where it failed."""

    def __init__(self, fault: EncodingFault, encoding: str = "", line: int | None = None) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.encoding = encoding
        self.line = line


def find_encoding(text: Path | bytes, named: str | None, words: Collection[str]) -> str:
    """The encoding that decodes the whole text without a fault, in bounded memory.

    Without a name one is found: by the text's mark, else the one of UTF-8 and GB18030 that fits.
    When both fit, the one counts under which more of the expected words stand in the text.
    Raises EncodingError.
    """
    if named is not None:
        return _check_named(text, named)
    marked = _marked(text)
    if marked:
        return _check_named(text, marked)
    fitting = [one for one in ("utf-8", "gb18030") if _first_fault(text, one) is None]
    if not fitting:
        raise EncodingError(EncodingFault.NONE)
    if len(fitting) == 1 or _is_ascii(text):
        return fitting[0]
    seen = {encoding: _count_words(text, encoding, words) for encoding in fitting}
    if seen["utf-8"] == seen["gb18030"]:
        raise EncodingError(EncodingFault.UNCERTAIN)
    return max(fitting, key=seen.__getitem__)


def _open(text: Path | bytes) -> BinaryIO:
    return text.open("rb") if isinstance(text, Path) else io.BytesIO(text)


def _check_named(text: Path | bytes, encoding: str) -> str:
    if encoding not in ENCODINGS:
        raise EncodingError(EncodingFault.UNHEARD_OF, encoding)
    line = _first_fault(text, encoding)
    if line is not None:
        raise EncodingError(EncodingFault.WRONG, encoding, line)
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _marked(text: Path | bytes) -> str | None:
    with _open(text) as file:
        begin = file.read(4096)
    for mark, encoding in _MARKS.items():
        if begin.startswith(mark):
            if encoding is None:
                raise EncodingError(EncodingFault.UTF_32)
            return encoding
    if b"\0" in begin:
        raise EncodingError(EncodingFault.UNMARKED_UTF_16)
    return None


def _first_fault(text: Path | bytes, encoding: str) -> int | None:
    """The line near which the text first does not decode; None when all of it does."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines = 0
    with _open(text) as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                lines += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeError as error:
                before = (
                    error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
                )
                return lines + before.count(10) + 1
            if not chunk:
                return None


def _is_ascii(text: Path | bytes) -> bool:
    with _open(text) as file:
        return all(chunk.isascii() for chunk in iter(lambda: file.read(_CHUNK), b""))


def _count_words(text: Path | bytes, encoding: str, words: Collection[str]) -> int:
    """How many of the words stand in the beginning of the text."""
    with io.TextIOWrapper(_open(text), encoding=encoding, newline="") as file:
        begin = file.read(_CHUNK)
    return sum(word in begin for word in words if not word.isascii())

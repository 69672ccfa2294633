"""The encoding of a text file that another system wrote, or a sentence on why it is not certain."""

from collections.abc import Collection
from pathlib import Path

from card_server.errors import AppError, Code
from integrations import text_encoding
from integrations.text_encoding import ENCODINGS, EncodingError, EncodingFault


def find_encoding(path: Path, named: str | None, words: Collection[str]) -> str:
    """The encoding that decodes the whole file without a fault.

    Raises AppError(INVALID): wrong, none, or not certain.
    """
    try:
        return text_encoding.find_encoding(path, named, words)
    except EncodingError as error:
        raise AppError(Code.INVALID, _say(error, path.name)) from error


def _say(error: EncodingError, name: str) -> str:
    there_are = ", ".join(ENCODINGS)
    match error.fault:
        case EncodingFault.UNHEARD_OF:
            return f"The encoding {error.encoding!r} is not one of {there_are}."
        case EncodingFault.WRONG:
            return f"{name} is not {error.encoding}: wrong bytes near line {error.line}."
        case EncodingFault.NONE:
            return f"{name} is neither UTF-8 nor GB18030; name its encoding: {there_are}."
        case EncodingFault.UNCERTAIN:
            return f"{name} may be UTF-8 or GB18030, and nothing tells which; name its encoding."
        case EncodingFault.UTF_32:
            return f"{name} is UTF-32; save it as UTF-8."
        case EncodingFault.UNMARKED_UTF_16:
            return f"{name} looks like UTF-16 without a mark; save it as UTF-8."

"""A list as a download (导出): asked for by `export` in a page's address, sent as XLSX or CSV."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from flask import Response, request

from card_server.access import school_in_use
from card_server.exports.files import (
    MEDIA_TYPES,
    Cell,
    Export,
    SecondSheet,
    Sheet,
    make_harmless,
    name_file,
    write_file,
)

__all__ = [
    "Cell",
    "Export",
    "SecondSheet",
    "asked_export",
    "make_harmless",
    "send_bytes",
    "send_export",
    "send_sheet",
]


def asked_export() -> Export | None:
    """The kind of file that this request wants instead of a page."""
    asked = request.args.get("export", "")
    return Export(asked) if asked in list(Export) else None


def send_export(
    kind: Export,
    name: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    second: SecondSheet | None = None,
) -> Response:
    """The download; `name` stands in the file's name, so it says what it is and names nobody.

    Times are written in the school's zone.
    """
    return send_sheet(kind, Sheet(name, heads, rows, school_in_use().zone, {}, second=second))


def send_sheet(kind: Export, sheet: Sheet) -> Response:
    """The download of a list that says which of its rows it has."""
    today = datetime.now(UTC).astimezone(sheet.zone).date()
    return send_bytes(write_file(kind, sheet), MEDIA_TYPES[kind], name_file(kind, sheet, today))


def send_bytes(body: Iterator[bytes], media_type: str, file_name: str) -> Response:
    """A file that the browser keeps instead of showing it."""
    response = Response(body, mimetype=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response

"""Style sheets, scripts and icons, sent small."""

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, request, send_from_directory
from flask.typing import ResponseReturnValue

from card_server.access import public

FOLDER = Path(__file__).parent / "static"
_HOUR_S = 3600
_TEXTS = {".css", ".js", ".svg"}
_MOST_KEPT = 64

pages = Blueprint("files", __name__)


@pages.get("/static/<path:filename>")
@public
def static(filename: str) -> ResponseReturnValue:
    """One file; the browser may keep it for an hour and then asks whether it changed.

    Only files are compressed: a page that holds a secret (the form's token) and echoes what was
    typed would tell of it by its length (the BREACH attack).
    """
    response = send_from_directory(FOLDER, filename, max_age=_HOUR_S)
    path = FOLDER / filename
    if path.suffix not in _TEXTS:
        return response
    response.vary.add("Accept-Encoding")
    tag, _ = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)
    if response.status_code == 200 and request.accept_encodings["gzip"] > 0:
        response.direct_passthrough = False
        response.set_data(_compress(path, path.stat().st_mtime_ns))
        response.content_encoding = "gzip"
    return response


@lru_cache(_MOST_KEPT)
def _compress(path: Path, _changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)

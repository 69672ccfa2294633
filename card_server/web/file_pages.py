"""Style sheets, scripts and icons."""

from pathlib import Path

from flask import Blueprint, send_from_directory
from flask.typing import ResponseReturnValue

from card_server.access import public

FOLDER = Path(__file__).parent / "static"
_HOUR_S = 3600

pages = Blueprint("files", __name__)


@pages.get("/static/<path:filename>")
@public
def static(filename: str) -> ResponseReturnValue:
    """One file; the browser may keep it for an hour and then asks whether it changed."""
    return send_from_directory(FOLDER, filename, max_age=_HOUR_S)

"""Students' photos (照片导入): a zip of pictures that are named by student number."""

from datetime import UTC, datetime
from tempfile import TemporaryFile

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from card_server.access import actor, allow, school_in_use
from card_server.imports.roster.apply import Importing
from card_server.imports.roster.photos import MOST_UPLOAD, PhotoReport, import_photos
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.roster_pages import seal_in_use
from schema.tables.staff import Role

pages = Blueprint("roster_photos", __name__)

_OVERHEAD = 64 * 1024


@pages.url_value_preprocessor
def _allow_upload(endpoint: str | None, _values: object) -> None:
    """Before anything reads the form, which the check of its token does first of all."""
    if endpoint == "roster_photos.send":
        request.max_content_length = MOST_UPLOAD + _OVERHEAD


@pages.get("/roster/photos")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show() -> ResponseReturnValue:
    """Where the zip is chosen."""
    return _show(NOTHING_WRONG)


@pages.post("/roster/photos")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def send() -> ResponseReturnValue:
    """Keep the pictures, and say which files were none."""
    school, sent = school_in_use(), request.files.get("file")
    doing = Importing(school.id, school.zone, actor(), datetime.now(UTC), seal_in_use())
    reports: list[PhotoReport] = []
    with TemporaryFile() as empty:
        zipped = sent.stream if sent else empty
        wrong = try_change(lambda session: reports.append(import_photos(session, doing, zipped)))
    if wrong.errors:
        return _show(Wrong({"file": wrong.errors[""]}, wrong.status, is_conflict=False))
    return _show(NOTHING_WRONG, reports[0])


def _show(wrong: Wrong, report: PhotoReport | None = None) -> ResponseReturnValue:
    page = render_template("roster_photos.html", errors=wrong.errors, report=report)
    return page, wrong.status

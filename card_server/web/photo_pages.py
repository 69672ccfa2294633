"""A student's photo: shown to whoever may see the student, and kept by no browser."""

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.people import photos
from card_server.people.students import find_student
from card_server.web.changing import try_change
from card_server.web.entering import seal
from schema.tables.staff import Role

pages = Blueprint("photos", __name__)
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
_MAX_UPLOAD = photos.MOST_BYTES + 1024 * 1024
"""More than a photo may have, so that one that is too large is answered with a sentence."""


@pages.url_value_preprocessor
def _allow_upload(endpoint: str | None, _values: object) -> None:
    """Before anything reads the form, which the check of its token does first of all."""
    if endpoint == "photos.send":
        request.max_content_length = _MAX_UPLOAD


@pages.get("/students/<int:student_id>/photo")
@allow(*_ADMINS, Role.HOMEROOM_TEACHER)
def show(student_id: int) -> ResponseReturnValue:
    """The picture, with the type that its bytes have and nothing else."""
    with school_session() as session:
        photo = photos.find_photo(session, school_in_use().id, student_id, seal())
    response = Response(photo.body, mimetype=photo.media_type)
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post("/students/<int:student_id>/photo")
@allow(*_ADMINS, Role.HOMEROOM_TEACHER)
def send(student_id: int) -> ResponseReturnValue:
    """Take a picture as the student's photo."""
    sent, now, school_id = request.files.get("photo"), datetime.now(UTC), school_in_use().id
    body = sent.read() if sent else b""

    def keep(session: Session) -> None:
        find_student(session, school_id, student_id)
        photo = photos.read_photo(body)
        photos.keep_photo(session, actor(), school_id, student_id, photo, seal(), now)

    wrong = try_change(keep)
    for text in wrong.errors.values():
        flash(text, "bad")
    if not wrong.errors:
        flash(gettext("Saved."), "good")
    return redirect(url_for("students.show_student", student_id=student_id, _anchor="who"))


@pages.post("/students/<int:student_id>/photo/remove")
@allow(*_ADMINS, Role.HOMEROOM_TEACHER)
def remove(student_id: int) -> ResponseReturnValue:
    """Keep no picture of the student."""
    with changing_session() as session:
        photos.remove_photo(session, actor(), school_in_use().id, student_id)
    flash(gettext("The photo is gone."), "good")
    return redirect(url_for("students.show_student", student_id=student_id, _anchor="who"))

"""Card faces (卡面): the school's design, and the documents for a printer."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, may, school_in_use, school_session
from card_server.audit.writing import note
from card_server.errors import AppError
from card_server.faces.design import find_design, keep_design, read_design, values_of
from card_server.faces.drawing import Face, Issuer
from card_server.faces.fonts import FONTS, available_fonts
from card_server.faces.job import FACES, MEDIA_TYPE, name_file, parameters_of
from card_server.faces.printing import Output, print_faces
from card_server.faces.students import (
    MOST_LISTED,
    count_without_photo,
    find_issuer,
    find_unprintable,
    read_face,
    read_faces,
)
from card_server.register.homerooms import find_homeroom
from card_server.reports.listings import list_homerooms
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.downloads import ask_in_background
from card_server.web.entering import seal
from card_server.web.export import send_bytes
from card_server.words.choices import word
from schema.tables.card_faces import FaceField, FaceOrientation
from schema.tables.staff import Role

pages = Blueprint("faces", __name__)
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
_PRINTING = (*_ADMINS, Role.HOMEROOM_TEACHER)


@pages.get("/cards/faces")
@allow(*_PRINTING)
def show() -> ResponseReturnValue:
    """The documents that can be had, what would be missing on them, and the design."""
    return _show(NOTHING_WRONG)


@pages.post("/cards/faces")
@allow(*_ADMINS)
def change() -> ResponseReturnValue:
    """Change the design."""
    form, school_id, now = request.form, school_in_use().id, datetime.now(UTC)
    wrong = try_change(
        lambda session: keep_design(
            session, actor(), school_id, read_design(form), now, form.get("seen", "")
        )
    )
    if wrong.errors:
        return _show(wrong, form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("faces.show"))


@pages.post("/cards/faces/print")
@allow(*_PRINTING)
def print_rooms() -> ResponseReturnValue:
    """One homeroom's cards at once; all homerooms' in the background."""
    output = _read_output()
    homeroom_id = request.form.get("homeroom", type=int)
    if homeroom_id is None:
        job_id = ask_in_background(FACES, parameters_of(output, []))
        flash(gettext("The cards are being drawn. You may go on meanwhile."), "good")
        return redirect(url_for("jobs.show_job", job_id=job_id))
    school_id = school_in_use().id
    with school_session() as session:
        find_homeroom(session, school_id, homeroom_id)
        issuer = find_issuer(session, school_id, school_in_use().name)
        faces = list(read_faces(session, school_id, [homeroom_id], seal()))
    if not faces:
        said = gettext("Nobody is enrolled in this homeroom.")
        return _show(Wrong({"homeroom": said}, 422, is_conflict=False))
    return _send(output, issuer, faces, f"homeroom-{homeroom_id}", f"homeroom:{homeroom_id}")


@pages.post("/students/<int:student_id>/face")
@allow(*_PRINTING)
def print_one(student_id: int) -> ResponseReturnValue:
    """One student's card, for a card printer."""
    school_id = school_in_use().id
    with school_session() as session:
        face = read_face(session, school_id, student_id, seal())
        issuer = find_issuer(session, school_id, school_in_use().name)
    subject = f"student:{student_id}"
    return _send(_read_output(), issuer, [face], f"student-{student_id}", subject)


def _send(
    output: Output, issuer: Issuer, faces: list[Face], what: str, subject: str
) -> ResponseReturnValue:
    body = print_faces(output, issuer, faces)
    with changing_session() as session:
        details = {"cards": len(faces), "output": output.value}
        note(session, school_in_use().id, actor(), "face.printed", subject, details=details)
    response = send_bytes(iter([body]), MEDIA_TYPE, name_file(output, what))
    response.headers["Cache-Control"] = "no-store"
    return response


def _read_output() -> Output:
    asked = request.form.get("output", "")
    return Output(asked) if asked in list(Output) else Output.CARDS


def _show(wrong: Wrong, typed: dict[str, str] | None = None) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        stored = values_of(find_design(session, school_id))
        rooms = list_homerooms(session, school_id)
        without_photo = count_without_photo(session, school_id)
        no_font, unprintable = _look_at_fonts(session, school_id)
    page = render_template(
        "faces.html",
        values=typed or stored,
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
        may_change=may("faces.change"),
        rooms=[("", gettext("All homerooms")), *((one.id, one.name) for one in rooms)],
        outputs=[
            (Output.SHEETS.value, gettext("A4 sheets, ten cards each")),
            (Output.CARDS.value, gettext("a card printer: one page a side")),
        ],
        fields=[(one.value, word(one)) for one in FaceField],
        orientations=[(one.value, word(one)) for one in FaceOrientation],
        without_photo=without_photo,
        no_font=no_font,
        absent_fonts=[one.package for one in FONTS if not one.path.exists()],
        unprintable=unprintable,
        most=MOST_LISTED,
    )
    return page, wrong.status


def _look_at_fonts(session: Session, school_id: int) -> tuple[str, list[object]]:
    """Why nothing can be printed, or else whose names could not be printed whole."""
    try:
        available_fonts()
    except AppError as error:
        return str(gettext(error.message)), []
    return "", list(find_unprintable(session, school_id))

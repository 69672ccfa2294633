"""Noting consents on paper (纸质同意书) of a whole homeroom at once."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.messages.consent_wordings import list_wordings, name_wording
from card_server.messages.paper_consents import list_unconsented, note_consents
from card_server.reports.sheet_rooms import find_room, read_rooms
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.student_pages import SEEING

pages = Blueprint("paper_consents", __name__)


@pages.get("/consents")
@allow(*SEEING)
def show() -> ResponseReturnValue:
    """Who of a homeroom has not consented yet."""
    return _show(NOTHING_WRONG)


@pages.post("/consents")
@allow(*SEEING)
def note_all() -> ResponseReturnValue:
    """Note the consents of those who are ticked."""
    noted: list[int] = []

    def change(session: Session) -> None:
        school_id = school_in_use().id
        room = find_room(read_rooms(session, school_id), request.form.get("homeroom", 0, int))
        wording_id = request.form.get("wording_id", type=int)
        if wording_id is None:
            raise FieldsError({"wording_id": _("Choose from the list.")})
        ticked = request.form.getlist("guardian", type=int)
        noted.append(note_consents(session, actor(), school_id, room.id, wording_id, ticked))

    wrong = try_change(change, changing_session)
    if wrong.errors:
        return _show(wrong)
    said = ngettext("%(num)s consent is noted.", "%(num)s consents are noted.", noted[0])
    flash(said, "good")
    return redirect(url_for("paper_consents.show", homeroom=request.form.get("homeroom", type=int)))


def _show(wrong: Wrong) -> ResponseReturnValue:
    school_id, asked = school_in_use().id, request.values.get("homeroom", type=int)
    with school_session() as session:
        rooms = read_rooms(session, school_id)
        room = find_room(rooms, asked) if asked is not None else next(iter(rooms), None)
        missing = list_unconsented(session, school_id, room.id) if room else []
        wordings = [(one.id, name_wording(one)) for one in list_wordings(session, school_id)]
    page = render_template(
        "paper_consents.html",
        errors=wrong.errors,
        missing=missing,
        room=room,
        rooms=rooms,
        wordings=wordings,
    )
    return page, wrong.status

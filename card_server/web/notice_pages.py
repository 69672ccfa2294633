"""School notices (学校通知): written, what they would cost, what became of them."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from card_server.access import allow, changing_session, now, school_in_use, school_session
from card_server.background import asker_in_use
from card_server.messages.giving_notice import Given, give_notice
from card_server.messages.notices import (
    AT_ONCE,
    NoticeWish,
    Preview,
    list_notices,
    preview_notice,
    read_notice,
)
from card_server.reports.sheet_rooms import SheetRoom, read_rooms
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.languages import choose_language
from card_server.web.student_pages import SEEING
from card_server.words.grades import grade_word
from schema.tables.people import Language

pages = Blueprint("notices", __name__)


@pages.get("/notices")
@allow(*SEEING)
def show() -> ResponseReturnValue:
    """The notices so far, and the form for another one."""
    return _show(NOTHING_WRONG, {})


@pages.post("/notices/preview")
@allow(*SEEING)
def preview() -> ResponseReturnValue:
    """What the notice would be, and what it would cost: nothing is sent."""
    found: list[Preview] = []

    def look(session: Session) -> None:
        found.append(preview_notice(session, school_in_use().id, _read()))

    wrong = try_change(look, school_session)
    return _show(wrong, request.form.to_dict(), found[0] if found else None)


@pages.post("/notices")
@allow(*SEEING)
def send() -> ResponseReturnValue:
    """Send what was looked at."""
    given: list[Given] = []

    def change(session: Session) -> None:
        asker = asker_in_use(Language(choose_language()))
        given.append(give_notice(session, asker, _read(), now()))

    wrong = try_change(change, changing_session)
    if wrong.errors:
        return _show(wrong, request.form.to_dict())
    if given[0].job_id is not None:
        flash(gettext("The notice is being sent. You may go on meanwhile."), "good")
        return redirect(url_for("jobs.show_job", job_id=given[0].job_id))
    said = ngettext(
        "%(num)s message is on its way.", "%(num)s messages are on their way.", given[0].sent
    )
    flash(said, "good")
    return redirect(url_for("notices.show"))


def _read() -> NoticeWish:
    """What was typed; of homerooms that are out of reach nobody is told."""
    return read_notice(request.form, request.form.getlist("room", type=int))


def _show(
    wrong: Wrong, typed: Mapping[str, str], looked_at: Preview | None = None
) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        rooms = read_rooms(session, school_id)
        notices = list_notices(session, school_id)
    names = {room.id: room.name for room in rooms}
    page = render_template(
        "notices.html",
        audiences=_audiences(rooms),
        at_once=AT_ONCE,
        errors=wrong.errors,
        notices=[(one, _say(one.audience, names)) for one in notices],
        preview=looked_at,
        rooms=rooms,
        ticked=set(request.form.getlist("room", type=int)),
        values=typed,
    )
    return page, wrong.status


def _audiences(rooms: list[SheetRoom]) -> list[tuple[str, str]]:
    grades = sorted({room.grade for room in rooms})
    return [
        ("homerooms", gettext("The homerooms that are ticked below")),
        *((f"grade:{grade}", str(grade_word(grade))) for grade in grades),
        ("school", gettext("Everybody whom I may write to")),
    ]


def _say(audience: str, names: Mapping[int, str]) -> str:
    """Whom a notice was for, in words."""
    if audience == "school":
        return str(gettext("Everybody"))
    parts = [part.partition(":") for part in audience.split()]
    return "、".join(
        str(grade_word(int(id_))) if kind == "grade" else names.get(int(id_), f"#{id_}")
        for kind, _colon, id_ in parts
    )

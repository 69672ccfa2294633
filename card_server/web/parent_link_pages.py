"""Sending guardians the link to their page (家长邀请), one or all of a homeroom, and ending it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from card_server.access import (
    actor,
    allow,
    changing_session,
    now,
    school_in_use,
    school_session,
)
from card_server.errors import HTTP_STATUS, AppError
from card_server.parents import invitations
from card_server.parents.links import end_links
from card_server.people.guardians import lock_guardian
from card_server.reports.sheet_rooms import find_room, read_rooms
from card_server.web.parent_entering import parents_web
from card_server.web.student_pages import SEEING

pages = Blueprint("parent_links", __name__)


@pages.post("/students/<int:student_id>/guardians/<int:guardian_id>/link")
@allow(*SEEING)
def send(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """Send one guardian a link."""
    try:
        with changing_session() as session:
            school_id = school_in_use().id
            invitations.invite_one(
                session, actor(), school_id, student_id, guardian_id, parents_web(), now()
            )
    except AppError as error:
        if HTTP_STATUS[error.code] == 404:
            raise
        flash(gettext(error.message), "bad")
    else:
        flash(gettext("The link is on its way to the guardian."), "good")
    return _back(student_id)


@pages.post("/students/<int:student_id>/guardians/<int:guardian_id>/link/end")
@allow(*SEEING)
def end(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """End a guardian's links, and sign the guardian out on all phones."""
    school_id = school_in_use().id
    with changing_session() as session:
        lock_guardian(session, school_id, student_id, guardian_id)
        end_links(session, actor(), school_id, guardian_id, now())
    flash(gettext("The guardian's links are ended, and all phones are signed out."), "good")
    return _back(student_id)


@pages.get("/invitations")
@allow(*SEEING)
def show() -> ResponseReturnValue:
    """Whom it would reach to invite many, and what it costs."""
    return _show()


@pages.post("/invitations")
@allow(*SEEING)
def send_many() -> ResponseReturnValue:
    """Send a link to those who have not shown whose their number is."""
    try:
        with changing_session() as session:
            sent = invitations.invite_many(
                session, actor(), school_in_use().id, _asked_room(session), parents_web(), now()
            )
    except AppError as error:
        if HTTP_STATUS[error.code] == 404:
            raise
        return _show(gettext(error.message), HTTP_STATUS[error.code])
    said = ngettext("%(num)s link is on its way.", "%(num)s links are on their way.", sent)
    flash(said, "good")
    return redirect(url_for("parent_links.show"))


def _show(wrong: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        homeroom_id = _asked_room(session)
        rooms = read_rooms(session, school_id)
        planned = invitations.plan_invitations(
            session, school_id, homeroom_id, parents_web(), now()
        )
    page = render_template(
        "invitations.html",
        homeroom_id=homeroom_id,
        most=invitations.MOST_AT_ONCE,
        planned=planned,
        rooms=rooms,
        wrong=wrong,
    )
    return page, status


def _asked_room(session: Session) -> int | None:
    """The homeroom that was chosen; None for all within reach. Raises AppError(NOT_FOUND)."""
    homeroom_id = request.values.get("homeroom", type=int)
    if homeroom_id is None:
        return None
    return find_room(read_rooms(session, school_in_use().id), homeroom_id).id


def _back(student_id: int) -> ResponseReturnValue:
    return redirect(url_for("students.show_student", student_id=student_id, _anchor="guardians"))

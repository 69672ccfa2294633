"""Agreeing that the school tells of the child (告知同意), and taking that back."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.messages.consent_wordings import newest_wording
from card_server.messages.wishes import give_consent, withdraw_consent
from card_server.parent_access import (
    child,
    for_parents,
    parent,
    parent_actor,
    parent_change,
    parent_session,
)
from card_server.web.languages import choose_language
from card_server.web.parent_entering import parents_pages
from schema.tables.people import ConsentWording, Language

pages = parents_pages("parent_consent", __name__)


@pages.get("/parent/consent")
@for_parents
def show() -> ResponseReturnValue:
    """What the guardian is asked to agree to, in the page's language where there is one."""
    who = parent()
    with parent_session() as session:
        wording = _find_wording(session)
    agreed = [one for one in who.children if one.has_consent]
    return render_template("parent_consent.html", wording=wording, agreed=agreed)


@pages.post("/parent/consent")
@for_parents
def agree() -> ResponseReturnValue:
    """Agree to the wording that was read."""
    who, read = parent(), request.form.get("wording", type=int)
    with parent_change() as session:
        wording = _find_wording(session)
        if wording is None or wording.id != read:
            raise AppError(
                Code.CONFLICT, "The wording has changed since you read it. Please read it again."
            )
        give_consent(session, parent_actor(), who.school.id, who.guardian_id, wording.id)
    flash(gettext("Thank you. You may take this back at any time."), "good")
    return redirect(url_for("parents.show_today", student_id=child().id))


@pages.post("/parent/consent/withdraw")
@for_parents
def withdraw() -> ResponseReturnValue:
    """Take it back: nothing is sent any more, and the child's days are not shown."""
    who = parent()
    with parent_change() as session:
        withdraw_consent(session, parent_actor(), who.school.id, who.guardian_id)
    flash(gettext("You do not agree any more. Nothing is sent to you."), "good")
    return redirect(url_for("parent_data.show"))


def _find_wording(session: Session) -> ConsentWording | None:
    school_id, read = parent().school.id, Language(choose_language())
    own = newest_wording(session, school_id, read)
    others = (one for one in Language if one is not read)
    return own or next(
        (found for one in others if (found := newest_wording(session, school_id, one))), None
    )

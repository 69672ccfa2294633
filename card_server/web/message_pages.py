"""One message, the messages about one student or to one guardian, and what staff decide of them."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, now, school_in_use, school_session
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.looks import note_look
from card_server.messages import resending
from card_server.messages.rules import rules_of
from card_server.people.guardians import find_guardian
from card_server.people.students import find_student
from card_server.reports.message_history import list_of_guardian, list_of_student
from card_server.reports.message_record import read_message
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.formats import money
from card_server.web.fragments import render_part
from card_server.web.outbox_pages import ADMINS, COLUMNS, SEEING
from card_server.web.tables import PAGE_ROWS, key_page, read_asked, read_moment
from card_server.webhooks.outbox import MessageKey
from schema.tables.messages import MessageState

pages = Blueprint("messages", __name__)
_ARRIVED = {"yes": True, "no": False}


@pages.get("/messages/<uuid:message_id>")
@allow(*SEEING)
def show(message_id: UUID) -> ResponseReturnValue:
    """One message with all that became of it, and what may be done about it."""
    return _show(message_id, NOTHING_WRONG)


@pages.post("/messages/<uuid:message_id>/decide")
@allow(*ADMINS)
def decide(message_id: UUID) -> ResponseReturnValue:
    """Say of an unclear message whether it arrived."""
    form, key = request.form, MessageKey(school_in_use().id, message_id)

    def change(session: Session) -> None:
        if form.get("arrived") not in _ARRIVED:
            raise FieldsError({"arrived": _("Choose from the list.")})
        resending.decide(
            session,
            actor(),
            key,
            form.get("reason", ""),
            now(),
            has_arrived=_ARRIVED[form["arrived"]],
            seen=form.get("seen", ""),
        )

    wrong = try_change(change)
    if wrong.errors:
        return _show(message_id, wrong)
    flash(gettext("Saved."), "good")
    return redirect(url_for("messages.show", message_id=message_id))


@pages.post("/messages/<uuid:message_id>/resend")
@allow(*ADMINS)
def resend(message_id: UUID) -> ResponseReturnValue:
    """Send a message again."""
    form, key = request.form, MessageKey(school_in_use().id, message_id)
    made: list[UUID] = []
    wrong = try_change(
        lambda session: made.append(
            resending.resend(
                session,
                actor(),
                key,
                form.get("reason", ""),
                now(),
                although_stale=bool(form.get("although_stale")),
                seen=form.get("seen", ""),
            )
        )
    )
    if wrong.errors:
        return _show(message_id, wrong)
    flash(gettext("The message is on its way again."), "good")
    return redirect(url_for("messages.show", message_id=made[0]))


def _show(message_id: UUID, wrong: Wrong) -> ResponseReturnValue:
    school_id, moment = school_in_use().id, now()
    with school_session() as session:
        one = read_message(session, school_id, message_id)
        currency = rules_of(session, school_id).currency
    ended = one.ended
    page = render_template(
        "message.html",
        message=one,
        price=money(one.price, currency),
        refusal=resending.refuse_resending(ended, moment, although_stale=True),
        is_stale=one.expires_at <= moment,
        is_unclear=one.state is MessageState.UNKNOWN,
        seen=resending.seen_of(one.state, one.changed_at),
        errors=wrong.errors,
        values=request.form.to_dict() if wrong.errors else {},
    )
    return page, wrong.status


@pages.get("/students/<int:student_id>/messages")
@allow(*SEEING)
def show_student(student_id: int) -> ResponseReturnValue:
    """All messages about a student; the look is noted."""
    school_id, asked = school_in_use().id, read_asked()
    with school_session() as session:
        student = find_student(session, school_id, student_id)
        found = list_of_student(
            session, school_id, student_id, read_moment(asked.after), PAGE_ROWS + 1
        )
    note_look("student.messages_seen", f"student:{student_id}", {})
    return render_part(
        "message_history.html",
        "message_history_part.html",
        student=student,
        guardian=None,
        page=key_page(found, asked, lambda one: (one.created_at.isoformat(), one.id)),
        asked=asked,
        columns=COLUMNS,
        now=now(),
    )


@pages.get("/students/<int:student_id>/guardians/<int:guardian_id>/messages")
@allow(*SEEING)
def show_guardian(student_id: int, guardian_id: int) -> ResponseReturnValue:
    """All messages to a guardian about students that the caller sees; the look is noted."""
    school_id, asked = school_in_use().id, read_asked()
    with school_session() as session:
        student = find_student(session, school_id, student_id)
        guardian, _link = find_guardian(session, school_id, student_id, guardian_id)
        found = list_of_guardian(
            session, school_id, guardian_id, read_moment(asked.after), PAGE_ROWS + 1
        )
    note_look("guardian.messages_seen", f"guardian:{guardian_id}", {"student": str(student_id)})
    return render_part(
        "message_history.html",
        "message_history_part.html",
        student=student,
        guardian=guardian,
        page=key_page(found, asked, lambda one: (one.created_at.isoformat(), one.id)),
        asked=asked,
        columns=COLUMNS,
        now=now(),
    )

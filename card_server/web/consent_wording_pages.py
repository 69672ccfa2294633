"""The wordings to which guardians consent (告知同意书): those there were, and a new one."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, school_in_use, school_session
from card_server.messages import consent_wordings as wordings
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.message_text_pages import ADMINS, HTML_LANGUAGES
from card_server.words.choices import word
from schema.tables.people import Language

pages = Blueprint("consent_wordings", __name__)


@pages.get("/settings/messages/consent")
@allow(*ADMINS)
def show() -> ResponseReturnValue:
    """All wordings, and the form for a new one."""
    return _show(NOTHING_WRONG)


@pages.post("/settings/messages/consent")
@allow(*ADMINS)
def add() -> ResponseReturnValue:
    """Let a new wording count from now on."""
    form, school_id = request.form, school_in_use().id

    def save(session: Session) -> None:
        language = wordings.read_language(form.get("language", ""))
        body = wordings.read_wording(form.get("body", ""))
        wordings.add_wording(session, actor(), school_id, language, body)

    wrong = try_change(save)
    if wrong.errors:
        return _show(wrong, form.to_dict())
    flash(gettext("The new wording counts from now on."), "good")
    return redirect(url_for("consent_wordings.show"))


def _show(wrong: Wrong, typed: dict[str, str] | None = None) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        found = wordings.list_wordings(session, school_id)
    newest: dict[Language, int] = {}
    for one in found:
        newest.setdefault(one.language, one.id)
    page = render_template(
        "consent_wordings.html",
        wordings=found,
        in_force=set(newest.values()),
        languages=[(one, word(one)) for one in Language],
        html_languages=HTML_LANGUAGES,
        values=typed or {},
        errors=wrong.errors,
        most=wordings.MOST,
    )
    return page, wrong.status

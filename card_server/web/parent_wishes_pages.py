"""What a guardian wants to be told of a child, and the switch that stops everything."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import now
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.leave.wishes import read_hour
from card_server.messages import wishes as rules
from card_server.messages.kinds import WISHES
from card_server.messages.rules import rules_of
from card_server.parent_access import (
    for_parents,
    parent,
    parent_actor,
    parent_change,
    parent_session,
)
from card_server.parents import stopping
from card_server.people.guardians import find_guardian
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.parent_entering import parents_pages
from card_server.words.choices import word
from card_server.words.parents import WISH_WORDS
from schema.tables.people import Language

pages = parents_pages("parent_wishes", __name__)


@pages.get("/parent/children/<int:student_id>/wishes")
@for_parents
def show(student_id: int) -> ResponseReturnValue:
    """Which kinds, in which language, and when not."""
    return _show(student_id, NOTHING_WRONG)


@pages.post("/parent/children/<int:student_id>/wishes")
@for_parents
def change(student_id: int) -> ResponseReturnValue:
    """Keep what was chosen; what the page does not show stays as the school has it."""
    form, who = request.form, parent()

    def change(session: Session) -> None:
        _guardian, link = find_guardian(session, who.school.id, student_id, who.guardian_id)
        wishes = _read(form, rules.wishes_of(link))
        rules.change_wishes(
            session,
            parent_actor(),
            who.school.id,
            student_id,
            who.guardian_id,
            wishes,
            form.get("seen", ""),
            _read_language(form),
        )

    wrong = try_change(change, parent_change)
    if wrong.errors:
        return _show(student_id, wrong, form)
    flash(gettext("Saved."), "good")
    return redirect(url_for("parent_wishes.show", student_id=student_id))


@pages.post("/parent/stop")
@for_parents
def stop() -> ResponseReturnValue:
    """Send nothing to this number any more."""
    with parent_change() as session:
        stopping.stop(session, parent_actor(), parent(), now())
    flash(gettext("Nothing is sent to your number any more."), "good")
    return _back()


@pages.post("/parent/start")
@for_parents
def start() -> ResponseReturnValue:
    """Send messages to this number again."""
    with parent_change() as session:
        stopping.start(session, parent_actor(), parent())
    flash(gettext("Messages are sent to your number again."), "good")
    return _back()


def _show(
    student_id: int, wrong: Wrong, typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    who = parent()
    with parent_session() as session:
        guardian, link = find_guardian(session, who.school.id, student_id, who.guardian_id)
        stored, shown = rules.wishes_of(link), rules.shown_wishes(guardian, link)
        school_rules = rules_of(session, who.school.id)
        since = stopping.stopped_at(session, who)
    kept = {kind.value: kind in stored.wanted for kind in WISHES} | {
        "language": guardian.language,
        "quiet_from": _hour(stored.quiet_from),
        "quiet_until": _hour(stored.quiet_until),
    }
    page = render_template(
        "parent_wishes.html",
        errors=wrong.errors,
        is_told=stored.is_told,
        kinds=[(kind.value, WISH_WORDS[kind]) for kind in WISHES],
        languages=[(one.value, word(one)) for one in Language],
        school_quiet=(_hour(school_rules.quiet_from), _hour(school_rules.quiet_until)),
        seen=seen_by_form(shown, dict(typed) if typed is not None else None, wrong),
        stopped_at=since,
        student_id=student_id,
        values=kept if typed is None else typed,
    )
    return page, wrong.status


def _read(form: Mapping[str, str], stored: rules.Wishes) -> rules.Wishes:
    """What was typed, as wishes; the rest as it is kept. Raises FieldsError."""
    wrong = Problems()
    begin = read_hour(wrong, "quiet_from", form.get("quiet_from", ""))
    end = read_hour(wrong, "quiet_until", form.get("quiet_until", ""))
    wrong.refuse()
    return rules.Wishes(
        stored.is_told,
        frozenset(kind for kind in WISHES if form.get(kind.value)),
        stored.channel,
        None if begin is None else begin.hour * 60 + begin.minute,
        None if end is None else end.hour * 60 + end.minute,
        stored.daily_limit,
    )


def _read_language(form: Mapping[str, str]) -> Language:
    language = form.get("language", "")
    if language not in list(Language):
        raise FieldsError({"language": _("Choose from the list.")})
    return Language(language)


def _hour(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def _back() -> ResponseReturnValue:
    return redirect(url_for("parent_data.show"))

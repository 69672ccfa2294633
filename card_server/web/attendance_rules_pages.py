"""What a school settles for its attendance (考勤规则) under the settings."""

from dataclasses import asdict

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import actor, allow, now, school_in_use, school_session
from card_server.calendar.changing_rules import change_rules, read_rules
from card_server.calendar.hours import write_minute
from card_server.calendar.points import write_points
from card_server.calendar.rules import rules_for
from card_server.web.calendar_pages import ADMINS
from card_server.web.calendar_words import weekday_options
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.history import show_history

pages = Blueprint("attendance_rules", __name__)


@pages.get("/settings/attendance")
@allow(*ADMINS)
def show() -> ResponseReturnValue:
    """The rules in force."""
    return _show(NOTHING_WRONG)


@pages.post("/settings/attendance")
@allow(*ADMINS)
def change() -> ResponseReturnValue:
    """Settle other rules."""
    form = request.form
    wrong = try_change(
        lambda session: change_rules(
            session, actor(), school_in_use().id, read_rules(form), now(), form.get("seen", "")
        )
    )
    if wrong.errors:
        return _show(wrong, form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("attendance_rules.show"))


def _show(wrong: Wrong, typed: dict[str, str] | None = None) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        found = rules_for(session, school_id)
        history = show_history(session, school_id, [f"school:{school_id}"])
    stored = asdict(found)
    shown = stored | {
        "closes": write_minute(found.closes),
        "boarders_by": write_minute(found.boarders_by),
        "late_points": write_points(found.late_tenths),
        "early_points": write_points(found.early_tenths),
        "absent_points": write_points(found.absent_tenths),
    }
    page = render_template(
        "settings_calendar_rules.html",
        values=typed or shown,
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
        weekdays=weekday_options(),
        history=history,
    )
    return page, wrong.status

"""The roster goes out (名单导出): for other systems, after a reason, and noted."""

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import actor, allow, changing_session, school_in_use
from card_server.errors import HTTP_STATUS, AppError, Code
from card_server.imports.roster.columns import list_profiles
from card_server.imports.roster.giving import KINDS, PACKAGE, Giving, give_roster
from card_server.imports.roster.register_sheets import Days, Sheet
from card_server.school_time import day_of
from card_server.web.changing import NOTHING_WRONG, Wrong
from card_server.web.export import send_bytes
from card_server.web.roster_pages import seal_in_use
from schema.tables.staff import Role

pages = Blueprint("roster_export", __name__)

_MOST_REASON = 200
_PIECE = 64 * 1024


@pages.get("/roster/export")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show() -> ResponseReturnValue:
    """What can be given out, and where the reason is asked."""
    return _show(NOTHING_WRONG)


@pages.post("/roster/export")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def give() -> ResponseReturnValue:
    """The file, after a note of who took it and why."""
    form, school = request.form, school_in_use()
    reason, kind = " ".join(form.get("reason", "").split()), form.get("kind", PACKAGE)
    days = _read_days(form.get("first", ""), form.get("last", ""))
    wrong = _judge(reason, kind, days)
    if wrong or days is None:
        return _show(wrong or NOTHING_WRONG, form.to_dict())
    try:
        with changing_session() as session:
            doing = Giving(
                school.id, school.zone, actor(), reason, datetime.now(UTC), seal_in_use()
            )
            made = give_roster(session, doing, kind, days)
    except AppError as error:
        return _show(Wrong({"": gettext(error.message)}, HTTP_STATUS[error.code], False), form)
    return send_bytes(_pieces(made.body), made.media_type, made.name)


def _read_days(first: str, last: str) -> Days | None:
    """What was typed; today for what was not."""
    today = day_of(datetime.now(UTC), school_in_use().zone)
    try:
        days = Days(*(date.fromisoformat(text) if text else today for text in (first, last)))
    except ValueError:
        return None
    return days if days.first <= days.last else None


def _judge(reason: str, kind: str, days: Days | None) -> Wrong | None:
    errors = {}
    if not reason:
        errors["reason"] = gettext("This must not be empty.")
    elif len(reason) > _MOST_REASON:
        errors["reason"] = gettext("This may have 200 characters at most.")
    if days is None:
        errors["first"] = gettext("Choose a first day and a last one that is not before it.")
    if kind not in KINDS:
        errors["kind"] = gettext("Choose from the list.")
    return Wrong(errors, HTTP_STATUS[Code.INVALID], is_conflict=False) if errors else None


def _pieces(body: bytes) -> Iterator[bytes]:
    file = io.BytesIO(body)
    while piece := file.read(_PIECE):
        yield piece


def _show(wrong: Wrong, typed: object = None) -> ResponseReturnValue:
    kinds = [(PACKAGE, gettext("OneRoster 1.2: the whole roster (ZIP)"))]
    for name, title in list_profiles():
        cards = gettext("Card numbers, for %(system)s (XLSX)", system=title)
        days = gettext("Attendance, for %(system)s (XLSX)", system=title)
        kinds += [(f"{Sheet.CARDS}.{name}", cards), (f"{Sheet.ATTENDANCE}.{name}", days)]
    today = day_of(datetime.now(UTC), school_in_use().zone)
    page = render_template(
        "roster_export.html",
        kinds=kinds,
        values=typed or {"first": today.isoformat(), "last": today.isoformat()},
        errors=wrong.errors,
    )
    return page, wrong.status

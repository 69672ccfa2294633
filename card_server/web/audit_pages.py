"""The audit log (审计日志): who did what, and an entry's details, which is itself noted."""

import json

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from card_server.access import (
    actor,
    allow_anywhere,
    caller,
    changing_session,
    school_in_use,
    school_session,
    use_school,
)
from card_server.audit.reading import list_staff, open_entry, read_entries
from card_server.audit.writing import note
from card_server.errors import AppError, Code
from card_server.exports.audit import AUDIT, FILTERS, read_wanted
from card_server.school_time import DISTRICT_ZONE
from card_server.staff.sessions import SchoolInUse
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.fragments import render_part
from card_server.web.tables import PAGE_ROWS, Asked, Column, key_page, read_asked
from card_server.words.audit import (
    ACTIONS,
    action_word,
    actor_word,
    kind_options,
    subject_word,
)
from schema.tables.audit import DISTRICT
from schema.tables.staff import Role, Scope

pages = Blueprint("audit", __name__)
_READERS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.AUDITOR)
_COLUMNS = (
    Column(lazy_gettext("Time")),
    Column(lazy_gettext("Who")),
    Column(lazy_gettext("What")),
    Column(lazy_gettext("About")),
    Column(lazy_gettext("Details")),
)
_OF_DISTRICT = SchoolInUse(
    id=DISTRICT,
    name="",
    signature="",
    zone=DISTRICT_ZONE,
    late_after="",
    cards_version=0,
)
"""Where no school has been entered, the log is the district's: a school that has nothing else."""


@pages.get("/audit")
@allow_anywhere(*_READERS)
def show() -> ResponseReturnValue:
    """The log of the school that the caller is in, or else of the district, newest first."""
    _use_log()
    asked, chain = read_asked(filters=FILTERS), school_in_use().id
    if kind := asked_export():
        return send_list(kind, AUDIT, asked.filters)
    wanted = read_wanted(school_in_use(), asked.filters)
    with school_session() as session:
        entries = read_entries(session, chain, wanted, _read_before(asked), PAGE_ROWS + 1)
        staff = list_staff(session, chain)
    return render_part(
        "audit.html",
        "audit_part.html",
        page=key_page(entries, asked, lambda one: (one.seq,)),
        asked=asked,
        columns=_COLUMNS,
        actors=[(str(key), name) for key, name in staff] + kind_options(),
        actions=sorted(((key, str(word)) for key, word in ACTIONS.items()), key=lambda one: one[1]),
        action_word=action_word,
        actor_word=actor_word,
        subject_word=subject_word,
    )


@pages.post("/audit/<int:seq>")
@allow_anywhere(*_READERS)
def show_detail(seq: int) -> ResponseReturnValue:
    """One entry's details; by POST, because the look is noted."""
    _use_log()
    chain = school_in_use().id
    with changing_session() as session:
        opened = open_entry(session, chain, seq)
        note(session, chain, actor(), "audit.detail_seen", f"audit:{seq}")
    values = opened.detail.details if opened.detail else {}
    return render_part(
        "audit_detail.html",
        "audit_detail_row.html",
        opened=opened,
        values={name: _write_value(value) for name, value in values.items()},
        action_word=action_word,
        actor_word=actor_word,
        subject_word=subject_word,
    )


def _use_log() -> None:
    """Limit the request to one log. Raises AppError(NOT_ALLOWED) for who has none."""
    who = caller()
    grants = [grant for grant in who.grants if grant.role in _READERS]
    if who.school is None and not any(grant.scope is Scope.DISTRICT for grant in grants):
        raise AppError(Code.NOT_ALLOWED, "Only staff of the district can read its log.")
    use_school(who.school or _OF_DISTRICT, grants)


def _read_before(asked: Asked) -> int | None:
    text = asked.after[0] if asked.after else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _write_value(value: object) -> str:
    """A value as people read it: text as it is, [before, after] with an arrow, else JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and len(value) == 2:
        return " → ".join(_write_value(one) for one in value)
    return "–" if value is None else json.dumps(value, ensure_ascii=False)

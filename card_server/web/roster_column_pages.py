"""What the columns of a sheet mean (列对应): proposed, checked by a person, and remembered."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import allow, changing_session, school_in_use, school_session
from card_server.imports.roster import staging, waiting
from card_server.imports.roster.choices import Choices
from card_server.imports.roster.columns import (
    ENCODINGS,
    ShownColumn,
    list_profiles,
    list_targets,
    show_columns,
)
from card_server.imports.roster.facts import find_facts, look_at
from card_server.imports.roster.reading import STAGES
from card_server.imports.roster.waiting import HowToOpen
from card_server.school_time import day_of
from card_server.web.roster_pages import handling, seal_in_use, show_progress
from card_server.words.imports import target_word
from schema.tables.staff import Role

pages = Blueprint("roster_columns", __name__)

_MOST_COLUMNS = 500
_STAGE_WORDS = {
    1: lazy_gettext("primary school"),
    7: lazy_gettext("junior secondary school"),
    10: lazy_gettext("senior secondary school"),
}


@pages.get("/roster/<int:import_id>/columns")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show(import_id: int) -> ResponseReturnValue:
    """Each column with examples, and what it seems to mean."""
    today = day_of(datetime.now(UTC), school_in_use().zone)
    with school_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id)
        file = staging.open_file(row, seal_in_use())
        facts = find_facts(session, school_in_use().id, today)
        reading = look_at(session, school_in_use().id, file)
    return render_template(
        "roster_columns.html",
        row=row,
        reading=reading,
        columns=_in_order(show_columns(reading)),
        target_word=target_word,
        targets=_options(),
        choices=file.choices,
        stages=file.choices.stages or facts.stages,
        all_stages=STAGES,
        stage_words=_STAGE_WORDS,
        sheet_options=[(name, name) for name in (reading.table.sheets if reading.table else ())],
        encoding_options=[
            ("", gettext("found by itself")),
            *((one, one.upper()) for one in ENCODINGS),
        ],
        profile_options=[("", gettext("a spreadsheet of its own kind")), *list_profiles()],
    )


def _in_order(columns: list[ShownColumn]) -> list[ShownColumn]:
    """Those first that a person should look at."""
    return sorted(columns, key=lambda one: one.is_sure)


@pages.get("/roster/<int:import_id>/columns/<int:column>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_choice(import_id: int, column: int) -> ResponseReturnValue:
    """The choice of one column's meaning, for a column that seemed sure."""
    with school_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id)
        reading = look_at(session, school_in_use().id, staging.open_file(row, seal_in_use()))
    found = [one for one in show_columns(reading) if one.column == column]
    key = found[0].key if found else ""
    header = found[0].header if found else ""
    return render_template(
        "roster_choice.html", column=column, header=header, key=key, targets=_options()
    )


@pages.post("/roster/<int:import_id>/columns")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def send(import_id: int) -> ResponseReturnValue:
    """Keep what was said of the columns, remember it, and compare with the school.

    Another encoding, sheet or register system only opens the file once more.
    """
    form = request.form
    with school_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id)
        before = staging.open_choices(row, seal_in_use())
    how = _read_how()
    keys = [form.get(f"column-{n}", "") for n in range(_count_columns())]
    with changing_session() as session:
        if not keys or not _is_read_alike(before, how):
            waiting.open_otherwise(session, handling(), import_id, how)
            return redirect(url_for("roster_columns.show", import_id=import_id))
        waiting.name_columns(session, handling(), import_id, keys, how.stages)
    return show_progress(import_id)


def _count_columns() -> int:
    return min(request.form.get("columns", 0, type=int), _MOST_COLUMNS)


def _read_how() -> HowToOpen:
    form = request.form
    return HowToOpen(
        form.get("encoding") or None,
        form.get("sheet") or None,
        form.get("profile") or None,
        tuple(stage for stage in STAGES if form.get(f"stage-{stage}")),
    )


def _is_read_alike(before: Choices, how: HowToOpen) -> bool:
    """Whether the sheet is opened as before; a register system that was found by itself is one."""
    found = request.form.get("found_profile") or None
    return (
        how.profile in (before.profile, found)
        and how.encoding in (before.encoding, None)
        and how.sheet in (before.sheet, None)
    )


def _options() -> list[tuple[str, str]]:
    """All that a column may mean, in words."""
    return [(key, target_word(key)) for key in list_targets()]

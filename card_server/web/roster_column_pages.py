"""What the columns of a sheet mean (列对应): proposed, checked by a person, and remembered."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from msgspec.structs import replace

from card_server.access import allow, changing_session, school_in_use, school_session
from card_server.imports.roster import staging
from card_server.imports.roster.choices import Choices
from card_server.imports.roster.columns import (
    ENCODINGS,
    ShownColumn,
    list_profiles,
    list_targets,
    read_targets,
    show_columns,
)
from card_server.imports.roster.facts import find_facts, keep_mapping, look_at
from card_server.imports.roster.reading import STAGES
from card_server.school_time import day_of
from card_server.web.roster_pages import change_choices, compare_again, seal_in_use
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
    wanted = _read_how(before)
    keys = [form.get(f"column-{n}", "") for n in range(_count_columns())]
    if not keys or not _is_read_alike(before, wanted):
        change_choices(import_id, wanted)
        return redirect(url_for("roster_columns.show", import_id=import_id))
    targets = read_targets(keys)
    change_choices(import_id, replace(before, targets=targets, stages=wanted.stages))
    _remember(import_id, targets)
    return compare_again(import_id)


def _count_columns() -> int:
    return min(request.form.get("columns", 0, type=int), _MOST_COLUMNS)


def _read_how(before: Choices) -> Choices:
    """How the file is to be opened; what was mended in it was mended as it was read before."""
    form = request.form
    stages = tuple(stage for stage in STAGES if form.get(f"stage-{stage}"))
    return Choices(
        encoding=form.get("encoding") or before.encoding,
        sheet=form.get("sheet") or before.sheet,
        profile=form.get("profile") or None,
        stages=stages or before.stages,
    )


def _is_read_alike(before: Choices, wanted: Choices) -> bool:
    """Whether the sheet is opened as before; a register system that was found by itself is one."""
    found = request.form.get("found_profile") or None
    is_same_profile = wanted.profile in (before.profile, found)
    return is_same_profile and (before.encoding, before.sheet) == (wanted.encoding, wanted.sheet)


def _remember(import_id: int, targets: tuple[str | None, ...]) -> None:
    with changing_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id)
        reading = look_at(session, school_in_use().id, staging.open_file(row, seal_in_use()))
        if reading.table is not None and len(reading.table.header) == len(targets):
            header = reading.table.header
            keep_mapping(session, school_in_use().id, header, targets, datetime.now(UTC))


def _options() -> list[tuple[str, str]]:
    """All that a column may mean, in words."""
    return [(key, target_word(key)) for key in list_targets()]

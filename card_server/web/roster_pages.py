"""The roster comes in (学籍导入): a file is chosen, compared with the school, and imported."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from msgspec.structs import replace

from card_server.access import (
    actor,
    allow,
    caller,
    changing_session,
    may,
    school_in_use,
    school_session,
)
from card_server.audit.writing import note
from card_server.config import Settings
from card_server.errors import HTTP_STATUS, AppError, Code
from card_server.field_errors import FieldsError
from card_server.imports.roster import staging
from card_server.imports.roster.choices import Cell, Choices, read_grades
from card_server.imports.roster.job import CHECK, IMPORT
from card_server.imports.roster.view import View
from card_server.jobs.report import JobReport, read_job
from card_server.storage.sealing import Seal
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.downloads import ask_in_background
from card_server.web.fragments import render_part
from card_server.web.tables import Asked, Column, Page, cut_page, read_asked
from card_server.words.imports import change_words, say, where_word
from schema.tables.roster import RosterImport, RosterSource, RosterState
from schema.tables.staff import Role

pages = Blueprint("roster", __name__)

_OVERHEAD = 64 * 1024
_SHOWN = 20
_LISTS = ("findings", "new", "changed", "gone", "homerooms")
_NAMES = {
    "findings": lazy_gettext("Findings"),
    "new": lazy_gettext("New"),
    "changed": lazy_gettext("Changed"),
    "gone": lazy_gettext("Not named any more"),
    "homerooms": lazy_gettext("Homerooms"),
}
_COLUMNS = {
    "findings": (
        Column(lazy_gettext("Where")),
        Column(lazy_gettext("What is wrong")),
        Column(lazy_gettext("What stands there")),
    ),
    "new": (
        Column(lazy_gettext("Name")),
        Column(lazy_gettext("Student number")),
        Column(lazy_gettext("Homeroom")),
    ),
    "changed": (
        Column(lazy_gettext("Name")),
        Column(lazy_gettext("Student number")),
        Column(lazy_gettext("What changes")),
    ),
    "gone": (
        Column(lazy_gettext("Name")),
        Column(lazy_gettext("Student number")),
        Column(lazy_gettext("Homeroom")),
    ),
    "homerooms": (
        Column(lazy_gettext("Name")),
        Column(lazy_gettext("Grade"), is_number=True),
        Column(lazy_gettext("What changes")),
    ),
}
_HISTORY = (
    Column(lazy_gettext("File")),
    Column(lazy_gettext("Handed in")),
    Column(lazy_gettext("By")),
    Column(lazy_gettext("State")),
)


def open_roster(app: Flask, settings: Settings) -> None:
    """Give the application what these pages need of the settings."""
    app.extensions["roster_seal"] = Seal(settings.data_key)
    app.jinja_env.globals.update(say_finding=say, change_words=change_words, where_word=where_word)


def seal_in_use() -> Seal:
    """Seals and opens what is handed in."""
    found: Seal = current_app.extensions["roster_seal"]
    return found


@pages.url_value_preprocessor
def _allow_upload(endpoint: str | None, _values: object) -> None:
    """Before anything reads the form, which the check of its token does first of all."""
    if endpoint == f"{pages.name}.send":
        request.max_content_length = staging.MOST_BYTES + _OVERHEAD


@pages.get("/roster")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show() -> ResponseReturnValue:
    """Where a file is chosen, and what was imported before."""
    return _show(NOTHING_WRONG)


@pages.post("/roster")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def send() -> ResponseReturnValue:
    """Take a file in; nothing of the school changes yet."""
    sent, now = request.files.get("file"), datetime.now(UTC)
    body = sent.read() if sent else b""
    name = (sent.filename or "") if sent else ""
    made: list[int] = []
    wrong = try_change(
        lambda session: made.append(
            staging.stage(
                session, school_in_use().id, caller().name, name, body, now, seal_in_use()
            )
        )
    )
    if wrong.errors:
        return _show(Wrong({"file": wrong.errors[""]}, wrong.status, is_conflict=False))
    return begin(made[0])


def begin(import_id: int) -> ResponseReturnValue:
    """The step after a file was taken in: its columns, or at once the comparison."""
    with school_session() as session:
        source = staging.find_import(session, school_in_use().id, import_id).source
    if source is RosterSource.SHEET:
        return redirect(url_for("roster_columns.show", import_id=import_id))
    return compare_again(import_id)


def compare_again(import_id: int) -> ResponseReturnValue:
    """Ask for the comparison in the background, and go to where it will be shown."""
    with school_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id)
        said = hashlib.sha256(row.choices_sealed or b"").hexdigest()[:12]
    _ask(CHECK, import_id, {"import": import_id, "said": said})
    return redirect(url_for("roster.show_import", import_id=import_id))


def _ask(kind: str, import_id: int, parameters: dict[str, int | str]) -> None:
    job_id = ask_in_background(kind, parameters)
    with changing_session() as session:
        staging.find_import(session, school_in_use().id, import_id, lock=True).job_id = job_id


def _show(wrong: Wrong) -> ResponseReturnValue:
    with school_session() as session:
        found = staging.list_imports(session, school_in_use().id, _SHOWN)
        counts = {one.id: staging.read_counts(one) for one in found}
    asked = read_asked()
    page = render_template(
        "roster.html",
        page=Page(found, total=len(found)),
        asked=asked,
        columns=_HISTORY,
        counts=counts,
        errors=wrong.errors,
        now=datetime.now(UTC),
    )
    return page, wrong.status


@pages.get("/roster/<int:import_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_import(import_id: int) -> ResponseReturnValue:
    """How far an import is: being compared, waiting for a yes, being imported, done."""
    return _show_import(import_id)


def _show_import(
    import_id: int, wrong: Wrong = NOTHING_WRONG, typed: dict[str, str] | None = None
) -> ResponseReturnValue:
    asked = read_asked(filters=("list",))
    with school_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id)
        job = _job_of(row)
        view = staging.open_view(row, seal_in_use())
        choices = staging.open_choices(row, seal_in_use())
        counts = staging.read_counts(row)
    chosen = _chosen_list(asked, view)
    rows = getattr(view, chosen) if view else ()
    response = render_part(
        "roster_import.html",
        "roster_import_part.html",
        row=row,
        job=job,
        view=view,
        counts=counts,
        choices=choices,
        chosen=chosen,
        list_tabs=_tabs(import_id, chosen, view),
        columns=_COLUMNS[chosen],
        page=cut_page(rows, asked),
        asked=asked,
        errors=wrong.errors,
        values=typed or {},
        may_see_students=may("students.show_search"),
    )
    response.status_code = wrong.status
    return response


def _job_of(row: RosterImport) -> JobReport | None:
    if row.job_id is None:
        return None
    try:
        with school_session() as session:
            return read_job(session, school_in_use().id, row.job_id, None)
    except AppError:
        return None


def _chosen_list(asked: Asked, view: View | None) -> str:
    """The list that is asked for; else what is wrong, where anything is, or the first with rows."""
    wanted = asked.filters.get("list", "")
    if wanted in _LISTS:
        return wanted
    order = ("findings", "changed", "gone", "new", "homerooms")
    if view is None:
        return "findings"
    if view.errors:
        return "findings"
    return next((name for name in order[1:] if getattr(view, name)), "findings")


def _tabs(import_id: int, chosen: str, view: View | None) -> list[tuple[str, str, bool, int]]:
    """Address, name and length of each list, and whether it is the one that is shown."""
    if view is None:
        return []
    return [
        (
            url_for("roster.show_import", import_id=import_id, list=name),
            str(_NAMES[name]),
            name == chosen,
            view.errors + view.warnings if name == "findings" else len(getattr(view, name)),
        )
        for name in _LISTS
    ]


@pages.post("/roster/<int:import_id>/check")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def check(import_id: int) -> ResponseReturnValue:
    """Compare once more: the school may have changed."""
    _change_choices(import_id, lambda choices: choices)
    return compare_again(import_id)


@pages.post("/roster/<int:import_id>/package")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def choose(import_id: int) -> ResponseReturnValue:
    """Say how a package is to be read."""
    form = request.form
    try:
        grades = read_grades(form.get("grades", ""))
    except FieldsError as error:
        errors = {name: gettext(said) for name, said in error.fields.items()}
        wrong = Wrong(errors, HTTP_STATUS[Code.INVALID], is_conflict=False)
        return _show_import(import_id, wrong, form.to_dict())
    _change_choices(
        import_id,
        lambda choices: replace(
            choices,
            school=form.get("school") or None,
            every_class=bool(form.get("every_class")),
            leaves_out=bool(form.get("leaves_out")),
            valid_today=bool(form.get("valid_today")),
            grades=grades,
        ),
    )
    return compare_again(import_id)


@pages.post("/roster/<int:import_id>/mend")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def mend(import_id: int) -> ResponseReturnValue:
    """Write cells anew, or leave rows out; the file is judged again."""
    with school_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id)
        view = staging.open_view(row, seal_in_use())
    cells, without = _read_mended(view)
    _change_choices(import_id, lambda choices: _with_mended(choices, cells, without))
    return compare_again(import_id)


def _read_mended(view: View | None) -> tuple[list[Cell], list[int]]:
    """What was typed anew: of the cells that were shown, and are not as they were."""
    cells, without = [], []
    for finding in view.findings if view else ():
        line = finding.line
        if line is None or not finding.cells:
            continue
        if request.form.get(f"without-{line}"):
            without.append(line)
        for cell in finding.cells:
            typed = request.form.get(f"cell-{line}-{cell.column}")
            shown = "" if cell.is_personal else cell.value
            if typed is not None and typed.strip() != shown:
                cells.append(Cell(line, cell.column, typed.strip()[:1000]))
    return cells, without


def _with_mended(choices: Choices, cells: list[Cell], without: list[int]) -> Choices:
    places = {(one.line, one.column): one for one in (*choices.cells, *cells)}
    return replace(
        choices,
        cells=tuple(places.values()),
        without=tuple(sorted({*choices.without, *without})),
    )


@pages.post("/roster/<int:import_id>/import")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def start(import_id: int) -> ResponseReturnValue:
    """Import what was shown, in the background."""
    form = request.form
    with school_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id)
        view = staging.open_view(row, seal_in_use())
    if row.state is not RosterState.WAITING or view is None or row.digest is None:
        return _refuse(import_id, gettext("Compare the file with the school first."))
    if form.get("seen", "") != row.digest.hex():
        return _refuse(
            import_id, gettext("Somebody has compared it anew since you looked. Look once more.")
        )
    if view.has_errors:
        return _refuse(import_id, gettext("Mend the errors first; nothing was imported."))
    if view.brakes and not form.get("yes"):
        said = gettext("Say that this is meant, or choose another file.")
        wrong = Wrong({"yes": said}, HTTP_STATUS[Code.CONFLICT], is_conflict=False)
        return _show_import(import_id, wrong)
    _ask(IMPORT, import_id, {"import": import_id, "yes": int(bool(form.get("yes")))})
    return redirect(url_for("roster.show_import", import_id=import_id))


def _refuse(import_id: int, said: str) -> ResponseReturnValue:
    wrong = Wrong({"": said}, HTTP_STATUS[Code.CONFLICT], is_conflict=True)
    return _show_import(import_id, wrong)


@pages.post("/roster/<int:import_id>/discard")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def discard(import_id: int) -> ResponseReturnValue:
    """Keep the file no longer."""
    with changing_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id, lock=True)
        if row.state is RosterState.WAITING:
            staging.discard(row, datetime.now(UTC))
            note(session, row.school_id, actor(), "roster.discarded", f"roster:{import_id}")
    flash(gettext("The file is not kept any more; nothing was imported."), "good")
    return redirect(url_for("roster.show"))


def change_choices(import_id: int, choices: Choices) -> None:
    """What is said of the file from now on."""
    _change_choices(import_id, lambda _before: choices)


def _change_choices(import_id: int, change: Callable[[Choices], Choices]) -> None:
    with changing_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id, lock=True)
        if row.state is not RosterState.WAITING:
            raise AppError(Code.CONFLICT, "This file is not kept any more. Choose it again.")
        staging.keep_choices(row, change(staging.open_choices(row, seal_in_use())), seal_in_use())

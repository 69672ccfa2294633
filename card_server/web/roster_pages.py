"""The roster comes in (学籍导入): a file is chosen, compared with the school, and imported."""

from datetime import UTC, datetime

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import allow, changing_session, may, school_in_use, school_session
from card_server.background import asker_in_use
from card_server.config import Settings
from card_server.errors import HTTP_STATUS, AppError, Code
from card_server.field_errors import FieldsError
from card_server.imports.roster import staging, waiting
from card_server.imports.roster.choices import Cell, read_grades
from card_server.imports.roster.view import View
from card_server.imports.roster.waiting import BrakedError, Handling, PackageChoices
from card_server.jobs.report import read_job_if_kept
from card_server.storage.sealing import Seal
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change
from card_server.web.fragments import render_part
from card_server.web.languages import choose_language
from card_server.web.tables import Asked, Column, Page, cut_page, read_asked
from card_server.words.imports import change_words, say, where_word
from schema.tables.people import Language
from schema.tables.roster import RosterSource
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
        Column(lazy_gettext("Full name")),
        Column(lazy_gettext("Student number")),
        Column(lazy_gettext("Homeroom")),
    ),
    "changed": (
        Column(lazy_gettext("Full name")),
        Column(lazy_gettext("Student number")),
        Column(lazy_gettext("What changes")),
    ),
    "gone": (
        Column(lazy_gettext("Full name")),
        Column(lazy_gettext("Student number")),
        Column(lazy_gettext("Homeroom")),
    ),
    "homerooms": (
        Column(lazy_gettext("Name")),
        Column(lazy_gettext("Grade")),
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


def handling() -> Handling:
    """The caller at work on a roster that waits, now."""
    return Handling(asker_in_use(Language(choose_language())), seal_in_use(), datetime.now(UTC))


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
    sent = request.files.get("file")
    body = sent.read() if sent else b""
    name = (sent.filename or "") if sent else ""
    made: list[int] = []
    wrong = try_change(
        lambda session: made.append(waiting.hand_in(session, handling(), name, body))
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
    with changing_session() as session:
        waiting.compare(session, handling(), import_id)
    return show_progress(import_id)


def show_progress(import_id: int) -> ResponseReturnValue:
    """To where it is shown how far an import is."""
    return redirect(url_for("roster.show_import", import_id=import_id))


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
        job = read_job_if_kept(session, row.school_id, row.job_id)
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
    with changing_session() as session:
        waiting.compare_anew(session, handling(), import_id)
    return show_progress(import_id)


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
    said = PackageChoices(
        form.get("school") or None,
        bool(form.get("every_class")),
        bool(form.get("leaves_out")),
        bool(form.get("valid_today")),
        grades,
    )
    with changing_session() as session:
        waiting.choose_package(session, handling(), import_id, said)
    return show_progress(import_id)


@pages.post("/roster/<int:import_id>/mend")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def mend(import_id: int) -> ResponseReturnValue:
    """Write cells anew, or leave rows out; the file is judged again."""
    with school_session() as session:
        row = staging.find_import(session, school_in_use().id, import_id)
        view = staging.open_view(row, seal_in_use())
    cells, without = _read_mended(view)
    with changing_session() as session:
        waiting.mend(session, handling(), import_id, cells, without)
    return show_progress(import_id)


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


@pages.post("/roster/<int:import_id>/import")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def start(import_id: int) -> ResponseReturnValue:
    """Import what was shown, in the background."""
    seen, has_said_yes = request.form.get("seen", ""), bool(request.form.get("yes"))
    try:
        with changing_session() as session:
            waiting.start(session, handling(), import_id, seen, has_said_yes=has_said_yes)
    except AppError as error:
        if error.code is not Code.CONFLICT:
            raise
        field = "yes" if isinstance(error, BrakedError) else ""
        errors = {field: gettext(error.message)}
        return _show_import(
            import_id, Wrong(errors, HTTP_STATUS[error.code], is_conflict=not field)
        )
    return show_progress(import_id)


@pages.post("/roster/<int:import_id>/discard")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def discard(import_id: int) -> ResponseReturnValue:
    """Keep the file no longer."""
    with changing_session() as session:
        waiting.give_up(session, handling(), import_id)
    flash(gettext("The file is not kept any more; nothing was imported."), "good")
    return redirect(url_for("roster.show"))

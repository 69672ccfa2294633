"""The roster comes in by a program: handed in, told how to be read, compared, mended, imported."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import request
from sqlalchemy.orm import Session

from card_server.access import allow, changing_session, school_in_use, school_session
from card_server.api import roster_shapes as shapes
from card_server.api.cursors import next_address, read_id, write_id
from card_server.api.files import OVERHEAD, sent_file, takes_file
from card_server.api.people_routes import ADMINS, seal
from card_server.api.requests import language_in_use
from card_server.api.roster_shapes import ImportPath, ListQuery
from card_server.background import asker_in_use
from card_server.imports.roster import staging, waiting
from card_server.imports.roster.choices import Cell
from card_server.imports.roster.columns import show_columns
from card_server.imports.roster.facts import look_at
from card_server.imports.roster.view import View
from card_server.imports.roster.waiting import Handling, HowToOpen, PackageChoices
from card_server.jobs.report import read_job_if_kept
from card_server.words.imports import say
from schema.tables.roster import RosterImport

routes = APIBlueprint("roster", __name__, tag="Roster", url_prefix="/roster/imports")
_SHOWN = 50


@routes.url_value_preprocessor
def _allow_upload(endpoint: str | None, _values: object) -> None:
    """Before anything reads the body."""
    if endpoint == "roster.hand_in":
        request.max_content_length = staging.MOST_BYTES + OVERHEAD


@routes.get("")
@allow(*ADMINS)
@routes.output(shapes.RosterImports)
def imports() -> Any:
    """What was handed in, by people and programs, newest first."""
    with school_session() as session:
        found = staging.list_imports(session, school_in_use().id, _SHOWN)
        return {"items": [_show(session, one) for one in found]}


@routes.post("")
@allow(*ADMINS)
@takes_file
@routes.output(shapes.RosterImport, status_code=201)
def hand_in() -> Any:
    """Hand a sheet or a OneRoster zip in, of 30 MB at most; it is compared in the background.

    Nothing of the school changes by that.
    """
    sent = sent_file()
    with changing_session() as session:
        doing = _handling()
        id_ = waiting.hand_in(session, doing, sent.filename or "", sent.read())
        waiting.compare(session, doing, id_)
        return _read(session, id_)


@routes.get("/<import_id>")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.output(shapes.RosterImport)
def one(import_id: str, asked: ImportPath) -> Any:
    """How far an import is, and what it would change."""
    with school_session() as session:
        return _read(session, asked.import_id)


@routes.delete("/<import_id>")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.output({}, status_code=204)
def give_up(import_id: str, asked: ImportPath) -> Any:
    """Keep the file no longer; what is imported stays."""
    with changing_session() as session:
        waiting.give_up(session, _handling(), asked.import_id)
    return ""


@routes.get("/<import_id>/columns")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.output(shapes.SheetColumns)
def columns(import_id: str, asked: ImportPath) -> Any:
    """The columns of a sheet that waits, with examples, and what each seems to mean."""
    school_id = school_in_use().id
    with school_session() as session:
        row = staging.find_import(session, school_id, asked.import_id)
        reading = look_at(session, school_id, staging.open_file(row, seal()))
    table, faults = reading.table, reading.roster.findings
    return {
        "encoding": table.encoding if table else None,
        "sheet": table.sheet if table else None,
        "sheets": list(table.sheets) if table else [],
        "profile": reading.profile,
        "columns": [msgspec.structs.asdict(column) for column in show_columns(reading)],
        "faults": [say(fault.kind, fault.value, fault.expected) for fault in faults],
    }


@routes.put("/<import_id>/columns")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.input(shapes.ColumnMeanings, arg_name="sent")
@routes.output(shapes.RosterImport)
def name_columns(import_id: str, asked: ImportPath, sent: shapes.ColumnMeanings) -> Any:
    """Say what each column means, which is remembered, and compare anew."""
    keys, stages = [key or "" for key in sent.columns], tuple(sent.stages)
    return _do(
        asked, lambda session, doing, id_: waiting.name_columns(session, doing, id_, keys, stages)
    )


@routes.put("/<import_id>/opening")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.input(shapes.HowOpened, arg_name="sent")
@routes.output(shapes.RosterImport)
def open_otherwise(import_id: str, asked: ImportPath, sent: shapes.HowOpened) -> Any:
    """Open a sheet in another encoding, or another of its sheets, and compare anew.

    What was said and mended of it as it was read before is gone.
    """
    how = HowToOpen(sent.encoding, sent.sheet, sent.profile, tuple(sent.stages))

    def change(session: Session, doing: Handling, id_: int) -> None:
        waiting.open_otherwise(session, doing, id_, how)
        waiting.compare(session, doing, id_)

    return _do(asked, change)


@routes.put("/<import_id>/package")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.input(shapes.PackageReading, arg_name="sent")
@routes.output(shapes.RosterImport)
def choose_package(import_id: str, asked: ImportPath, sent: shapes.PackageReading) -> Any:
    """Say how a package is to be read, and compare anew."""
    said = PackageChoices(
        sent.school, sent.every_class, sent.leaves_out, sent.valid_today, sent.grades
    )
    return _do(asked, lambda session, doing, id_: waiting.choose_package(session, doing, id_, said))


@routes.post("/<import_id>/mend")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.input(shapes.Mending, arg_name="sent")
@routes.output(shapes.RosterImport)
def mend(import_id: str, asked: ImportPath, sent: shapes.Mending) -> Any:
    """Write cells anew, leave lines out, and compare anew."""
    cells = [Cell(cell.line, cell.column, cell.text.strip()) for cell in sent.cells]
    return _do(
        asked, lambda session, doing, id_: waiting.mend(session, doing, id_, cells, sent.without)
    )


@routes.post("/<import_id>/compare")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.output(shapes.RosterImport)
def compare(import_id: str, asked: ImportPath) -> Any:
    """Compare once more: the school may have changed."""
    return _do(asked, waiting.compare_anew)


@routes.post("/<import_id>/import")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.input(shapes.Consent, arg_name="sent")
@routes.output(shapes.RosterImport)
def start(import_id: str, asked: ImportPath, sent: shapes.Consent) -> Any:
    """Import what was compared, all or nothing, in the background."""

    def begin(session: Session, doing: Handling, id_: int) -> int:
        return waiting.start(session, doing, id_, sent.seen, has_said_yes=sent.yes)

    return _do(asked, begin)


@routes.get("/<import_id>/findings")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.input(ListQuery, location="query", arg_name="part")
@routes.output(shapes.RosterFindings)
def findings(import_id: str, asked: ImportPath, part: ListQuery) -> Any:
    """What is wrong, row by row; errors first, and 2,000 at most."""
    listed = _list(asked, part, lambda view: view.findings)
    for finding in listed["items"]:
        finding["message"] = say(finding["kind"], finding["value"], finding["expected"])
    return listed


@routes.get("/<import_id>/new")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.input(ListQuery, location="query", arg_name="part")
@routes.output(shapes.RosterStudents)
def new_students(import_id: str, asked: ImportPath, part: ListQuery) -> Any:
    """The students who would be new."""
    return _list(asked, part, lambda view: view.new)


@routes.get("/<import_id>/changed")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.input(ListQuery, location="query", arg_name="part")
@routes.output(shapes.RosterStudents)
def changed_students(import_id: str, asked: ImportPath, part: ListQuery) -> Any:
    """The students who would change, and what of them."""
    return _list(asked, part, lambda view: view.changed)


@routes.get("/<import_id>/gone")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.input(ListQuery, location="query", arg_name="part")
@routes.output(shapes.RosterStudents)
def gone_students(import_id: str, asked: ImportPath, part: ListQuery) -> Any:
    """The students whom the roster does not name any more; they are marked, and not deleted."""
    listed = _list(asked, part, lambda view: view.gone)
    listed["items"] = [{**student, "line": None, "changes": []} for student in listed["items"]]
    return listed


@routes.get("/<import_id>/homerooms")
@allow(*ADMINS)
@routes.input(ImportPath, location="path", arg_name="asked")
@routes.input(ListQuery, location="query", arg_name="part")
@routes.output(shapes.RosterHomerooms)
def changed_homerooms(import_id: str, asked: ImportPath, part: ListQuery) -> Any:
    """The homerooms that would be new or changed."""
    return _list(asked, part, lambda view: view.homerooms)


def _handling() -> Handling:
    return Handling(asker_in_use(language_in_use()), seal(), datetime.now(UTC))


def _do(asked: ImportPath, change: Callable[[Session, Handling, int], object]) -> dict[str, Any]:
    with changing_session() as session:
        change(session, _handling(), asked.import_id)
        return _read(session, asked.import_id)


def _read(session: Session, import_id: int) -> dict[str, Any]:
    return _show(session, staging.find_import(session, school_in_use().id, import_id))


def _show(session: Session, row: RosterImport) -> dict[str, Any]:
    job, view = read_job_if_kept(session, row.school_id, row.job_id), staging.open_view(row, seal())
    has_counts = row.counts != "{}"
    counts = msgspec.structs.asdict(staging.read_counts(row)) if has_counts else None
    return {
        "id": row.id,
        "state": row.state,
        "source": row.source,
        "file_name": row.file_name,
        "file_bytes": row.file_bytes,
        "sha256": row.file_hash,
        "made_by_name": row.made_by_name,
        "made_at": row.made_at,
        "expires_at": row.expires_at,
        "finished_at": row.finished_at,
        "job_id": row.job_id,
        "job_state": job.state if job else None,
        "counts": counts,
        "comparison": _compared(view, row.digest) if view and row.digest else None,
    }


def _compared(view: View, digest: bytes) -> dict[str, Any]:
    return {
        "seen": digest.hex(),
        "is_whole": view.is_whole,
        "school_year": view.school_year,
        "students": view.students,
        "enrolled": view.enrolled,
        "encoding": view.encoding,
        "sheet": view.sheet,
        "profile": view.profile,
        "errors": view.errors,
        "warnings": view.warnings,
        "brakes": list(view.brakes),
        "schools": [{"id": id_, "name": name} for id_, name in view.schools],
    }


def _list(
    asked: ImportPath, part: ListQuery, rows_of: Callable[[View], Sequence[Any]]
) -> dict[str, Any]:
    """A part of one of the comparison's lists, which is there in whole: a cursor is a place."""
    with school_session() as session:
        row = staging.find_import(session, school_in_use().id, asked.import_id)
        view = staging.open_view(row, seal())
        digest = row.digest
    rows = rows_of(view) if view else ()
    first = read_id(part.cursor)
    last = first + part.limit
    return {
        "seen": digest.hex() if digest else None,
        "items": [msgspec.to_builtins(one) for one in rows[first:last]],
        "next": next_address(write_id(last) if last < len(rows) else None),
    }

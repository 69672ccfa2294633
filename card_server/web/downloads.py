"""Downloads of what is kept on children: each is noted in the audit log, and none is cut."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from flask import Response, current_app, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import actor, changing_session, school_in_use, school_session
from card_server.audit.writing import note
from card_server.background import asker_in_use
from card_server.exports.job import make_sheet, parameters_of
from card_server.exports.lists import ExportList, Filters
from card_server.jobs.queue import ask_for, ask_once
from card_server.storage.sealing import Seal
from card_server.web.export import Cell, Export, SecondSheet, send_export, send_sheet
from card_server.web.languages import choose_language
from schema.tables.people import Language

AT_ONCE = 5_000
"""Rows that a request writes itself; a longer list is written in the background."""


def send_list(kind: Export, listed: ExportList, filters: Filters) -> ResponseReturnValue:
    """The whole list at once, or where it is being written. Raises AppError(CONFLICT)."""
    school = school_in_use()
    with school_session() as session:
        rows = list(islice(listed.read(session, school, filters), AT_ONCE + 1))
    if len(rows) > AT_ONCE:
        job_id = ask_in_background("export", parameters_of(kind, listed, filters))
        flash(
            gettext("The list is long: its file is being written. You may go on meanwhile."), "good"
        )
        return redirect(url_for("jobs.show_job", job_id=job_id))
    _note_taken(kind, listed.name, len(rows), filters)
    sheet = make_sheet(listed, school, filters, rows, lambda: len(rows), datetime.now(UTC))
    return send_sheet(kind, sheet)


def send_noted(
    kind: Export,
    name: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    second: SecondSheet | None = None,
) -> Response:
    """The download of a list that is never long, after a note of who took how much of what."""
    _note_taken(kind, name, len(rows), {})
    return send_export(kind, name, heads, rows, second)


def ask_in_background(
    kind: str, parameters: Mapping[str, Any], handed_in: bytes | None = None
) -> int:
    """The caller's job of this kind, by the roles that let them in; `handed_in` is its file.

    Who asks for the same without a file while it goes on gets that job. Raises AppError(CONFLICT)
    for somebody with many under way.
    """
    asker, now = asker_in_use(Language(choose_language())), datetime.now(UTC)
    seal: Seal = current_app.extensions["job_seal"]
    with changing_session() as session:
        if handed_in is None:
            return ask_once(session, asker, kind, parameters, now)
        return ask_for(session, asker, kind, parameters, now, (seal, handed_in))


def _note_taken(kind: Export, name: str, rows: int, filters: Filters) -> None:
    school = school_in_use()
    details: dict[str, object] = {"list": name, "kind": kind.value, "rows": rows}
    if filters:
        details["filters"] = dict(filters)
    with changing_session() as session:
        note(session, school.id, actor(), "export.taken", f"school:{school.id}", details=details)

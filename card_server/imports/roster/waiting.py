"""What staff do with a roster that waits, on a page or by a program, each in one transaction.

It is handed in, said how to be read, mended, compared with the school, imported, or given up.
Comparing and importing are background jobs.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy.orm import Session

from card_server.audit.writing import note
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.imports.roster import staging
from card_server.imports.roster.choices import Cell, Choices
from card_server.imports.roster.columns import read_targets
from card_server.imports.roster.facts import keep_mapping, look_at
from card_server.imports.roster.job import CHECK, IMPORT
from card_server.imports.roster.view import View
from card_server.jobs.queue import Asker, ask_once
from card_server.storage.sealing import Seal
from schema.tables.roster import RosterImport, RosterState


class Handling(NamedTuple):
    """Who works on the waiting rosters of which school, and when."""

    asker: Asker
    seal: Seal
    now: datetime


class HowToOpen(NamedTuple):
    """How a sheet is to be opened; an encoding and a sheet of None stay as they are."""

    encoding: str | None
    sheet: str | None
    profile: str | None
    """Of a register system; None: a sheet of its own kind, or one that is known by its columns."""
    stages: tuple[int, ...] = ()
    """None at all: as it was."""


class PackageChoices(NamedTuple):
    """How a package is to be read; `Choices` says what each means."""

    school: str | None
    every_class: bool
    leaves_out: bool
    valid_today: bool
    grades: Mapping[str, int]


class BrakedError(AppError):
    """Very much would be gone or changed: somebody must say yes to it."""

    def __init__(self) -> None:
        super().__init__(Code.CONFLICT, _("Say that this is meant, or choose another file."))


def hand_in(session: Session, doing: Handling, name: str, body: bytes) -> int:
    """The id of a new import. Raises AppError(INVALID) for nothing and for too much."""
    asker = doing.asker
    return staging.stage(session, asker.school_id, asker.name, name, body, doing.now, doing.seal)


def compare(session: Session, doing: Handling, import_id: int) -> int:
    """Ask for the comparison with the school as it is now; the job's id.

    Raises AppError: NOT_FOUND, or CONFLICT for somebody with many jobs under way.
    """
    row = _find(session, doing, import_id)
    said = hashlib.sha256(row.choices_sealed or b"").hexdigest()[:12]
    return _ask(session, doing, row, CHECK, {"import": import_id, "said": said})


def compare_anew(session: Session, doing: Handling, import_id: int) -> int:
    """Forget the difference that was shown, and compare: the school may have changed."""
    change_choices(session, doing, import_id, lambda choices: choices)
    return compare(session, doing, import_id)


def open_otherwise(session: Session, doing: Handling, import_id: int, how: HowToOpen) -> None:
    """Open the sheet like this; what was said and mended of it as it was read before is gone.

    Raises AppError: NOT_FOUND, or CONFLICT for a file that is not kept any more.
    """
    change_choices(
        session,
        doing,
        import_id,
        lambda before: Choices(
            encoding=how.encoding or before.encoding,
            sheet=how.sheet or before.sheet,
            profile=how.profile,
            stages=how.stages or before.stages,
        ),
    )


def name_columns(
    session: Session,
    doing: Handling,
    import_id: int,
    keys: Sequence[str],
    stages: tuple[int, ...] = (),
) -> int:
    """Say what each column means, remember it for the next sheet of the kind, and compare.

    Returns the job's id. Raises AppError: NOT_FOUND; INVALID for another number of columns than
    the sheet has; CONFLICT for a file that is not kept any more.
    """
    row = _find_waiting(session, doing, import_id)
    school_id, targets = row.school_id, read_targets(keys)
    table = look_at(session, school_id, staging.open_file(row, doing.seal)).table
    if table is None or len(table.header) != len(targets):
        raise AppError(Code.INVALID, _("The file has another number of columns. Look once more."))
    before = staging.open_choices(row, doing.seal)
    said = replace(before, targets=targets, stages=stages or before.stages)
    staging.keep_choices(row, said, doing.seal)
    keep_mapping(session, school_id, table.header, targets, doing.now)
    return compare(session, doing, import_id)


def choose_package(session: Session, doing: Handling, import_id: int, said: PackageChoices) -> int:
    """Say how a package is to be read, and compare; the job's id.

    Raises AppError: NOT_FOUND, or CONFLICT for a file that is not kept any more.
    """
    change_choices(
        session,
        doing,
        import_id,
        lambda choices: replace(
            choices,
            school=said.school,
            every_class=said.every_class,
            leaves_out=said.leaves_out,
            valid_today=said.valid_today,
            grades=dict(said.grades),
        ),
    )
    return compare(session, doing, import_id)


def mend(
    session: Session,
    doing: Handling,
    import_id: int,
    cells: Sequence[Cell],
    without: Iterable[int],
) -> int:
    """Write cells anew, leave lines out, and compare; the job's id.

    Raises AppError: NOT_FOUND, or CONFLICT for a file that is not kept any more.
    """

    def change(choices: Choices) -> Choices:
        places = {(one.line, one.column): one for one in (*choices.cells, *cells)}
        left_out = tuple(sorted({*choices.without, *without}))
        return replace(choices, cells=tuple(places.values()), without=left_out)

    change_choices(session, doing, import_id, change)
    return compare(session, doing, import_id)


def change_choices(
    session: Session, doing: Handling, import_id: int, change: Callable[[Choices], Choices]
) -> None:
    """Say something else of the file; the difference is to be made anew.

    Raises AppError: NOT_FOUND, or CONFLICT for a file that is not kept any more.
    """
    row = _find_waiting(session, doing, import_id)
    staging.keep_choices(row, change(staging.open_choices(row, doing.seal)), doing.seal)


def start(
    session: Session, doing: Handling, import_id: int, seen: str, *, has_said_yes: bool
) -> int:
    """Ask for the import of the very difference that was `seen` (its digest); the job's id.

    Raises AppError: NOT_FOUND; CONFLICT while there is none or another one, for errors in the
    roster, and as BrakedError when nobody has said yes to very much being gone or changed.
    """
    row = _find(session, doing, import_id)
    view = staging.open_view(row, doing.seal)
    _refuse(row, view, seen)
    if view is not None and view.brakes and not has_said_yes:
        raise BrakedError
    return _ask(session, doing, row, IMPORT, {"import": import_id, "yes": int(has_said_yes)})


def _refuse(row: RosterImport, view: View | None, seen: str) -> None:
    if row.state is not RosterState.WAITING or view is None or row.digest is None:
        raise AppError(Code.CONFLICT, _("Compare the file with the school first."))
    if seen != row.digest.hex():
        raise AppError(
            Code.CONFLICT, _("Somebody has compared it anew since you looked. Look once more.")
        )
    if view.has_errors:
        raise AppError(Code.CONFLICT, _("Mend the errors first; nothing was imported."))


def give_up(session: Session, doing: Handling, import_id: int) -> None:
    """Keep the file no longer; what is done stays. Raises AppError(NOT_FOUND)."""
    row = _find(session, doing, import_id)
    if row.state is RosterState.WAITING:
        staging.discard(row, doing.now)
        subject = f"roster:{import_id}"
        note(session, row.school_id, doing.asker.actor, "roster.discarded", subject)


def _find(session: Session, doing: Handling, import_id: int) -> RosterImport:
    return staging.find_import(session, doing.asker.school_id, import_id, lock=True)


def _find_waiting(session: Session, doing: Handling, import_id: int) -> RosterImport:
    row = _find(session, doing, import_id)
    if row.state is not RosterState.WAITING:
        raise AppError(Code.CONFLICT, "This file is not kept any more. Choose it again.")
    return row


def _ask(
    session: Session,
    doing: Handling,
    row: RosterImport,
    kind: str,
    parameters: Mapping[str, int | str],
) -> int:
    row.job_id = ask_once(session, doing.asker, kind, parameters, doing.now)
    return row.job_id

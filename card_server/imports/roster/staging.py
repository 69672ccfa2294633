"""Files between the page's steps: kept sealed, for a day at most, and gone once they are done."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.imports.roster.choices import Choices, StagedFile, read_choices, write_choices
from card_server.imports.roster.plan import Counts
from card_server.imports.roster.reading import recognise
from card_server.imports.roster.view import View
from card_server.storage.sealing import Seal
from schema.tables.roster import RosterImport, RosterSource, RosterState

KEPT: Final = timedelta(days=1)
MOST_BYTES: Final = 30 * 1024 * 1024
_MOST_NAME: Final = 200
_MOST_WAITING: Final = 20
"""Files that one school may have waiting; the oldest go."""


def stage(
    session: Session,
    school_id: int,
    by: str,
    name: str,
    body: bytes,
    now: datetime,
    seal: Seal,
    source: RosterSource | None = None,
) -> int:
    """The id of a new import. Raises AppError(INVALID) for nothing and for too much."""
    if not body:
        raise AppError(Code.INVALID, "The file is empty. Choose another one.")
    if len(body) > MOST_BYTES:
        raise AppError(Code.INVALID, "The file has more than 30 MB. Choose a smaller one.")
    row = RosterImport(
        school_id=school_id,
        state=RosterState.WAITING,
        source=source or recognise(body),
        file_name=name[-_MOST_NAME:],
        file_hash=hashlib.sha256(body).hexdigest(),
        file_bytes=len(body),
        body_sealed=seal.close_bytes(body),
        choices_sealed=seal.close_bytes(write_choices(Choices())),
        made_by_name=by,
        made_at=now,
        expires_at=now + KEPT,
    )
    session.add(row)
    session.flush()
    forget_expired(session, now)
    _forget_too_many(session, school_id)
    return row.id


def find_import(
    session: Session, school_id: int, import_id: int, *, lock: bool = False
) -> RosterImport:
    """One import of a school. Raises AppError(NOT_FOUND)."""
    wanted = select(RosterImport).where(
        RosterImport.school_id == school_id, RosterImport.id == import_id
    )
    row = session.scalar(wanted.with_for_update() if lock else wanted)
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such import.")
    return row


def list_imports(session: Session, school_id: int, limit: int) -> list[RosterImport]:
    """A school's imports, the newest first."""
    wanted = (
        select(RosterImport)
        .where(RosterImport.school_id == school_id)
        .order_by(RosterImport.id.desc())
        .limit(limit)
    )
    return list(session.scalars(wanted))


def open_file(row: RosterImport, seal: Seal) -> StagedFile:
    """The file and what was said of it. Raises AppError(NOT_FOUND) when it is not kept any more."""
    if row.state is not RosterState.WAITING or row.body_sealed is None:
        raise AppError(Code.NOT_FOUND, "This file is not kept any more. Choose it again.")
    return StagedFile(
        row.source, row.file_name, seal.open_bytes(row.body_sealed), open_choices(row, seal)
    )


def open_choices(row: RosterImport, seal: Seal) -> Choices:
    """What was said of the file so far."""
    return read_choices(seal.open_bytes(row.choices_sealed)) if row.choices_sealed else Choices()


def keep_choices(row: RosterImport, choices: Choices, seal: Seal) -> None:
    """What is said of the file now; the difference is to be made anew."""
    row.choices_sealed = seal.close_bytes(write_choices(choices))
    row.view_sealed, row.digest, row.counts = None, None, "{}"


def keep_view(row: RosterImport, view: View, digest: bytes, seal: Seal) -> None:
    """The difference as it was made, for its pages."""
    row.view_sealed = seal.close_bytes(msgspec.json.encode(view))
    row.digest = digest
    row.counts = json.dumps(msgspec.structs.asdict(view.counts))


def open_view(row: RosterImport, seal: Seal) -> View | None:
    """The difference as it was last made; None while it is not."""
    if row.view_sealed is None:
        return None
    return msgspec.json.decode(seal.open_bytes(row.view_sealed), type=View)


def read_counts(row: RosterImport) -> Counts:
    """What came of an import that is done, or what would."""
    found: Mapping[str, int] = json.loads(row.counts)
    return Counts(**found)


def finish(row: RosterImport, counts: Counts, now: datetime) -> None:
    """It is done: what remains is that it was, and how much it was."""
    row.state, row.finished_at = RosterState.DONE, now
    row.counts = json.dumps(msgspec.structs.asdict(counts))
    row.body_sealed = row.choices_sealed = row.view_sealed = row.digest = None


def discard(row: RosterImport, now: datetime) -> None:
    """Somebody does not want it."""
    row.state, row.finished_at = RosterState.DISCARDED, now
    row.body_sealed = row.choices_sealed = row.view_sealed = row.digest = None


def forget_expired(session: Session, now: datetime) -> None:
    """Files that nobody imported within a day go."""
    _forget(session, RosterImport.expires_at < now, now)


def _forget_too_many(session: Session, school_id: int) -> None:
    own = (RosterImport.school_id == school_id) & (RosterImport.state == RosterState.WAITING)
    newest = select(RosterImport.id).where(own).order_by(RosterImport.id.desc())
    oldest = session.scalar(newest.offset(_MOST_WAITING).limit(1))
    if oldest is not None:
        made_at = session.scalar(select(RosterImport.made_at).where(RosterImport.id == oldest))
        _forget(session, own & (RosterImport.id <= oldest), made_at)


def _forget(session: Session, which: object, now: datetime | None) -> None:
    session.execute(
        update(RosterImport)
        .where(RosterImport.state == RosterState.WAITING, which)  # type: ignore[arg-type]
        .values(
            state=RosterState.DISCARDED,
            finished_at=now,
            body_sealed=None,
            choices_sealed=None,
            view_sealed=None,
            digest=None,
        ),
        execution_options={"synchronize_session": False},
    )

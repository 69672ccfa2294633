"""Students' photos out of a zip: pictures named by student number."""

import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.imports.roster.apply import Importing
from card_server.people.photos import MOST_BYTES, Photo, read_photo
from schema.tables.people import Student, StudentPhoto

MOST_UPLOAD: Final = 50 * 1024 * 1024
"""Of a zip that a browser sends: some thousand small pictures."""
MOST_PICTURES: Final = 10_000
_MOST_LISTED: Final = 200
ACTION: Final = "roster.photos_imported"
_OF_WINDOWS: Final = frozenset({"THUMBS.DB", "DESKTOP.INI"})


class PhotoReport(NamedTuple):
    """What became of a zip."""

    kept: int
    """New, or in the place of another picture."""
    unchanged: int
    unknown: tuple[str, ...]
    """Files whose names are no student number of the school."""
    refused: tuple[str, ...]
    """Files that are no picture, or too large."""


def import_photos(session: Session, doing: Importing, file: IO[bytes]) -> PhotoReport:
    """Keep the pictures of the students whom their names say. The others are listed, not kept.

    Raises AppError(INVALID) for what is no zip, and for one that unpacks to too much.
    """
    ids = _find_students(session, doing.school_id)
    kept = unchanged = 0
    unknown: list[str] = []
    refused: list[str] = []
    for name, picture in _read_pictures(file):
        student_id = ids.get(PurePosixPath(name).stem)
        if student_id is None:
            unknown.append(PurePosixPath(name).name)
            continue
        try:
            photo = read_photo(picture)
        except FieldsError:
            refused.append(PurePosixPath(name).name)
            continue
        if _keep(session, doing, student_id, photo):
            kept += 1
        else:
            unchanged += 1
    if kept:
        details = {"kept": kept, "unknown": len(unknown), "refused": len(refused)}
        subject = f"school:{doing.school_id}"
        note(session, doing.school_id, doing.actor, ACTION, subject, details=details)
    return PhotoReport(
        kept, unchanged, tuple(unknown[:_MOST_LISTED]), tuple(refused[:_MOST_LISTED])
    )


def _find_students(session: Session, school_id: int) -> dict[str, int]:
    found = session.execute(
        select(Student.number, Student.id).where(Student.school_id == school_id)
    )
    return {row.number: row.id for row in found}


def _read_pictures(zipped: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Each file's name and its bytes, one byte more than a picture may have at most.

    The sizes that an archive states may lie: nothing is read beyond what a picture may have.
    """
    try:
        archive = zipfile.ZipFile(zipped)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise AppError(Code.INVALID, _("This is no zip of pictures.")) from error
    with archive:
        members = [one for one in archive.infolist() if not _is_litter(one)]
        if len(members) > MOST_PICTURES:
            raise AppError(Code.INVALID, _("The zip has more than 10,000 files."))
        for member in members:
            try:
                with archive.open(member) as file:
                    yield member.filename, file.read(MOST_BYTES + 1)
            except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as e:
                raise AppError(Code.INVALID, _("The zip is damaged or locked.")) from e


def _is_litter(member: zipfile.ZipInfo) -> bool:
    """Folders, and what macOS and Windows leave behind."""
    path = PurePosixPath(member.filename)
    is_hidden = "__MACOSX" in path.parts or path.name.startswith(".")
    return member.is_dir() or is_hidden or path.name.upper() in _OF_WINDOWS


def _keep(session: Session, doing: Importing, student_id: int, photo: Photo) -> bool:
    """Whether it is another picture than before."""
    row = session.get(StudentPhoto, student_id)
    if row is not None and doing.seal.open_bytes(row.body_sealed) == photo.body:
        session.expunge(row)
        return False
    if row is None:
        row = StudentPhoto(student_id=student_id, school_id=doing.school_id)
        session.add(row)
    row.media_type, row.changed_at = photo.media_type, doing.now
    row.body_sealed = doing.seal.close_bytes(photo.body)
    # One picture at a time in memory, and not a whole school's.
    session.flush()
    session.expunge(row)
    return True

"""A student's photo (照片): known by its first bytes, kept sealed, one a student."""

from datetime import datetime
from io import BytesIO
from typing import Final, NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.people.stays import lock_student
from card_server.people.students import find_student
from card_server.storage.sealing import Seal
from schema.tables.people import StudentPhoto

MOST_BYTES: Final = 2 * 1024 * 1024
_MOST_PIXELS: Final = 40_000_000
"""A few kilobytes may claim to be any number of pixels."""
_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class Photo(NamedTuple):
    """A picture and the only type by which it may be served."""

    media_type: str
    body: bytes


def read_photo(body: bytes) -> Photo:
    """The picture in an upload, without what a phone wrote beside it: where it was taken, and when.

    Raises FieldsError for what is none of the three kinds, too large, or damaged.
    """
    if not body:
        raise _wrong(_("Choose a file."))
    if len(body) > MOST_BYTES:
        raise _wrong(_("The picture may have 2 MB at most."))
    if not body.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")):
        raise _wrong(_NO_PICTURE)
    try:
        with Image.open(BytesIO(body), formats=list(_TYPES)) as opened:
            kind = opened.format or ""
            if opened.width * opened.height > _MOST_PIXELS:
                raise _wrong(_("The picture has too many pixels."))
            upright = ImageOps.exif_transpose(opened)
            clean = upright.convert("RGBA" if _has_alpha(upright) else "RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise _wrong(_NO_PICTURE) from error
    out = BytesIO()
    clean.save(out, kind, quality=90)
    return Photo(_TYPES[kind], out.getvalue())


_NO_PICTURE = _("This is no PNG, JPEG or WebP picture.")


def _wrong(text: str) -> FieldsError:
    return FieldsError({"photo": text})


def _has_alpha(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def find_photo(session: Session, school_id: int, student_id: int, seal: Seal) -> Photo:
    """The student's picture, opened. Raises AppError(NOT_FOUND)."""
    find_student(session, school_id, student_id)
    row = session.get(StudentPhoto, student_id)
    if row is None:
        raise AppError(Code.NOT_FOUND, "This student has no photo.")
    return Photo(row.media_type, seal.open_bytes(row.body_sealed))


def keep_photo(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    photo: Photo,
    seal: Seal,
    now: datetime,
) -> None:
    """Put this picture in the place of the one before. Raises AppError(NOT_FOUND)."""
    lock_student(session, school_id, student_id)
    row = session.get(StudentPhoto, student_id)
    if row is None:
        row = StudentPhoto(student_id=student_id, school_id=school_id)
        session.add(row)
    row.media_type, row.body_sealed = photo.media_type, seal.close_bytes(photo.body)
    row.changed_at = now
    session.flush()
    details = {"bytes": len(photo.body), "kind": photo.media_type}
    subject = f"student:{student_id}"
    note(session, school_id, actor, "student.photo_changed", subject, details=details)


def remove_photo(session: Session, actor: Actor, school_id: int, student_id: int) -> None:
    """Keep no picture of the student. Raises AppError(NOT_FOUND)."""
    lock_student(session, school_id, student_id)
    row = session.get(StudentPhoto, student_id)
    if row is None:
        return
    session.delete(row)
    session.flush()
    note(session, school_id, actor, "student.photo_removed", f"student:{student_id}")

"""A school's logo (校徽): a small picture, known by its first bytes and kept as it came."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from schema.tables.school import SchoolLogo

MAX_BYTES = 200 * 1024


class Logo(NamedTuple):
    """A picture and the only type by which it may be served."""

    media_type: str
    body: bytes


def read_logo(body: bytes) -> Logo:
    """The picture in an upload. Raises FieldsError.

    SVG is a program and is refused. The others cannot run: they are served with the type that
    their first bytes show, and browsers are told not to guess another.
    """
    wrong = Problems()
    if not body:
        wrong.add("logo", _("Choose a file."))
    elif len(body) > MAX_BYTES:
        wrong.add("logo", _("The picture may have 200 KB at most."))
    elif _media_type(body) is None:
        wrong.add("logo", _("This is no PNG, JPEG or WebP picture."))
    wrong.refuse()
    return Logo(_media_type(body) or "", body)


def _media_type(body: bytes) -> str | None:
    """PNG §5.2, JPEG's start of image and first marker, RIFF's WEBP."""
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    return None


def find_logo(session: Session, school_id: int) -> Logo | None:
    """The school's logo, if it has one."""
    row = session.get(SchoolLogo, school_id)
    return Logo(row.media_type, row.body) if row else None


def keep_logo(session: Session, actor: Actor, school_id: int, logo: Logo, now: datetime) -> None:
    """Put this picture in the place of the one before."""
    row = session.get(SchoolLogo, school_id, with_for_update=True)
    before = _named(Logo(row.media_type, row.body)) if row else None
    if row is None:
        row = SchoolLogo(school_id=school_id)
        session.add(row)
    row.media_type, row.body, row.changed_at = logo.media_type, logo.body, now
    session.flush()
    details = {"logo": [before, _named(logo)]}
    note(session, school_id, actor, "school.logo_changed", f"school:{school_id}", details=details)


def remove_logo(session: Session, actor: Actor, school_id: int) -> None:
    """Leave the school without a logo of its own."""
    row = session.get(SchoolLogo, school_id, with_for_update=True)
    if row is None:
        return
    before = _named(Logo(row.media_type, row.body))
    details = {"logo": [before, None]}
    session.delete(row)
    session.flush()
    note(session, school_id, actor, "school.logo_removed", f"school:{school_id}", details=details)


def _named(logo: Logo) -> str:
    """Enough to tell one picture from another."""
    digest = hashlib.sha256(logo.body).hexdigest()[:12]
    return f"{logo.media_type}, {len(logo.body)} bytes, sha256 {digest}"

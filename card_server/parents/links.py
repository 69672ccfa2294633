"""Links to a guardian's page, as they stand in a message: signed, expiring, of one guardian.

A link is 24 characters: its id and an HMAC (RFC 2104, cut to 112 bits as NIST SP 800-107 §5.1
allows) over id, nonce and guardian by the web's secret. It names nobody. Alone it opens nothing
but the question for a code.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.parents.children import is_at_school
from card_server.parents.sessions import end_sessions
from card_server.staff.sessions import SchoolInUse, describe_school
from schema.tables.parents import ParentLink
from schema.tables.people import Guardian, Guardianship, Language, Student
from schema.tables.school import School

LASTS: Final = timedelta(days=90)
_ID_BYTES: Final = 4
_MAC_BYTES: Final = 14
_LARGEST_ID: Final = 2**31 - 1
"""Of an `integer` in the database: it must not be asked for another."""
TOKEN_LENGTH: Final = (_ID_BYTES + _MAC_BYTES) * 4 // 3
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Doorstep:
    """Whose page a link leads to; of the number the last digits."""

    link_id: int
    guardian_id: int
    school: SchoolInUse
    phone_tail: str
    language: Language


def make_link(
    session: Session, school_id: int, guardian_id: int, now: datetime, secret: str, address: str
) -> str:
    """A new link to a guardian's page, whole, for a message. Raises as make_links."""
    return make_links(session, school_id, [guardian_id], now, secret, address)[guardian_id]


def make_links(
    session: Session,
    school_id: int,
    guardian_ids: Collection[int],
    now: datetime,
    secret: str,
    address: str,
) -> dict[int, str]:
    """New links to the pages of several guardians, by guardian.

    Raises AppError(UNAVAILABLE) where the server does not know its own address.
    """
    if not address:
        raise AppError(
            Code.UNAVAILABLE,
            "The server does not know by which address parents reach it. Set web_address in its "
            "settings and start it again.",
        )
    links = [
        ParentLink(
            school_id=school_id,
            guardian_id=guardian_id,
            nonce=secrets.token_bytes(16),
            made_at=now,
            expires_at=now + LASTS,
        )
        for guardian_id in guardian_ids
    ]
    session.add_all(links)
    session.flush()
    root = address.rstrip("/")
    return {one.guardian_id: f"{root}/p/{_write_token(one, secret)}" for one in links}


def find_doorstep(session: Session, token: str, secret: str, now: datetime) -> Doorstep | None:
    """Where a link leads; None, after the same work, for one that is wrong, expired or ended."""
    link_id, mac = _read_token(token)
    has_child = (
        exists()
        .where(Guardianship.guardian_id == Guardian.id, Guardianship.student_id == Student.id)
        .where(Student.school_id == Guardian.school_id, is_at_school())
    )
    row = session.execute(
        select(ParentLink, Guardian, School, has_child)
        .join(Guardian, Guardian.id == ParentLink.guardian_id)
        .join(School, School.id == ParentLink.school_id)
        .where(ParentLink.id == link_id)
    ).one_or_none()
    expected = _sign(row[0], secret) if row else _sign(_NO_LINK, secret)
    if not hmac.compare_digest(expected, mac) or row is None:
        return None
    link, guardian, school, is_guardian = row
    is_over = link.ended_at is not None or link.expires_at <= now
    if is_over or not is_guardian or not is_of_number(guardian, link.made_at):
        return None
    return Doorstep(
        link.id, guardian.id, describe_school(school), guardian.phone_tail, guardian.language
    )


def is_of_number(guardian: Guardian, made_at: datetime) -> bool:
    """Whether something was made for the number that the guardian has now."""
    has_number = bool(guardian.phone_tail)
    return has_number and (guardian.phone_since is None or guardian.phone_since <= made_at)


def end_links(
    session: Session, actor: Actor, school_id: int, guardian_id: int, now: datetime
) -> int:
    """End all of a guardian's links and sign the guardian out everywhere; how many links that were.

    The caller has checked that the guardian may be changed.
    """
    ended = session.execute(
        update(ParentLink)
        .where(
            ParentLink.school_id == school_id,
            ParentLink.guardian_id == guardian_id,
            ParentLink.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(ParentLink.id)
    ).all()
    phones = end_sessions(session, school_id, guardian_id, now)
    details = {"links": len(ended), "phones": phones}
    note(
        session, school_id, actor, "parent.links_ended", f"guardian:{guardian_id}", details=details
    )
    return len(ended)


def _write_token(link: ParentLink, secret: str) -> str:
    whole = link.id.to_bytes(_ID_BYTES) + _sign(link, secret)
    return base64.urlsafe_b64encode(whole).decode()


def _read_token(token: str) -> tuple[int, bytes]:
    """The link's id and its signature; the id 0, which no link has, for what is no token."""
    is_token = len(token) == TOKEN_LENGTH and _TOKEN.fullmatch(token)
    whole = base64.urlsafe_b64decode(token) if is_token else bytes(_ID_BYTES + _MAC_BYTES)
    link_id = int.from_bytes(whole[:_ID_BYTES])
    return (link_id if link_id <= _LARGEST_ID else 0), whole[_ID_BYTES:]


def _sign(link: ParentLink, secret: str) -> bytes:
    told = b"parent-link" + link.id.to_bytes(8) + link.guardian_id.to_bytes(8) + link.nonce
    return hmac.digest(secret.encode(), told, hashlib.sha256)[:_MAC_BYTES]


_NO_LINK: Final = ParentLink(id=0, guardian_id=0, nonce=bytes(16))

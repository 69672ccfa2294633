"""Phones on which a guardian is signed in: sessions on the server, of which a phone holds a token.

A session ends by itself with what it stands on: the guardian's number, that a code or the school
showed it to be the guardian's, and at least one child at the school.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor
from card_server.parents.children import Child, children_of
from card_server.staff.sessions import SchoolInUse, Visitor, describe_school, hash_token
from schema.tables.parents import ParentSession
from schema.tables.people import Guardian, Language
from schema.tables.school import School

LASTS: Final = timedelta(days=30)
"""After its last use."""
_NOTE_USE_AFTER: Final = timedelta(hours=1)
"""How stale `seen_at` may be: writing it with each request would cost a commit each."""


@dataclass(frozen=True)
class Parent:
    """Who looks at the parents' page, and at which children they may look."""

    session_id: int
    guardian_id: int
    name: str
    phone_tail: str
    phone_hash: bytes
    language: Language
    verified_at: datetime
    school: SchoolInUse
    children: tuple[Child, ...]
    seen_at: datetime

    def child(self, student_id: int) -> Child | None:
        """This child of theirs; None for anybody else's."""
        return next((one for one in self.children if one.id == student_id), None)


def actor_of(guardian_id: int, name: str, address: str) -> Actor:
    """A guardian as the audit log names them."""
    return Actor("guardian", guardian_id, name, address)


def open_parent_session(
    session: Session, school_id: int, guardian_id: int, visitor: Visitor, now: datetime
) -> str:
    """The token of a new session: 32 random bytes, of which the database keeps the SHA-256."""
    token = secrets.token_hex(32)
    session.execute(delete(ParentSession).where(ParentSession.expires_at < now - LASTS))
    session.add(
        ParentSession(
            school_id=school_id,
            guardian_id=guardian_id,
            token_hash=hash_token(token),
            browser=" · ".join(filter(None, (visitor.browser, visitor.system)))[:120],
            made_at=now,
            seen_at=now,
            expires_at=now + LASTS,
        )
    )
    session.flush()
    return token


def find_parent(session: Session, token: str, now: datetime) -> Parent | None:
    """Whose token this is; None when its session has ended. Two queries."""
    row = session.execute(
        select(ParentSession, Guardian, School)
        .join(Guardian, Guardian.id == ParentSession.guardian_id)
        .join(School, School.id == ParentSession.school_id)
        .where(
            ParentSession.token_hash == hash_token(token),
            ParentSession.ended_at.is_(None),
            ParentSession.expires_at > now,
        )
    ).one_or_none()
    if row is None:
        return None
    opened, guardian, school = row
    is_other_number = guardian.phone_since is not None and guardian.phone_since > opened.made_at
    if guardian.verified_at is None or is_other_number:
        return None
    children = children_of(session, school.id, guardian.id)
    if not children:
        return None
    return Parent(
        opened.id,
        guardian.id,
        guardian.name,
        guardian.phone_tail,
        guardian.phone_hash,
        guardian.language,
        guardian.verified_at,
        describe_school(school),
        children,
        opened.seen_at,
    )


def is_parent_use_worth_noting(parent: Parent, now: datetime) -> bool:
    """Whether the session's `seen_at` is old enough to be written again."""
    return now - parent.seen_at > _NOTE_USE_AFTER


def note_parent_use(session: Session, parent: Parent, now: datetime) -> None:
    """Keep a session that is being used from ending."""
    session.execute(
        update(ParentSession)
        .where(ParentSession.id == parent.session_id)
        .values(seen_at=now, expires_at=now + LASTS)
    )


def end_session(session: Session, parent: Parent, now: datetime) -> None:
    """Sign out on this phone."""
    session.execute(
        update(ParentSession).where(ParentSession.id == parent.session_id).values(ended_at=now)
    )


def end_sessions(session: Session, school_id: int, guardian_id: int, now: datetime) -> int:
    """Sign a guardian out on all phones; how many that were."""
    ended = session.execute(
        update(ParentSession)
        .where(
            ParentSession.school_id == school_id,
            ParentSession.guardian_id == guardian_id,
            ParentSession.ended_at.is_(None),
            ParentSession.expires_at > now,
        )
        .values(ended_at=now)
        .returning(ParentSession.id)
    )
    return len(ended.all())


def list_phones(session: Session, parent: Parent, now: datetime) -> list[ParentSession]:
    """Where the guardian is signed in, the latest used first."""
    found = session.scalars(
        select(ParentSession)
        .where(
            ParentSession.school_id == parent.school.id,
            ParentSession.guardian_id == parent.guardian_id,
            ParentSession.ended_at.is_(None),
            ParentSession.expires_at > now,
        )
        .order_by(ParentSession.seen_at.desc())
    )
    return list(found)

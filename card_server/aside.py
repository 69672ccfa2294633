"""What came from readers and could not be kept as a tap, for staff to look at."""

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from schema.messages import MAX_BYTES, Rejection
from schema.tables.readers import Aside

_MOST_ROWS = 10_000
"""Rows kept in all, so that a hostile device cannot fill the disk."""


def set_aside(
    session: Session,
    *,
    school_id: int | None,
    topic: str,
    body: bytes,
    reason: Rejection,
    received_at: datetime,
) -> None:
    """Keep a message once; the same again only counts up."""
    digest = hashlib.sha256(topic.encode() + b"\0" + body).digest()
    known = session.scalar(select(Aside).where(Aside.digest == digest))
    if known:
        known.times += 1
        known.received_at = received_at
        return
    oldest = session.scalars(select(Aside).order_by(Aside.id.desc()).offset(_MOST_ROWS - 1)).first()
    if oldest:
        session.delete(oldest)
    session.add(
        Aside(
            school_id=school_id,
            topic=topic.replace("\0", "")[:200],
            reason=reason,
            body=body[:MAX_BYTES],
            digest=digest,
            received_at=received_at,
        )
    )
    session.flush()

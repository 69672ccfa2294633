"""What came from readers and could not be kept as a tap, for staff to look at."""

import hashlib
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
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
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    statement = (postgresql.insert if is_postgresql else sqlite.insert)(Aside).values(
        school_id=school_id,
        topic=topic.replace("\0", "")[:200],
        reason=reason,
        body=body[:MAX_BYTES],
        digest=hashlib.sha256(topic.encode() + b"\0" + body).digest(),
        times=1,
        received_at=received_at,
    )
    # One statement, as two processes may meet the same rubbish at once.
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Aside.digest],
            set_={"times": Aside.times + 1, "received_at": received_at},
        )
    )
    newest_of_too_many = (
        select(Aside.id).order_by(Aside.id.desc()).offset(_MOST_ROWS).limit(1).scalar_subquery()
    )
    session.execute(
        delete(Aside)
        .where(Aside.id <= newest_of_too_many)
        .execution_options(synchronize_session=False)
    )

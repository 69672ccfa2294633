"""What is known of a number: that it asked us to stop, or that it can never get a message.

Both are kept by the number's keyed hash, so that they hold for whoever else has the number, and
not for the number that a guardian has next.
"""

from datetime import datetime

from sqlalchemy import Connection, update
from sqlalchemy.dialects import postgresql, sqlite

from schema.tables.messages import PhoneStanding, StopBy


def stop_number(
    connection: Connection, school_id: int, phone_hash: bytes, by: StopBy, now: datetime
) -> bool:
    """Nothing goes to the number any more, what waits included; False when it was so already."""
    return _mark(connection, school_id, phone_hash, "stopped_at", now, stopped_by=by)


def flag_number(
    connection: Connection, school_id: int, phone_hash: bytes, sentence: str, now: datetime
) -> bool:
    """A carrier said that the number can never get a message; False when that was known."""
    return _mark(connection, school_id, phone_hash, "bad_at", now, bad_because=sentence[:300])


def clear_number(connection: Connection, school_id: int, phone_hash: bytes) -> None:
    """Messages may go to the number again."""
    connection.execute(
        update(PhoneStanding)
        .where(PhoneStanding.school_id == school_id, PhoneStanding.phone_hash == phone_hash)
        .values(stopped_at=None, stopped_by=None, bad_at=None, bad_because="", seen_by="")
    )


def _mark(
    connection: Connection,
    school_id: int,
    phone_hash: bytes,
    since: str,
    now: datetime,
    **said: object,
) -> bool:
    """Whether it was not marked before; what was said first stays."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    key = {"school_id": school_id, "phone_hash": phone_hash}
    column = getattr(PhoneStanding, since)
    marked = connection.execute(
        dialect.insert(PhoneStanding)
        .values(key | said | {since: now})
        .on_conflict_do_update(
            index_elements=list(key),
            set_=said | {since: now, "seen_by": ""},
            where=column.is_(None),
        )
        .returning(PhoneStanding.school_id)
    )
    return marked.first() is not None

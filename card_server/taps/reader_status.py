"""What a reader says of itself, kept for the health page."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.taps.directory import ReaderFacts
from schema.messages import ReaderState, Status
from schema.tables.readers import Reader, ReaderHealth


def record_status(
    session: Session, reader: ReaderFacts, status: Status, received_at: datetime, held_s: float
) -> None:
    """Keep the newest word of a reader; its last will changes nothing but its state."""
    health = session.get(ReaderHealth, reader.id)
    if health is None:
        # Its first two words may come to two processes at once: one of them waits here.
        session.execute(select(Reader.id).where(Reader.id == reader.id).with_for_update())
        health = session.get(ReaderHealth, reader.id)
    if health is None:
        health = ReaderHealth(reader_id=reader.id, school_id=reader.school.id)
        session.add(health)
    elif status.state is ReaderState.OFFLINE:
        if status.boot >= health.boot:
            health.state = ReaderState.OFFLINE
        return
    health.state = status.state
    health.source = status.source
    health.seen_at = received_at
    health.boot = status.boot
    health.drained_to = status.drained_to
    health.cards_version = status.cards_version
    health.cards_at = status.cards_at
    health.spooled = status.spooled
    health.aside = status.aside
    health.disk_free_mb = status.disk_free_mb
    skew = received_at - status.sent_at - timedelta(seconds=held_s)
    health.clock_skew_s = skew.total_seconds()
    health.failures = "\n".join(status.failures).replace("\0", "")
    health.software = status.software.replace("\0", "")

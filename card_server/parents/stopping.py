"""A guardian's own switch: stop all messages to the number, and start them again."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.messages.standing import stop_number
from card_server.parents.sessions import Parent
from schema.tables.messages import PhoneStanding, StopBy


def stopped_at(session: Session, who: Parent) -> datetime | None:
    """Since when nothing goes to the guardian's number, whoever stopped it."""
    standing = session.get(PhoneStanding, (who.school.id, who.phone_hash))
    return standing.stopped_at if standing else None


def stop(session: Session, actor: Actor, who: Parent, now: datetime) -> None:
    """Nothing goes to the number any more, what waits included."""
    if stop_number(session.connection(), who.school.id, who.phone_hash, StopBy.PAGE, now):
        note(session, who.school.id, actor, "guardian.stopped", f"guardian:{who.guardian_id}")


def start(session: Session, actor: Actor, who: Parent) -> None:
    """Messages may go to the number again; a number that a carrier called wrong stays so."""
    started = session.execute(
        update(PhoneStanding)
        .where(
            PhoneStanding.school_id == who.school.id,
            PhoneStanding.phone_hash == who.phone_hash,
            PhoneStanding.stopped_at.is_not(None),
        )
        .values(stopped_at=None, stopped_by=None)
        .returning(PhoneStanding.school_id)
    )
    if started.first() is not None:
        note(session, who.school.id, actor, "guardian.started", f"guardian:{who.guardian_id}")

"""The switch that stops every message of a school, or of the whole district, at once.

Messages are queued as before; a stopped school's wait, and are judged anew when it goes on.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.messages.rules import lock_rules, subject_of
from schema.messages import utc_now
from schema.tables.messages import MessageRules
from schema.tables.school import School


class SchoolSwitch(NamedTuple):
    """Whether a school's messages are stopped."""

    school_id: int
    school: str
    stopped_at: datetime | None
    stopped_by: str
    is_by_district: bool


def stop_sending(session: Session, actor: Actor, school_id: int, reason: str) -> bool:
    """Send nothing of this school any more; whether anything changed.

    Raises FieldsError without a reason.
    """
    said = _read_reason(reason)
    row = lock_rules(session, school_id)
    if row.stopped_at is not None and row.stopped_at != row.district_stopped_at:
        return False
    row.stopped_at, row.stopped_by = utc_now(), actor.name[:120]
    session.add(row)
    session.flush()
    note(session, school_id, actor, "sending.stopped", subject_of(school_id), reason=said)
    return True


def resume_sending(session: Session, actor: Actor, school_id: int, reason: str) -> bool:
    """Send again; whether anything changed.

    Raises FieldsError without a reason, AppError(CONFLICT) while the district has stopped it.
    """
    said = _read_reason(reason)
    row = lock_rules(session, school_id)
    if row.district_stopped_at is not None:
        raise AppError(
            Code.CONFLICT,
            "The district has stopped all messages. Nothing is sent until it lets them go on.",
        )
    if row.stopped_at is None:
        return False
    row.stopped_at, row.stopped_by = None, ""
    session.flush()
    note(session, school_id, actor, "sending.resumed", subject_of(school_id), reason=said)
    return True


def stop_everywhere(session: Session, actor: Actor, reason: str) -> int:
    """Send nothing of any school any more; of how many schools that changed anything."""
    said, now, changed = _read_reason(reason), utc_now(), 0
    for school_id in _all_schools(session):
        row = lock_rules(session, school_id)
        if row.district_stopped_at is not None:
            continue
        row.district_stopped_at = now
        if row.stopped_at is None:
            row.stopped_at, row.stopped_by = now, actor.name[:120]
        session.add(row)
        changed += 1
        subject = subject_of(school_id)
        note(session, school_id, actor, "sending.district_stopped", subject, reason=said)
    session.flush()
    return changed


def resume_everywhere(session: Session, actor: Actor, reason: str) -> int:
    """Take the district's stop back; a school that has stopped for itself stays so."""
    said, changed = _read_reason(reason), 0
    for school_id in _all_schools(session):
        row = lock_rules(session, school_id)
        if row.district_stopped_at is None:
            continue
        if row.stopped_at == row.district_stopped_at:
            row.stopped_at, row.stopped_by = None, ""
        row.district_stopped_at = None
        changed += 1
        subject = subject_of(school_id)
        note(session, school_id, actor, "sending.district_resumed", subject, reason=said)
    session.flush()
    return changed


def list_switches(session: Session) -> list[SchoolSwitch]:
    """All schools by name."""
    rows = session.execute(
        select(School.id, School.name, MessageRules)
        .outerjoin(MessageRules, MessageRules.school_id == School.id)
        .order_by(School.name, School.id)
    )
    return [
        SchoolSwitch(
            school_id,
            name,
            rules.stopped_at if rules else None,
            rules.stopped_by if rules else "",
            is_by_district=bool(rules and rules.district_stopped_at),
        )
        for school_id, name, rules in rows
    ]


def _all_schools(session: Session) -> list[int]:
    """In one order, so that two who switch at once do not wait for each other in a circle."""
    return list(session.scalars(select(School.id).order_by(School.id)))


def _read_reason(typed: str) -> str:
    wrong = Problems()
    reason = wrong.text("reason", typed, 200)
    wrong.refuse()
    return reason

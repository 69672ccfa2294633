"""The leave that is in force at a moment."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from schema.tables.attendance import Presence
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState


def read_leaves_now(session: Session, school_id: int, now: datetime) -> dict[int, LeaveKind]:
    """By student the kind of the leave that is in force, of all who have one; one query."""
    found = session.execute(
        select(LeaveSlip.student_id, LeaveSlip.kind)
        .where(LeaveSlip.school_id == school_id, *_is_in_force(now))
        .order_by(LeaveSlip.id.desc())
    )
    return {row.student_id: row.kind for row in found}


def leaves_now(now: datetime) -> Select[LeaveKind]:
    """The leave in force of the query's row of presence, to ask for or to count."""
    return select(LeaveSlip.kind).where(
        LeaveSlip.school_id == Presence.school_id,
        LeaveSlip.student_id == Presence.student_id,
        *_is_in_force(now),
    )


def leave_now(now: datetime) -> Any:
    """The same as a column: its kind, or nothing."""
    return leaves_now(now).order_by(LeaveSlip.id).limit(1).correlate(Presence).scalar_subquery()


def _is_in_force(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        LeaveSlip.state == LeaveState.APPROVED,
        LeaveSlip.from_at <= now,
        LeaveSlip.until_at > now,
    )

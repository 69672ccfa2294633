"""Approved leave as the judging of days wants it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.facts import Leave
from card_server.storage.among import is_among
from schema.tables.leave import LeaveSlip, LeaveState


def leaves_of(
    session: Session,
    school_id: int,
    student_ids: Collection[int],
    from_at: datetime,
    until_at: datetime,
) -> dict[int, list[Leave]]:
    """Each student's approved leave that touches a time, `until_at` not in it; in one query.

    Who has none is not in it.
    """
    found = session.execute(
        select(LeaveSlip.student_id, LeaveSlip.from_at, LeaveSlip.until_at, LeaveSlip.kind)
        .where(
            LeaveSlip.school_id == school_id,
            is_among(session, LeaveSlip.student_id, student_ids),
            LeaveSlip.state == LeaveState.APPROVED,
            LeaveSlip.from_at < until_at,
            LeaveSlip.until_at > from_at,
        )
        .order_by(LeaveSlip.from_at, LeaveSlip.id)
    )
    leaves: dict[int, list[Leave]] = {}
    for student_id, begin, end, kind in found:
        leaves.setdefault(student_id, []).append(Leave(begin, end, kind))
    return leaves

"""A student's leave slips, on the timeline: each stands where its leave begins."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.timeline.protocol import Asking, Moment, Source
from card_server.words.leave import leave_time
from schema.tables.leave import LeaveSlip


def _read(asking: Asking) -> list[Moment]:
    wanted = select(LeaveSlip).where(
        LeaveSlip.school_id == asking.school_id, LeaveSlip.student_id == asking.student_id
    )
    found = asking.session.scalars(asking.newest(wanted, LeaveSlip.from_at, LeaveSlip.id.desc()))
    return [
        Moment(
            one.from_at,
            str(one.id),
            leave_time(one.from_at, one.until_at, asking.zone),
            (one.kind, one.state),
            by=one.ended_by or one.decided_by or one.first_by or one.asked_by,
            reason=one.decision_reason,
        )
        for one in found
    ]


LEAVE = Source("leave", lazy_gettext("Leave"), _read)

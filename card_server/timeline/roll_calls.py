"""Evenings on which a boarder was called, on the timeline."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.attendance.roll_call import Called
from card_server.timeline.protocol import Asking, Moment, Source
from schema.tables.roll_call import RollCall


def _read(asking: Asking) -> list[Moment]:
    wanted = select(RollCall).where(
        RollCall.school_id == asking.school_id,
        RollCall.student_id == asking.student_id,
    )
    found = asking.session.scalars(asking.newest(wanted, RollCall.made_at))
    return [
        Moment(
            one.made_at,
            one.day.isoformat(),
            one.day.isoformat(),
            (Called.HERE if one.is_here else Called.MISSING,),
            is_alarm=not one.is_here,
            by=one.made_by,
        )
        for one in found
    ]


ROLL_CALLS = Source("roll-calls", lazy_gettext("Dorm roll call"), _read)

"""Notes beside a student's days, on the timeline: when they were written, of which day."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.timeline.protocol import Asking, Moment, Source
from schema.tables.attendance import DayNote


def _read(asking: Asking) -> list[Moment]:
    wanted = select(DayNote).where(
        DayNote.school_id == asking.school_id,
        DayNote.student_id == asking.student_id,
        DayNote.ended_at.is_(None),
    )
    found = asking.session.scalars(asking.newest(wanted, DayNote.made_at, DayNote.id.desc()))
    return [
        Moment(one.made_at, str(one.id), f"{one.day}", by=one.made_by, reason=one.body)
        for one in found
    ]


DAY_NOTES = Source("day-notes", lazy_gettext("Note on a day"), _read)

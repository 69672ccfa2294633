"""Staff's corrections of a student's days, on the timeline: when they were made, of which day."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.timeline.protocol import Asking, Moment, Source
from schema.tables.attendance import Correction


def _read(asking: Asking) -> list[Moment]:
    wanted = select(Correction).where(
        Correction.school_id == asking.school_id, Correction.student_id == asking.student_id
    )
    found = asking.session.scalars(asking.newest(wanted, Correction.made_at, Correction.id.desc()))
    return [_moment(one) for one in found]


def _moment(one: Correction) -> Moment:
    words = (one.status, one.leave_kind) if one.leave_kind else (one.status,)
    text = one.day.isoformat() + (f" #{one.position}" if one.position else "")
    return Moment(one.made_at, str(one.id), text, words, by=one.made_by, reason=one.reason)


CORRECTIONS = Source("corrections", lazy_gettext("Correction"), _read)

"""When a student passed the gate without a card, on the timeline; not what was taken back."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.timeline.protocol import Asking, Moment, Source
from schema.tables.attendance import HandPassage


def _read(asking: Asking) -> list[Moment]:
    wanted = select(HandPassage).where(
        HandPassage.school_id == asking.school_id,
        HandPassage.student_id == asking.student_id,
        HandPassage.ended_at.is_(None),
    )
    found = asking.session.scalars(asking.newest(wanted, HandPassage.at, HandPassage.id.desc()))
    return [
        Moment(one.at, str(one.id), "", (one.direction,), by=one.made_by, reason=one.reason)
        for one in found
    ]


PASSAGES = Source("passages", lazy_gettext("Without a card"), _read)

"""A student's homerooms on the timeline: when each began."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.school_time import day_of
from card_server.timeline.protocol import Asking, Moment, Source
from schema.tables.people import HomeroomStay
from schema.tables.school import Homeroom


def _read(asking: Asking) -> list[Moment]:
    """Homerooms by their table: a teacher reads where the own students were before."""
    room = Homeroom.__table__
    wanted = (
        select(HomeroomStay.from_on, HomeroomStay.homeroom_id, room.c.name)
        .join(room, room.c.id == HomeroomStay.homeroom_id)
        .where(
            HomeroomStay.school_id == asking.school_id,
            HomeroomStay.student_id == asking.student_id,
        )
    )
    if asking.before is not None:
        wanted = wanted.where(HomeroomStay.from_on <= day_of(asking.before, asking.zone))
    found = asking.session.execute(
        wanted.order_by(HomeroomStay.from_on.desc()).limit(asking.limit + 1)
    )
    moments = [
        Moment(asking.begin_of(day), str(id_), name, is_day=True) for day, id_, name in found
    ]
    return [one for one in moments if not asking.before or one.at < asking.before]


HOMEROOMS = Source("homerooms", lazy_gettext("Into the homeroom"), _read)

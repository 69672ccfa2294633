"""Taps on a student's timeline."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.timeline.protocol import Asking, Moment, Source
from schema.tables.readers import Reader
from schema.tables.taps import Tap


def _read(asking: Asking) -> list[Moment]:
    wanted = (
        select(Tap.occurred_at, Tap.id, Reader.name, Tap.effect, Tap.reason)
        .join(Reader, Reader.id == Tap.reader_id)
        .where(Tap.school_id == asking.school_id, Tap.student_id == asking.student_id)
    )
    found = asking.session.execute(asking.newest(wanted, Tap.occurred_at, Tap.id.desc()))
    return [
        Moment(at, str(id_), reader, (reason or effect,), is_alarm=reason is not None)
        for at, id_, reader, effect, reason in found
    ]


TAPS = Source("taps", lazy_gettext("Tap"), _read)

"""Notes on a student, on the timeline."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.timeline.protocol import Asking, Moment, Source
from schema.tables.people import StudentNote


def _read(asking: Asking) -> list[Moment]:
    wanted = select(StudentNote).where(
        StudentNote.school_id == asking.school_id, StudentNote.student_id == asking.student_id
    )
    found = asking.session.scalars(
        asking.newest(wanted, StudentNote.written_at, StudentNote.id.desc())
    )
    return [Moment(one.written_at, str(one.id), one.body, by=one.written_by) for one in found]


NOTES = Source("notes", lazy_gettext("Note"), _read)

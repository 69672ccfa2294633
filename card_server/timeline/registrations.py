"""A student's registrations for terms, on the timeline."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.timeline.protocol import Asking, Moment, Source
from schema.tables.registration import Registration
from schema.tables.school import Term


def _read(asking: Asking) -> list[Moment]:
    wanted = (
        select(Registration, Term.name)
        .outerjoin(Term, Term.id == Registration.term_id)
        .where(
            Registration.school_id == asking.school_id,
            Registration.student_id == asking.student_id,
        )
    )
    found = asking.session.execute(asking.newest(wanted, Registration.at, Registration.term_id))
    return [
        Moment(one.at, str(one.term_id), term or "", by=one.by, reason=one.reason)
        for one, term in found
    ]


REGISTRATIONS = Source("registrations", lazy_gettext("Registered for"), _read)

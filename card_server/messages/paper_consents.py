"""Consents on paper of a whole homeroom, noted at once; who withdrew one is asked alone."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor
from card_server.messages.wishes import give_consent
from schema.tables.people import Guardian, Guardianship, Student, StudentStatus


class Unconsented(NamedTuple):
    """A guardian who has not consented to be told of a student."""

    guardian_id: int
    guardian: str
    student_id: int
    student: str
    has_withdrawn: bool
    """Consented once, and does no more."""


def list_unconsented(session: Session, school_id: int, homeroom_id: int) -> list[Unconsented]:
    """Those of a homeroom without a consent, in the order of students; as far as one may see."""
    found = session.execute(
        select(
            Guardian.id,
            Guardian.name,
            Student.id,
            Student.name,
            Guardianship.consent_wording_id.is_not(None),
        )
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .join(Student, Student.id == Guardianship.student_id)
        .where(
            Guardian.school_id == school_id,
            Student.school_id == school_id,
            Student.homeroom_id == homeroom_id,
            Student.status == StudentStatus.ENROLLED,
            Guardianship.consented_at.is_(None),
        )
        .order_by(Student.number, Guardianship.priority, Guardian.id)
    )
    return [Unconsented(*row[:4], bool(row[4])) for row in found]


def note_consents(
    session: Session,
    actor: Actor,
    school_id: int,
    homeroom_id: int,
    wording_id: int,
    guardian_ids: Collection[int] | None = None,
) -> int:
    """Note the consents of these guardians, or of all but those who withdrew; how many guardians.

    Raises AppError(NOT_FOUND) for a wording that there is not.
    """
    wanted = {
        one.guardian_id
        for one in list_unconsented(session, school_id, homeroom_id)
        if (not one.has_withdrawn if guardian_ids is None else one.guardian_id in guardian_ids)
    }
    for guardian_id in sorted(wanted):
        give_consent(session, actor, school_id, guardian_id, wording_id, actor.name)
    return len(wanted)

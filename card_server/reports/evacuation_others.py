"""Students of a homeroom who stand on no list of an evacuation: ticked where they are found."""

from typing import Any, Final

from sqlalchemy import and_, not_, select
from sqlalchemy.orm import Session

from card_server.reports.evacuation import Person
from card_server.reports.on_campus import OF_THE_SCHOOL
from schema.tables.attendance import Presence
from schema.tables.evacuation import Evacuation, EvacuationStudent
from schema.tables.people import Student
from schema.tables.school import Homeroom

_ROW: Final = EvacuationStudent.__table__.c
_PRESENCE: Final = Presence.__table__.c


def list_others(session: Session, evacuation: Evacuation, homeroom_id: int) -> list[Person]:
    """Those within the caller's reach, by number; none once it has ended. One query."""
    if evacuation.ended_at is not None:
        return []
    found = session.execute(
        select(Student.id, Student.name, Student.number, Homeroom.name, Homeroom.grade)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(
            Student.school_id == evacuation.school_id,
            Student.homeroom_id == homeroom_id,
            Student.status.in_(OF_THE_SCHOOL),
            Student.erased_at.is_(None),
            Student.id.not_in(_listed(evacuation)),
            Student.id.not_in(_inside(evacuation)),
        )
        .order_by(Student.number, Student.id)
    )
    return [
        Person(
            student_id,
            name,
            number,
            homeroom_id,
            homeroom,
            grade,
            gate="",
            since_at=evacuation.started_at,
            is_unsure=False,
            is_later=False,
            left_at=None,
            is_found=False,
            marked_at=None,
            marked_by="",
            received_at=None,
            is_marked=False,
            is_added=True,
        )
        for student_id, name, number, homeroom, grade in found
    ]


def _listed(evacuation: Evacuation) -> Any:
    """Not whose tick was taken back: nothing is said of them."""
    return select(_ROW.student_id).where(
        _ROW.evacuation_id == evacuation.id, not_(and_(_ROW.is_added, not_(_ROW.is_found)))
    )


def _inside(evacuation: Evacuation) -> Any:
    """They stand among those who came later."""
    return select(_PRESENCE.student_id).where(
        _PRESENCE.school_id == evacuation.school_id, _PRESENCE.is_inside.is_(True)
    )

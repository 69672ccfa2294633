"""Each change of the register raises its school's `register_version`, whoever makes it.

The directory of the ingest processes compares that number before each batch.
"""

from typing import Any

from sqlalchemy import event, inspect, update
from sqlalchemy.orm import Session, UOWTransaction

from schema.tables.cards import Card, CardBinding
from schema.tables.messages import MessageText
from schema.tables.people import Boarding, Guardian, Guardianship, Student
from schema.tables.readers import Reader
from schema.tables.school import Homeroom, School, Term

_WATCHED = (
    Boarding,
    Card,
    CardBinding,
    Guardian,
    Homeroom,
    MessageText,
    Reader,
    Student,
    Term,
)
_RULES = ("signature", "zone", "double_tap_s", "late_after", "stale_minutes")


def touch_register(session: Session, school_ids: set[int]) -> None:
    """Make every directory forget what it knows of these schools."""
    session.execute(
        update(School)
        .where(School.id.in_(school_ids))
        .values(register_version=School.register_version + 1)
        .execution_options(synchronize_session=False)
    )


@event.listens_for(Session, "after_flush")
def _touch_changed(session: Session, _context: UOWTransaction) -> None:
    changed: set[Any] = {*session.new, *session.deleted}
    changed |= {one for one in session.dirty if session.is_modified(one)}
    schools = {one.school_id for one in changed if isinstance(one, _WATCHED)}
    schools |= {one.id for one in changed if isinstance(one, School) and _rules_changed(one)}
    for link in (one for one in changed if isinstance(one, Guardianship)):
        student = session.get(Student, link.student_id)
        if student:
            schools.add(student.school_id)
    if schools:
        touch_register(session, schools)


def _rules_changed(school: School) -> bool:
    attributes = inspect(school).attrs
    return any(attributes[name].history.has_changes() for name in _RULES)

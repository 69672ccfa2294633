"""All that is kept on a student, given to who says why (查阅与复制), and a note of it."""

from typing import NamedTuple

from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.people.students import find_student
from card_server.personal.package import Cover, write_package
from card_server.personal.sections import Asking
from card_server.staff.sessions import SchoolInUse
from card_server.storage.sealing import Seal
from schema.messages import utc_now


class Taking(NamedTuple):
    """Who takes it, and why."""

    actor: Actor
    name: str
    """As the package's own index says it."""
    reason: str


class Package(NamedTuple):
    """The zip, under the name that it is to have."""

    name: str
    body: bytes


def give_out(
    session: Session, school: SchoolInUse, student_id: int, taking: Taking, seal: Seal
) -> Package:
    """The zip of everything. Raises AppError(NOT_FOUND)."""
    now = utc_now()
    student = find_student(session, school.id, student_id)
    cover = Cover(school.name, student.number, student.name, now, taking.name, school.zone)
    body = write_package(Asking(session, school.id, student_id, seal), cover)
    subject = f"student:{student_id}"
    note(session, school.id, taking.actor, "student.exported", subject, reason=taking.reason)
    return Package(f"student-{student_id}-{now.astimezone(school.zone).date()}.zip", body)

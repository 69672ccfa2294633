"""A student's identity and registry numbers (证件号码, 学籍号), opened for who may see them."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from card_server.people.students import find_student
from card_server.storage.sealing import Seal


@dataclass(frozen=True)
class Numbers:
    """The numbers as they were given; None where there is none."""

    identity: str | None
    registry: str | None


def open_numbers(
    session: Session, school_id: int, student_id: int, seal: Seal
) -> tuple[str, Numbers]:
    """The student's name and numbers; the caller notes the look. Raises AppError(NOT_FOUND)."""
    student = find_student(session, school_id, student_id)
    identity, registry = student.identity_sealed, student.registry_sealed
    return student.name, Numbers(
        seal.open(identity) if identity else None, seal.open(registry) if registry else None
    )

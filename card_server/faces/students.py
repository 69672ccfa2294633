"""Whose cards are printed, and what a font cannot set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.faces.design import find_design
from card_server.faces.drawing import Face, Issuer
from card_server.faces.fonts import missing_letters, printable_letters
from card_server.register.logos import find_logo
from card_server.storage.sealing import Seal
from schema.tables.people import Student, StudentPhoto, StudentStatus
from schema.tables.school import Homeroom

_BATCH = 100
MOST_LISTED = 50


@dataclass(frozen=True)
class Unprintable:
    """A student whose name has characters that no font of the server has."""

    id: int
    name: str
    number: str
    homeroom: str
    letters: str

    @property
    def codes(self) -> str:
        """As fonts name them: U+2CB4E."""
        return " ".join(f"U+{ord(letter):04X}" for letter in self.letters)


def find_issuer(session: Session, school_id: int, school: str) -> Issuer:
    """What stands on each card of the school."""
    logo = find_logo(session, school_id)
    return Issuer(school, logo.body if logo else None, find_design(session, school_id))


def read_face(session: Session, school_id: int, student_id: int, seal: Seal) -> Face:
    """One student's card. Raises AppError(NOT_FOUND)."""
    found = _select(school_id).where(Student.id == student_id)
    row = session.execute(found).one_or_none()
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
    return Face(*row[:4], _open_photos(session, [student_id], seal).get(student_id))


def count_faces(session: Session, school_id: int, homeroom_ids: Sequence[int]) -> int:
    """How many cards these homerooms have; all homerooms when none is named."""
    wanted = _select_rooms(school_id, homeroom_ids).with_only_columns(
        func.count(), maintain_column_froms=True
    )
    return session.scalar(wanted.order_by(None)) or 0


def read_faces(
    session: Session, school_id: int, homeroom_ids: Sequence[int], seal: Seal
) -> Iterator[Face]:
    """The cards of these homerooms, or of all, in the order in which they are handed out."""
    rows = session.execute(_select_rooms(school_id, homeroom_ids)).all()
    for begin in range(0, len(rows), _BATCH):
        batch = rows[begin : begin + _BATCH]
        photos = _open_photos(session, [row[0] for row in batch], seal)
        for row in batch:
            yield Face(*row[:4], photos.get(row[0]))


def find_unprintable(session: Session, school_id: int) -> list[Unprintable]:
    """The students of whose names something would be missing, MOST_LISTED at most."""
    found: list[Unprintable] = []
    there = printable_letters()
    if not missing_letters(_all_names(session, school_id), there):
        return found
    for id_, name, number, homeroom in session.execute(_select_rooms(school_id, ())):
        letters = missing_letters(name, there)
        if letters:
            found.append(Unprintable(id_, name, number, homeroom, letters))
        if len(found) == MOST_LISTED:
            break
    return found


def _all_names(session: Session, school_id: int) -> str:
    """Everybody's name in one piece: hardly ever is a letter in it that no font has."""
    names = func.aggregate_strings(Student.name, "")
    wanted = _select_rooms(school_id, ()).with_only_columns(names, maintain_column_froms=True)
    return session.scalar(wanted.order_by(None)) or ""


def count_without_photo(session: Session, school_id: int) -> int:
    """How many who are enrolled have no photo yet."""
    without = _select_rooms(school_id, ()).outerjoin(
        StudentPhoto, StudentPhoto.student_id == Student.id
    )
    wanted = without.where(StudentPhoto.student_id.is_(None)).with_only_columns(
        func.count(), maintain_column_froms=True
    )
    return session.scalar(wanted.order_by(None)) or 0


def _select(school_id: int) -> Select[int, str, str, str]:
    return (
        select(Student.id, Student.name, Student.number, Homeroom.name)
        .select_from(Student)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.school_id == school_id)
    )


def _select_rooms(school_id: int, homeroom_ids: Sequence[int]) -> Select[int, str, str, str]:
    wanted = _select(school_id).where(Student.status == StudentStatus.ENROLLED)
    if homeroom_ids:
        wanted = wanted.where(Student.homeroom_id.in_(homeroom_ids))
    return wanted.order_by(Homeroom.grade, Homeroom.id, Student.number)


def _open_photos(session: Session, ids: Sequence[int], seal: Seal) -> dict[int, bytes]:
    found = session.execute(
        select(StudentPhoto.student_id, StudentPhoto.body_sealed).where(
            StudentPhoto.student_id.in_(ids)
        )
    )
    return {student_id: seal.open_bytes(body) for student_id, body in found}

"""Finding a student by name, pinyin (full or initials) or student number."""

import unicodedata
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from schema.tables.people import Student
from schema.tables.school import Homeroom

MAX_FOUND = 30


@dataclass(frozen=True)
class Found:
    """One student that matches."""

    id: int
    name: str
    number: str
    homeroom: str


def search_students(session: Session, school_id: int, words: str) -> list[Found]:
    """At most MAX_FOUND students; none for an empty search."""
    words = " ".join(words.split())
    if not words:
        return []
    found = session.execute(
        select(Student.id, Student.name, Student.number, Homeroom.name)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.school_id == school_id, matches(words))
        .order_by(Homeroom.grade, Homeroom.id, Student.number)
        .limit(MAX_FOUND)
    )
    return [Found(*row) for row in found]


def matches(words: str) -> ColumnElement[bool]:
    """The condition that a student answers to these words.

    Digits and letters count in either width: an input method makes them full-width (２０２６).
    """
    narrow = to_narrow(words)
    lower = narrow.lower()
    return or_(
        Student.name.contains(words, autoescape=True),
        Student.name.contains(narrow, autoescape=True),
        Student.number.startswith(narrow, autoescape=True),
        Student.pinyin.contains(lower, autoescape=True),
        Student.pinyin.contains(lower.replace(" ", ""), autoescape=True),
    )


def to_narrow(words: str) -> str:
    """The words with letters, digits and brackets of the ordinary width."""
    return unicodedata.normalize("NFKC", words)

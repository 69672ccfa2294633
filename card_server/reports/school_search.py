"""Everything of a school that answers to some words: students, homerooms, readers."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.people.student_search import Found, search_students, to_narrow
from card_server.register.homerooms import of_today
from schema.tables.readers import Reader
from schema.tables.school import Homeroom

MOST_OF_A_KIND = 8


@dataclass(frozen=True)
class FoundRoom:
    """A homeroom that matches."""

    id: int
    name: str


@dataclass(frozen=True)
class FoundReader:
    """A reader that matches."""

    code: str
    name: str
    place: str


@dataclass(frozen=True)
class Answers:
    """The first few of each kind."""

    students: list[Found]
    homerooms: list[FoundRoom]
    readers: list[FoundReader]


def search_school(session: Session, school_id: int, words: str) -> Answers:
    """What the caller's session can see of it, in three queries; nothing for no words."""
    words = " ".join(words.split())
    if not words:
        return Answers([], [], [])
    narrow = to_narrow(words)
    rooms = session.execute(
        select(Homeroom.id, Homeroom.name)
        .where(
            of_today(school_id),
            Homeroom.name.contains(words, autoescape=True)
            | Homeroom.name.contains(narrow, autoescape=True),
        )
        .order_by(Homeroom.grade, Homeroom.id)
        .limit(MOST_OF_A_KIND)
    )
    readers = session.execute(
        select(Reader.code, Reader.name, Reader.place)
        .where(
            Reader.school_id == school_id,
            Reader.name.contains(words, autoescape=True)
            | Reader.place.contains(words, autoescape=True)
            | Reader.code.contains(narrow.lower(), autoescape=True),
        )
        .order_by(Reader.id)
        .limit(MOST_OF_A_KIND)
    )
    return Answers(
        search_students(session, school_id, words)[:MOST_OF_A_KIND],
        [FoundRoom(*row) for row in rooms],
        [FoundReader(*row) for row in readers],
    )

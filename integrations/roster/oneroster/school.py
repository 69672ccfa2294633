"""A school to be written as OneRoster: plain values, which the caller takes from wherever it keeps
them.
"""

import uuid
from datetime import date

from msgspec import Struct

from integrations.roster.protocol import Sex, Status


class Guardian(Struct, frozen=True):
    """A guardian, once, whoever the children are."""

    sourced_id: str
    name: str
    phones: tuple[str, ...] = ()
    """E.164; the first is the one for messages. Two fit into the tables."""


class Tie(Struct, frozen=True):
    """What a guardian is to a student."""

    guardian: str
    """`sourced_id` of the guardian."""
    relation: str
    """In the school's words: 父亲, 母亲, …"""


class Student(Struct, frozen=True):
    """A student in a homeroom."""

    sourced_id: str
    number: str
    name: str
    homeroom: str
    """`sourced_id` of the homeroom."""
    sex: Sex | None = None
    born_on: date | None = None
    status: Status | None = None
    is_boarding: bool | None = None
    guardians: tuple[Tie, ...] = ()


class Homeroom(Struct, frozen=True):
    """A homeroom of the school year."""

    sourced_id: str
    name: str
    grade: int
    """1 to 12."""
    campus: str | None = None


class Term(Struct, frozen=True):
    """A term of the school year; both days are of it."""

    sourced_id: str
    title: str
    begins_on: date
    ends_on: date


class SchoolYear(Struct, frozen=True):
    """The school year; both days are of it."""

    sourced_id: str
    title: str
    begins_on: date
    ends_on: date
    terms: tuple[Term, ...] = ()


class School(Struct, frozen=True):
    """All that goes out."""

    sourced_id: str
    name: str
    identifier: str
    """The school's public code (学校标识码), or its code here."""
    year: SchoolYear
    homerooms: tuple[Homeroom, ...]
    students: tuple[Student, ...]
    guardians: tuple[Guardian, ...]


_OURS = uuid.UUID("6f2b8f0e-55e3-4c0a-9f0e-0d6a1c7b2e11")


def stable_id(school: str, kind: str, key: str) -> str:
    """A `sourcedId` for what has none from its source: the same for the same thing, always."""
    return str(uuid.uuid5(_OURS, "\n".join((school, kind, key))))

"""One student's entry, and the student number in it."""

from collections.abc import Collection
from typing import Final

from integrations.roster.oneroster.findings import Kind
from integrations.roster.oneroster.gathering import Gathered
from integrations.roster.oneroster.records import User
from integrations.roster.protocol import GuardianEntry, StudentEntry

LONGEST_NUMBER: Final = 32


class Numbers:
    """Gives each student the student number (学号): `identifier`, and only where nobody has one,
    the `sourcedId`.
    """

    def __init__(self, gathered: Gathered, students: Collection[User]) -> None:
        self._findings = gathered.findings
        self._has_identifiers = any(student.identifier for student in students)
        self._first: dict[str, User] = {}

    def __call__(self, student: User) -> str:
        """The number; a finding if there is none, or it is wrong or somebody's already."""
        number = student.identifier
        if not number and self._has_identifiers:
            self._findings.add(Kind.NUMBER_MISSING, student.file, student.line, "identifier")
            return ""
        if not number:
            number = student.id
            self._findings.once(
                Kind.NUMBER_FROM_SOURCED_ID, student.file, student.line, "identifier"
            )
        field = "identifier" if student.identifier else "sourcedId"
        if len(number) > LONGEST_NUMBER:
            self._findings.add(
                Kind.NUMBER_TOO_LONG,
                student.file,
                student.line,
                field,
                number,
                str(LONGEST_NUMBER),
            )
        first = self._first.setdefault(number, student)
        if first is not student:
            self._findings.add(
                Kind.NUMBER_TWICE, student.file, student.line, field, number, str(first.line)
            )
        return number


def student_entry(
    gathered: Gathered,
    student: User,
    number: str,
    homeroom: str,
    guardians: tuple[GuardianEntry, ...] | None,
) -> StudentEntry:
    """All that the source says of the student."""
    demographic = gathered.demographics.get(student.id)
    return StudentEntry(
        file=student.file,
        line=student.line,
        number=number,
        name=student.name,
        homeroom=homeroom,
        sex=demographic.sex if demographic else None,
        born_on=demographic.born_on if demographic else None,
        status=student.status,
        is_boarding=student.is_boarding,
        guardians=guardians,
        sourced_id=student.id,
    )

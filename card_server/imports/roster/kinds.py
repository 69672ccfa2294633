"""What can be wrong between a roster and the school: each kind of finding by name."""

from enum import StrEnum
from typing import Final

from integrations.roster.protocol import Finding, Severity, StudentEntry


class Kind(StrEnum):
    """A finding that the file alone does not show; whoever shows it has the sentence."""

    NUMBER_OF_ANOTHER = "school.number_of_another"
    IDENTITY_OF_ANOTHER = "school.identity_of_another"
    STUDENT_TWICE = "school.student_twice"
    PERSON_UNCLEAR = "school.person_unclear"
    YEAR_OTHER = "school.year_other"
    HOMEROOM_UNKNOWN = "school.homeroom_unknown"
    HOMEROOM_TAKEN = "school.homeroom_taken"
    NOBODY = "school.nobody"
    NUMBER_CHANGED = "school.number_changed"
    IDENTITY_CHANGED = "school.identity_changed"
    AWAY = "school.away"
    NEW_BUT_AWAY = "school.new_but_away"
    CARDS_LEFT = "school.cards_left"


_WARNINGS: Final = frozenset(
    {
        Kind.NUMBER_CHANGED,
        Kind.IDENTITY_CHANGED,
        Kind.AWAY,
        Kind.NEW_BUT_AWAY,
        Kind.CARDS_LEFT,
    }
)
"""What does not stop an import."""


def about(
    entry: StudentEntry, kind: Kind, field: str, value: str = "", expected: str = ""
) -> Finding:
    """A finding about a student's row."""
    return make(kind, entry.file, entry.line, field, value, expected)


def make(
    kind: Kind, file: str, line: int | None, field: str = "", value: str = "", expected: str = ""
) -> Finding:
    """A finding; its kind says whether it stops the import."""
    severity = Severity.WARNING if kind in _WARNINGS else Severity.ERROR
    return Finding(kind.value, severity, file, line, field, value, expected)

"""What every source of a roster yields: people as they were written, and what was wrong with them.

A source reads its files and judges each value by itself; what it means for the school (who is new,
changed or gone) is for whoever imports it.
"""

from datetime import date
from enum import StrEnum

from msgspec import Struct


class Sex(StrEnum):
    """As the register gives it (GB/T 2261.1)."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """Whether a student is one of the school's."""

    ENROLLED = "enrolled"
    SUSPENDED = "suspended"
    TRANSFERRED = "transferred"
    GRADUATED = "graduated"


class Severity(StrEnum):
    """Whether a finding stops the import."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Struct, frozen=True):
    """One thing that is wrong or doubtful, where a person finds it."""

    kind: str
    """Which rule, as a dotted word ("identity.checksum"): whoever shows it has the sentence."""
    severity: Severity
    file: str
    line: int | None
    """As a spreadsheet counts: the header is 1. None: the file as a whole."""
    field: str
    """The column as the file calls it; empty: the row as a whole."""
    value: str = ""
    """What stood there, masked where it is a personal number."""
    expected: str = ""
    """What would have been right, where that can be said in a word."""


class GuardianEntry(Struct, frozen=True):
    """A guardian of a student, as the source has it."""

    name: str
    relation: str
    """In the school's words: 父亲, 母亲, 祖父, …, 其他."""
    phones: tuple[str, ...]
    """E.164; the first is the one for messages."""
    sourced_id: str | None = None


class HomeroomEntry(Struct, frozen=True):
    """A homeroom, as the source has it."""

    name: str
    grade: int
    """1 to 12."""
    campus: str | None = None
    sourced_id: str | None = None


class StudentEntry(Struct, frozen=True):
    """A student, as the source has it. None: the source does not say; what is there stays."""

    file: str
    line: int
    number: str
    name: str
    homeroom: str
    """Name of one of the roster's homerooms."""
    sex: Sex | None = None
    born_on: date | None = None
    status: Status | None = None
    is_boarding: bool | None = None
    identity: str | None = None
    """Identity number in canonical form, checked."""
    registry: str | None = None
    """学籍号."""
    guardians: tuple[GuardianEntry, ...] | None = None
    card_number: str | None = None
    """As written, where the source has one; in which notation is for staff to say."""
    sourced_id: str | None = None


class Roster(Struct, frozen=True):
    """All that a source has to say."""

    source: str
    """What kind of source: "sheet", "cmis", "oneroster-1.1", …"""
    homerooms: tuple[HomeroomEntry, ...]
    students: tuple[StudentEntry, ...]
    findings: tuple[Finding, ...]
    school_year: int | None = None
    """The year in which it begins, where the source says it."""
    is_whole: bool = True
    """Whether whoever is not named is gone; False for a delta."""
    removed: tuple[str, ...] = ()
    """Student numbers that a delta takes away."""

    @property
    def has_errors(self) -> bool:
        """Whether anything stops the import."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

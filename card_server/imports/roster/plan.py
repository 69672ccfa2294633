"""What an import would do, decided before anything is written: shown to a person, then applied."""

from collections.abc import Callable
from datetime import date

from msgspec import Struct

from integrations.roster.protocol import Finding, Severity
from schema.tables.people import Sex, StudentStatus

Hash = Callable[[str], bytes]
"""A number's keyed hash, which is how the school finds it."""


class Change(Struct, frozen=True):
    """One thing that becomes another, as people see it: of personal numbers the last digits."""

    field: str
    before: str
    after: str


class HomeroomPlan(Struct, frozen=True):
    """A homeroom that the roster names."""

    key: str
    """The roster's name for it."""
    id: int | None
    """None: it is new."""
    name: str
    grade: int
    campus: str | None
    sourced_id: str | None
    changes: tuple[Change, ...] = ()
    is_linked: bool = False
    """Whether the source's own id is news."""

    @property
    def is_written(self) -> bool:
        """Whether anything of it is."""
        return self.id is None or bool(self.changes) or self.is_linked


class StudentPlan(Struct, frozen=True, kw_only=True):
    """A student whom the roster names, and what of it is written. None: nothing is."""

    id: int | None
    """None: the student is new."""
    file: str
    line: int
    number: str
    name: str
    homeroom: str
    """The roster's name of the homeroom."""
    sex: Sex | None = None
    born_on: date | None = None
    identity: str | None = None
    registry: str | None = None
    sourced_id: str | None = None
    status: StudentStatus | None = None
    is_boarding: bool | None = None
    is_moved: bool = False
    was_away: bool = False
    """Whether the student had left for good, and had no homeroom any more."""
    is_back: bool = False
    changes: tuple[Change, ...] = ()
    """What a person sees; empty for a new student."""
    is_linked_only: bool = False
    """Whether nothing changes but the source's own id."""


class GuardianPlan(Struct, frozen=True, kw_only=True):
    """A guardian whom the roster names, once for all children."""

    key: str
    id: int | None
    name: str
    phone: str | None = None
    """The number for messages: for a new guardian it may be None, else None leaves it."""
    further: tuple[str, ...] = ()
    """Numbers to add."""
    sourced_id: str | None = None
    is_changed: bool = False


class TiePlan(Struct, frozen=True, kw_only=True):
    """That a guardian becomes a student's, or is called something else."""

    number: str
    """The student's number in the roster."""
    guardian: str
    """The guardian's key."""
    guardian_id: int | None
    """None: the guardian is new."""
    relation: str
    is_told: bool
    priority: int
    is_new: bool


class Unlinking(Struct, frozen=True):
    """That a guardian whom the source once named is not named any more."""

    student_id: int
    guardian_id: int


class GoneStudent(Struct, frozen=True):
    """A student whom a whole roster does not name any more."""

    id: int
    number: str
    name: str
    homeroom: str


class Plan(Struct, frozen=True, kw_only=True):
    """Everything that an import writes."""

    school_year: int
    homerooms: tuple[HomeroomPlan, ...]
    students: tuple[StudentPlan, ...]
    """All of whom anything is written."""
    unchanged: int
    gone: tuple[GoneStudent, ...]
    guardians: tuple[GuardianPlan, ...]
    ties: tuple[TiePlan, ...]
    unlinkings: tuple[Unlinking, ...]
    enrolled: int
    """How many the school had before, without those that were gone already."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is to be written."""
        return not (
            self.students
            or self.gone
            or self.guardians
            or self.ties
            or self.unlinkings
            or any(one.is_written for one in self.homerooms)
        )


class Counts(Struct, frozen=True):
    """How many of each, as a person is told."""

    new: int = 0
    changed: int = 0
    """Of those who were here: all of whom anything is written, moved and back among them."""
    moved: int = 0
    back: int = 0
    gone: int = 0
    unchanged: int = 0
    homerooms_new: int = 0
    homerooms_changed: int = 0
    guardians_new: int = 0
    guardians_changed: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether the school is already as the roster says."""
        return not any(
            (
                self.new,
                self.changed,
                self.gone,
                self.homerooms_new,
                self.homerooms_changed,
                self.guardians_new,
                self.guardians_changed,
            )
        )


class Difference(Struct, frozen=True):
    """A roster against the school."""

    plan: Plan
    counts: Counts
    findings: tuple[Finding, ...]
    """The source's own, and those that only the school can tell."""

    @property
    def has_errors(self) -> bool:
        """Whether anything stops the import."""
        return any(one.severity is Severity.ERROR for one in self.findings)


def masked(tail: str) -> str:
    """A personal number as screens show it."""
    return f"••••{tail[-4:]}" if tail else ""

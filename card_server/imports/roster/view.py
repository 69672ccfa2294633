"""A difference as its pages show it: what is wrong, and who is new, changed, gone."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from card_server.imports.roster.brake import Brake, find_brakes
from card_server.imports.roster.plan import Change, Counts, Difference, GoneStudent
from card_server.imports.roster.reading import Reading
from integrations.roster.identity_numbers import mask
from integrations.roster.protocol import Finding, Severity
from integrations.roster.sheets.fields import Field, Target
from integrations.roster.sheets.files import Table

PERSONAL: Final = frozenset({Field.IDENTITY, Field.REGISTRY, Field.PHONE, Field.GUARDIAN_PHONE})
"""Columns whose values stay masked on every screen."""
MOST_FINDINGS: Final = 2_000


class ShownCell(Struct, frozen=True):
    """A cell that can be written anew."""

    column: int
    header: str
    value: str
    """Masked, where it is a personal number."""
    is_personal: bool


class ShownFinding(Struct, frozen=True):
    """A finding, and the cells of its row that it is about."""

    kind: str
    is_error: bool
    file: str
    line: int | None
    field: str
    value: str
    expected: str
    cells: tuple[ShownCell, ...] = ()
    who: str = ""
    """The student of the row, as the file names them; empty where it does not."""


class ShownStudent(Struct, frozen=True):
    """A student who is new or changed."""

    id: int | None
    line: int
    number: str
    name: str
    homeroom: str
    changes: tuple[Change, ...] = ()


class ShownHomeroom(Struct, frozen=True):
    """A homeroom that is new or changed."""

    name: str
    grade: int
    campus: str
    changes: tuple[Change, ...]


class View(Struct, frozen=True):
    """All of it."""

    source: str
    is_whole: bool
    school_year: int
    students: int
    """How many the roster names."""
    encoding: str | None
    sheet: str | None
    profile: str | None
    counts: Counts
    brakes: tuple[Brake, ...]
    enrolled: int
    findings: tuple[ShownFinding, ...]
    """Errors first; of very many the first MOST_FINDINGS."""
    errors: int
    warnings: int
    homerooms: tuple[ShownHomeroom, ...]
    new: tuple[ShownStudent, ...]
    changed: tuple[ShownStudent, ...]
    gone: tuple[GoneStudent, ...]
    schools: tuple[tuple[str, str], ...] = ()
    """Id and name of a package's schools, where there are several."""

    @property
    def has_errors(self) -> bool:
        """Whether it cannot be imported like this."""
        return self.errors > 0


def make_view(reading: Reading, difference: Difference) -> View:
    """What the pages show of a difference."""
    plan, table = difference.plan, reading.table
    rooms = {one.key: one.name for one in plan.homerooms}
    cells = _Cells(reading)
    ordered = sorted(difference.findings, key=lambda one: one.severity is not Severity.ERROR)
    severities = Counter(one.severity for one in difference.findings)
    shown = [
        ShownStudent(
            one.id, one.line, one.number, one.name, rooms.get(one.homeroom, ""), one.changes
        )
        for one in plan.students
        if not one.is_linked_only
    ]
    return View(
        source=reading.roster.source,
        is_whole=reading.roster.is_whole,
        school_year=plan.school_year,
        students=len(reading.roster.students),
        encoding=table.encoding if table else None,
        sheet=table.sheet if table else None,
        profile=reading.profile,
        counts=difference.counts,
        brakes=find_brakes(difference.counts, plan.enrolled),
        enrolled=plan.enrolled,
        findings=tuple(cells.show(one) for one in ordered[:MOST_FINDINGS]),
        errors=severities[Severity.ERROR],
        warnings=severities[Severity.WARNING],
        homerooms=tuple(
            ShownHomeroom(one.name, one.grade, one.campus or "", one.changes)
            for one in plan.homerooms
            if one.id is None or one.changes
        ),
        new=tuple(one for one in shown if one.id is None),
        changed=tuple(one for one in shown if one.id is not None),
        gone=plan.gone,
        schools=tuple((one.sourced_id, one.name) for one in reading.schools),
    )


def show_value(text: str, target: Target | None) -> str:
    """A cell's text as a screen shows it."""
    return mask(text) if text and is_personal(target) else text


def is_personal(target: Target | None) -> bool:
    """Whether a column holds personal numbers."""
    return target is not None and target.field in PERSONAL


class _Cells:
    """Finds the cells that findings are about."""

    def __init__(self, reading: Reading) -> None:
        self._mapping = reading.mapping
        self._table = reading.table
        self._rows = {row.line: row for row in reading.table.rows} if reading.table else {}

    def show(self, finding: Finding) -> ShownFinding:
        cells: tuple[ShownCell, ...] = ()
        who = ""
        if self._table is not None and finding.line in self._rows:
            row = self._rows[finding.line]
            cells = tuple(
                ShownCell(
                    column,
                    self._table.header[column],
                    show_value(row.cells[column], self._mapping[column]),
                    is_personal(self._mapping[column]),
                )
                for column in self._columns(self._table, finding)
            )
            who = self._who(row.cells)
        return ShownFinding(
            str(finding.kind),
            finding.severity is Severity.ERROR,
            finding.file,
            finding.line,
            finding.field,
            finding.value,
            finding.expected,
            cells,
            who,
        )

    def _who(self, cells: Sequence[str]) -> str:
        """Whose row it is: the name, or else the student number."""
        for field in (Field.NAME, Field.NUMBER):
            for column, target in enumerate(self._mapping):
                if target is not None and target.field is field and cells[column].strip():
                    return cells[column].strip()
        return ""

    def _columns(self, table: Table, finding: Finding) -> Iterable[int]:
        """The columns that a finding names, by their headers or by what they mean."""
        by_meaning = [
            column
            for column, target in enumerate(self._mapping)
            if target is not None and target.field.value == finding.field
        ]
        if by_meaning:
            return by_meaning
        names = set(finding.field.split("、")) if finding.field else set()
        return [
            column
            for column, name in enumerate(table.header)
            if name in names and self._mapping[column] is not None
        ]

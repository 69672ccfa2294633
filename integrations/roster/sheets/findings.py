"""Findings as they are made; what is the same in many rows is one finding with their number."""

from collections.abc import Iterable

from integrations.roster.kinds import Kind, severity_of
from integrations.roster.protocol import Finding, Severity
from integrations.roster.sheets.files import Table

_GROUPED = {Kind.FORMULA_CACHED, Kind.CODE_UNKNOWN, Kind.GUARDIAN_NO_PHONE, Kind.COLUMN_UNKNOWN}
"""Kinds of which one row is as good as a thousand: `expected` says how many there are."""


class Findings:
    """All findings of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._single: list[Finding] = [*table.findings]
        self._grouped: dict[tuple[Kind, str, str], tuple[int | None, int]] = {}
        self.spoilt: set[int] = set()
        """Lines with an error: what was read of them is not to be relied on."""

    def add(
        self,
        kind: Kind,
        line: int | None,
        columns: Iterable[int] = (),
        value: str = "",
        expected: str = "",
    ) -> None:
        """Note something about a line; `columns` are those that it was read from."""
        severity = severity_of(kind)
        field = "、".join(self._table.header[column] for column in columns)
        if severity is Severity.ERROR and line is not None:
            self.spoilt.add(line)
        if kind in _GROUPED:
            first, count = self._grouped.get((kind, field, value), (line, 0))
            self._grouped[kind, field, value] = (first, count + 1)
            return
        self._single.append(
            Finding(kind, severity, self._table.file, line, field, value[:120], expected)
        )

    def all(self) -> tuple[Finding, ...]:
        """Every finding, in the order of the lines; those of the whole file first."""
        grouped = [
            Finding(kind, severity_of(kind), self._table.file, line, field, value[:120], str(count))
            for (kind, field, value), (line, count) in self._grouped.items()
        ]
        return tuple(sorted(self._single + grouped, key=lambda finding: finding.line or 0))

"""Values that only one row may have: who has one that a row before had already."""

from collections.abc import Sequence

from integrations.roster.kinds import Kind
from integrations.roster.sheets.findings import Findings


class Duplicates:
    """Remembers where each value stood first."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._lines: dict[tuple[Kind, str], int] = {}

    def check(self, kind: Kind, line: int, columns: Sequence[int], value: str, shown: str) -> None:
        """Say it when an earlier row has the value; the finding names that row as well."""
        first = self._lines.setdefault((kind, value.casefold()), line)
        if first != line:
            self._findings.add(kind, line, columns, shown, str(first))
            self._findings.spoilt.add(first)

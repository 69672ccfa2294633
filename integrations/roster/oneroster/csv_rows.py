"""The rows of one CSV table, after its header was checked."""

from collections.abc import Iterator

from integrations.roster.oneroster.findings import Findings, Kind
from integrations.roster.oneroster.package import Package
from integrations.roster.oneroster.rows import Row
from integrations.roster.oneroster.tables import COLUMNS, Version, essential_columns

_SECRET = "password"  # noqa: S105


def csv_rows(package: Package, table: str, version: Version, findings: Findings) -> Iterator[Row]:
    """Row by row. Columns that nobody knows are passed on and hurt nobody; passwords are not."""
    file = f"{table}.csv"
    lines = package.lines(table, findings)
    first = next(lines, None)
    if first is None:
        findings.add(Kind.FILE_EMPTY, file)
        return
    header = _header(first[1], table, version, findings)
    secret = header.index(_SECRET) if _SECRET in header else None
    for line, cells in lines:
        if len(cells) != len(header):
            findings.add(
                Kind.ROW_LENGTH, file, line, value=str(len(cells)), expected=str(len(header))
            )
            continue
        values = dict(zip(header, cells, strict=True))
        if secret is not None and values.pop(_SECRET):
            findings.once(Kind.PASSWORDS, file, line, _SECRET)
        yield Row(file, line, values)


def _header(cells: list[str], table: str, version: Version, findings: Findings) -> list[str]:
    """The columns as the specification calls them.

    Names are case-sensitive; one in another case is understood and reported.
    """
    file = f"{table}.csv"
    essential = essential_columns(table, version)
    known = {name.lower(): name for name in (*COLUMNS.get(table, ()), *essential)}
    header: list[str] = []
    for cell in cells:
        name = known.get(cell.lower(), cell)
        if name != cell:
            findings.add(Kind.COLUMN_CASE, file, 1, cell, expected=name)
        if name and name in header:
            findings.add(Kind.COLUMN_TWICE, file, 1, name)
        header.append(name)
    for name in essential:
        if name not in header:
            findings.add(Kind.COLUMN_MISSING, file, 1, name)
    return header

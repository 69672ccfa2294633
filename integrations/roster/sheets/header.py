"""Which row of a table is its header, and what its columns are then called."""

from typing import Final

from msgspec import Struct

from integrations.roster.sheets.columns import count_known
from integrations.roster.sheets.grid import Grid

_LOOKED_AT: Final = 30
_FEWEST: Final = 2
"""A row with one known name may be a title; a roster needs three columns."""


class Header(Struct, frozen=True):
    """The names of the columns, and the last line that they stand in."""

    names: tuple[str, ...]
    line: int
    known: int
    """How many of them have a known name; says which of several sheets is the roster."""


def find_header(grid: Grid) -> Header | None:
    """The best header among the first rows: one row, or two where the upper one groups columns."""
    wide = max((len(row) for row in grid.rows), default=0)
    found: Header | None = None
    for line in range(1, min(len(grid.rows), _LOOKED_AT) + 1):
        for names, last in (
            (_row(grid, line, wide), line),
            (_grouped(grid, line, wide), line + 1),
        ):
            known = count_known(names)
            if known >= _FEWEST and (found is None or known > found.known):
                found = Header(names, last, known)
    return found


def _row(grid: Grid, line: int, wide: int) -> tuple[str, ...]:
    row = grid.rows[line - 1] if line <= len(grid.rows) else []
    return (*row, *[""] * (wide - len(row)))


def _grouped(grid: Grid, line: int, wide: int) -> tuple[str, ...]:
    """Two rows as one: 父亲 above 姓名 and 电话 gives 父亲姓名 and 父亲电话."""
    if line >= len(grid.rows):
        return ()
    upper = list(_row(grid, line, wide))
    lower = _row(grid, line + 1, wide)
    merged = [span for span in grid.spans if span[0] == line]
    for _, left, end, right in merged:
        if end == line and left < wide:
            upper[left : right + 1] = [upper[left]] * (min(right, wide - 1) - left + 1)
    if not merged:
        upper = _fill_right(upper, lower)
    return tuple(
        above if not below or above == below else above + below
        for above, below in zip(upper, lower, strict=True)
    )


def _fill_right(upper: list[str], lower: tuple[str, ...]) -> list[str]:
    """A text file knows no merged cells: a group reaches as far as nothing else stands above."""
    filled, group = [], ""
    for above, below in zip(upper, lower, strict=True):
        group = above or (group if below else "")
        filled.append(group)
    return filled

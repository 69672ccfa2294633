"""The cells of one row by what they mean, with what is wrong with a cell as such."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from integrations.roster.kinds import Kind
from integrations.roster.sheets.columns import Mapped
from integrations.roster.sheets.fields import SLOTS, Field, Target
from integrations.roster.sheets.files import Row, Table
from integrations.roster.sheets.findings import Findings

_WORDS_FOR_NOTHING: Final = (
    "无 暂无 没有 空 不详 无数据 - -- --- — —— / // \\ . n/a na null none nan #n/a"
)
_NOTHING: Final = frozenset(_WORDS_FOR_NOTHING.split())
"""What people write into a cell that they have nothing for."""
_LOST: Final = re.compile(r"\d(?:\.\d+)?E\+\d{2,3}")
_WHOLE: Final = re.compile(r"(\d+)\.0+")
_CODES: Final = frozenset(
    {
        Field.NUMBER,
        Field.IDENTITY,
        Field.REGISTRY,
        Field.CARD,
        Field.PHONE,
        Field.GUARDIAN_PHONE,
        Field.HOMEROOM,
    }
)
"""Fields whose digits mean nothing as an amount, and are lost when a spreadsheet counts them."""


class Cells:
    """Where each field stands in a table, and reading it from a row."""

    def __init__(self, table: Table, mapping: Mapped, findings: Findings) -> None:
        self._marks = table.marks
        self._findings = findings
        self._columns: dict[Target, list[int]] = {}
        for column, target in enumerate(mapping):
            if target is not None and target.field is not Field.LEFT_OUT:
                self._columns.setdefault(target, []).append(column)

    def columns(self, field: Field, slot: str = "") -> Sequence[int]:
        """The columns that mean it; empty when none does."""
        return self._columns.get(Target(field, slot), ())

    def slots(self) -> list[str]:
        """Which guardians there are columns of, the first guardian first."""
        there = {target.slot for target in self._columns}
        return [slot for slot in SLOTS if slot in there]

    def is_empty(self, row: Row) -> bool:
        """Whether a row holds nothing that is read, as numbered rows of a form do."""
        return not any(
            row.cells[column] for columns in self._columns.values() for column in columns
        )

    def text(self, row: Row, field: Field, slot: str = "") -> str:
        """What stands there; "" for nothing. Of several columns the first that holds something."""
        return next((text for text in self.texts(row, field, slot)), "")

    def texts(self, row: Row, field: Field, slot: str = "") -> list[str]:
        """What stands in each of the columns that mean it, without the empty ones."""
        found = [
            self._read(row, column, field) for column in self._columns.get(Target(field, slot), ())
        ]
        return [text for text in found if text]

    def _read(self, row: Row, column: int, field: Field) -> str:
        text = row.cells[column]
        mark = self._marks.get((row.line, column)) if self._marks else None
        if mark is not None:
            value = "" if mark is Kind.FORMULA_CACHED else text
            self._findings.add(mark, row.line, (column,), value)
        if not text or unicodedata.normalize("NFKC", text).strip().casefold() in _NOTHING:
            return ""
        if field in _CODES:
            if _LOST.fullmatch(text):
                self._findings.add(Kind.NUMBER_LOST_DIGITS, row.line, (column,), text)
                return ""
            if whole := _WHOLE.fullmatch(text):
                return whole[1]
        return text

"""The columns of a sheet as a person checks them: header, examples, and what each may mean."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from card_server.imports.roster.reading import Reading
from card_server.imports.roster.view import is_personal
from integrations.roster.cmis import profiles
from integrations.roster.identity_numbers import mask
from integrations.roster.sheets.columns import Sureness
from integrations.roster.sheets.fields import OF_GUARDIAN, SLOTS, Field, Target, read_target
from integrations.text_encoding import ENCODINGS

__all__ = [
    "ENCODINGS",
    "ShownColumn",
    "list_profiles",
    "list_targets",
    "read_targets",
    "show_columns",
]

_EXAMPLES: Final = 3
_LONGEST: Final = 40
_MANY_DIGITS: Final = re.compile(r"\d{11}")
"""Whatever a column is called, so many digits are somebody's number."""


class ShownColumn(Struct, frozen=True):
    """One column."""

    column: int
    """From 0."""
    header: str
    examples: tuple[str, ...]
    key: str
    """What it means; empty: nobody knows yet."""
    sureness: str
    """"sure", "likely", "unknown", or "said" by a person."""
    rival: str = ""
    """The header of the column that seems to mean the same."""

    @property
    def is_sure(self) -> bool:
        """Whether a person need not look at it."""
        return self.sureness in (Sureness.SURE, "said")

    @property
    def is_kept(self) -> bool:
        """Whether the school has a use for it."""
        return self.key not in ("", Field.LEFT_OUT)


def show_columns(reading: Reading) -> list[ShownColumn]:
    """All columns of the sheet that was read; none of what is no sheet."""
    if reading.table is None:
        return []
    shown = []
    for proposal, target in zip(reading.columns, reading.mapping, strict=True):
        is_said = target != proposal.target
        rival = reading.table.header[proposal.rival] if proposal.rival is not None else ""
        shown.append(
            ShownColumn(
                proposal.column,
                proposal.header,
                tuple(_examples(reading, proposal.column, target)),
                target.key if target else "",
                "said" if is_said else proposal.sureness.value,
                "" if is_said else rival,
            )
        )
    return shown


def _examples(reading: Reading, column: int, target: Target | None) -> Iterator[str]:
    """A few different values, of personal numbers no more than screens may show."""
    seen: dict[str, None] = {}
    for row in reading.table.rows if reading.table else ():
        if text := row.cells[column].strip():
            seen[text] = None
        if len(seen) == _EXAMPLES:
            break
    for text in seen:
        is_number = is_personal(target) or _MANY_DIGITS.search(text)
        yield mask(text) if is_number else text[:_LONGEST]


def list_targets() -> list[str]:
    """The keys of all that a column can mean."""
    keys = [field.value for field in Field if field not in OF_GUARDIAN]
    return keys + [
        Target(field, slot).key for slot in SLOTS for field in Field if field in OF_GUARDIAN
    ]


def read_targets(keys: Sequence[str]) -> tuple[str | None, ...]:
    """What a form says of each column; nonsense counts as nothing."""
    return tuple(key if key and _is_target(key) else None for key in keys)


def _is_target(key: str) -> bool:
    try:
        read_target(key)
    except ValueError:
        return False
    return True


def list_profiles() -> list[tuple[str, str]]:
    """Name and title of each register system that is known."""
    return [(name, profile.title) for name, profile in profiles().items()]

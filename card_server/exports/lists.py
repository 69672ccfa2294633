"""What a list that can be taken away as a file is, and which lists there are."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flask_babel import LazyString
from sqlalchemy.orm import Session

from card_server.exports.files import Cell, Row
from card_server.staff.sessions import SchoolInUse

BATCH: Final = 1_000
"""Rows that are read at a time."""
Filters = Mapping[str, str]
"""Which rows, as the page's address says it: ids, choices and times, nothing about a person."""


@dataclass(frozen=True)
class ExportList:
    """One list; its functions see what the session does, which is narrowed to who asks."""

    name: str
    """In the file's name."""
    title: LazyString
    heads: tuple[LazyString, ...]
    count: Callable[[Session, SchoolInUse, Filters], int]
    read: Callable[[Session, SchoolInUse, Filters], Iterator[Row]]
    """All rows that the filters let through, in the page's order, a batch at a time."""
    describe: Callable[[SchoolInUse, Filters], list[tuple[str, Cell]]]
    """The filters in the words of the page."""

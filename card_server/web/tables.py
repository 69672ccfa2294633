"""What an address asks of a table: its order, its filter and its page; and the page's rows."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from flask import request, url_for

Row = TypeVar("Row")

PAGE_ROWS = 50
_MOST_PAGES = 10_000
_LONGEST_FILTER = 100
_ANY_ID = 7_000_000_000_000_000_009
"""Stands for a row's id in an address; no table has so many rows."""


@dataclass(frozen=True)
class Column:
    """One column: its head, and the key by which the address names its order, if it has one."""

    label: str
    sort: str = ""
    is_number: bool = False
    is_minor: bool = False
    """Whether a narrow screen does without it."""


@dataclass(frozen=True)
class Asked:
    """One table's order, filter and page as the address names them; all of it is checked."""

    sort: str
    is_descending: bool
    page: int
    after: tuple[str, ...]
    """The key of the last row that was seen already; empty for the first page."""
    filters: Mapping[str, str]
    default_sort: str = ""

    @property
    def wanted_sort(self) -> str:
        """The order as an address writes it."""
        return f"-{self.sort}" if self.is_descending else self.sort

    def address(self, **changes: str | int) -> str:
        """This table otherwise ordered, filtered or paged; anything else begins at page one."""
        wanted: dict[str, str | int] = {**self.filters}
        if self.wanted_sort != self.default_sort:
            wanted["sort"] = self.wanted_sort
        wanted |= changes
        kept: dict[str, Any] = {
            key: value
            for key, value in wanted.items()
            if value != "" and (key, value) != ("page", 1)
        }
        return url_for(str(request.endpoint), **(request.view_args or {}), **kept)

    def addresses(self, name: str) -> Callable[[int], str]:
        """`address` for rows that differ in one id: it is built once, and the rows share it."""
        before, _, after = self.address(**{name: _ANY_ID}).partition(str(_ANY_ID))
        return lambda key: f"{before}{key}{after}"

    def sort_address(self, sort: str) -> str:
        """Ordered by this column; the other way round when it is already."""
        is_again = sort == self.sort and not self.is_descending
        return self.address(sort=f"-{sort}" if is_again else sort)

    def order(self, sort: str) -> str:
        """What `aria-sort` says of a column."""
        if sort != self.sort:
            return "none"
        return "descending" if self.is_descending else "ascending"

    def sorted(self, rows: Iterable[Row], keys: Mapping[str, Callable[[Row], Any]]) -> list[Row]:
        """Rows that are all in memory in the asked order; as they come when none is asked."""
        key = keys.get(self.sort)
        return sorted(rows, key=key, reverse=self.is_descending) if key else list(rows)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a table, and where the pages beside it are ("" where there is none)."""

    rows: Sequence[Row]
    first: int = 1
    """The number of its first row, from 1."""
    total: int | None = None
    """How many rows there are on all pages; None where nobody counted."""
    newest: str = ""
    previous: str = ""
    next: str = ""


def read_asked(sorts: Sequence[str] = (), filters: Sequence[str] = (), default: str = "") -> Asked:
    """What this request asks; an order that the table does not have counts as not asked.

    `default` is the order when none is asked; a leading minus means descending.
    """
    arguments = request.args
    wanted = arguments.get("sort", "")
    sort = wanted if wanted.removeprefix("-") in sorts else default
    return Asked(
        sort=sort.removeprefix("-"),
        is_descending=sort.startswith("-"),
        page=min(max(1, arguments.get("page", 1, type=int)), _MOST_PAGES),
        after=_read_key(arguments.get("after", "")),
        filters={
            name: value.strip()[:_LONGEST_FILTER]
            for name in filters
            if (value := arguments.get(name, "")).strip()
        },
        default_sort=default,
    )


def cut_page(rows: Sequence[Row], asked: Asked, size: int = PAGE_ROWS) -> Page[Row]:
    """The asked page of rows that are all in memory; the last one when it is past the end."""
    last = max(1, -(-len(rows) // size))
    number = min(asked.page, last)
    begin = (number - 1) * size
    return count_page(rows[begin : begin + size], asked, number, len(rows), size)


def count_page(
    rows: Sequence[Row], asked: Asked, number: int, total: int, size: int = PAGE_ROWS
) -> Page[Row]:
    """A page that the database cut by offset and limit, of `total` rows."""
    begin = (number - 1) * size
    return Page(
        rows,
        first=begin + 1,
        total=total,
        previous=asked.address(page=number - 1) if number > 1 else "",
        next=asked.address(page=number + 1) if begin + len(rows) < total else "",
    )


def read_page(asked: Asked, read: Callable[[int, int], tuple[Sequence[Row], int]]) -> Page[Row]:
    """The asked page, or the last one where it is past the end.

    `read` gives the rows from one that counts from 0, so many at most, and how many there are.
    """
    number = asked.page
    found, total = read((number - 1) * PAGE_ROWS, PAGE_ROWS)
    if total and not found:
        number = -(-total // PAGE_ROWS)
        found, total = read((number - 1) * PAGE_ROWS, PAGE_ROWS)
    return count_page(found, asked, number if total else 1, total)


def key_page(
    rows: Sequence[Row],
    asked: Asked,
    key: Callable[[Row], Sequence[object]],
    size: int = PAGE_ROWS,
) -> Page[Row]:
    """A page of rows in the order of a key, of which the database gave one more than `size`.

    The address of the next page names the last row's key, so that rows which come meanwhile
    neither show twice nor hide others.
    """
    shown = rows[:size]
    more = len(rows) > size
    return Page(
        shown,
        newest=asked.address() if asked.after else "",
        next=asked.address(after=_write_key(key(shown[-1]))) if more else "",
    )


def read_moment(after: tuple[str, ...]) -> tuple[datetime, UUID] | None:
    """The key of a list by time and id; None for the list's beginning and for nonsense."""
    try:
        moment, key = after
        when = datetime.fromisoformat(moment)
        return (when, UUID(key)) if when.tzinfo else None
    except ValueError:
        return None


def _write_key(parts: Sequence[object]) -> str:
    text = json.dumps([str(part) for part in parts], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_key(text: str) -> tuple[str, ...]:
    """The parts of a key; empty for anything that is none."""
    try:
        padded = text + "=" * (-len(text) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return ()
    is_key = isinstance(parts, list) and all(isinstance(part, str) for part in parts)
    return tuple(parts) if is_key else ()

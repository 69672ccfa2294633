"""A roster over REST: all of it, or what has changed since a moment.

Source: OneRoster 1.1 Final §3.4–3.6 and 1.2 Rostering Service §3: collections under the service's
address, pages by `limit` and `offset`, `X-Total-Count` and `Link`, `filter`, OAuth 2 bearer
tokens by client credentials. Nothing is returned unless every page came: half a roster would
look like half a school that is gone.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from integrations.roster.oneroster.assembly import assemble
from integrations.roster.oneroster.delta import assemble_delta
from integrations.roster.oneroster.findings import Findings, Trouble
from integrations.roster.oneroster.gathering import Gathered
from integrations.roster.oneroster.json_rows import role_rows, row_of
from integrations.roster.oneroster.options import Options
from integrations.roster.oneroster.rest_line import Access, Page, RestLine, SourceError
from integrations.roster.oneroster.rows import Row
from integrations.roster.oneroster.tables import (
    CLASSES,
    COURSES,
    DEMOGRAPHICS,
    ENROLLMENTS,
    ORGS,
    ROLES,
    SESSIONS,
    USERS,
)
from integrations.roster.protocol import Roster

_TABLES: Final = (ORGS, SESSIONS, COURSES, CLASSES, USERS, DEMOGRAPHICS, ENROLLMENTS)
MOST_RECORDS: Final = 3_000_000
"""Of one collection; a provider that has more goes round in circles."""

_OPTIONAL: Final = frozenset({COURSES, DEMOGRAPHICS})
"""Providers may not offer them, or not to us."""
_CHANGING: Final = frozenset({USERS, DEMOGRAPHICS, ENROLLMENTS})
"""What is asked for by date: the rest is small, and gives these their meaning."""


def read_rest(
    access: Access,
    options: Options | None = None,
    since: datetime | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Roster:
    """The roster. With `since` (aware) only what changed after it, over `options.known`.

    Raises SourceError if any part cannot be had.
    """
    options = options or Options()
    with RestLine(access, wait) as line:
        collections = _Collections(line, since)
        findings = Findings()
        gathered = Gathered(access.version, _TABLES, since is not None, options, findings, "")
        for table in _TABLES:
            gathered.take(table, collections.rows(table))
            gathered.tables -= collections.not_offered
            if table == USERS:
                gathered.take(ROLES, collections.roles())
    source = f"oneroster-rest-{access.version}"
    return assemble_delta(gathered, source) if since else assemble(gathered, source)


class _Collections:
    """The collections of a service, page by page."""

    def __init__(self, line: RestLine, since: datetime | None) -> None:
        self._line = line
        self._since = since
        self._roles: list[Row] = []
        self.not_offered: set[str] = set()

    def rows(self, table: str) -> Iterator[Row]:
        """A row for each record; its line is its place in the collection, from 1."""
        for number, record in enumerate(self._records(table), start=1):
            if table == USERS:
                self._roles += role_rows(table, number, record)
            yield row_of(table, table, number, record)

    def roles(self) -> list[Row]:
        """The roles that stood in the users."""
        return self._roles

    def _records(self, table: str) -> Iterator[dict[str, Any]]:
        """Each record once, even if it comes twice because the collection changed meanwhile."""
        seen: set[str] = set()
        offset = 0
        while True:
            page = self._page(table, offset)
            if page is None:
                return
            new = [record for record in page.records if _id(record) not in seen]
            if page.records and not new:
                if page.may_be_unpaged:
                    return
                raise SourceError(Trouble.ENDLESS, table)
            seen.update(_id(record) for record in new)
            yield from new
            offset += len(page.records)
            if offset > MOST_RECORDS:
                raise SourceError(Trouble.ENDLESS, table)
            if page.is_last(offset):
                if page.total is not None and offset < page.total:
                    raise SourceError(Trouble.INCOMPLETE, table)
                return

    def _page(self, table: str, offset: int) -> Page | None:
        """None: an optional collection that is not offered."""
        changed = self._since if table in _CHANGING else None
        filter_ = f"dateLastModified>'{_moment(changed)}'" if changed else ""
        try:
            return self._line.page(table, offset, filter_)
        except SourceError as error:
            missing = error.kind in (Trouble.NOT_FOUND, Trouble.NOT_ALLOWED)
            if table in _OPTIONAL and missing and offset == 0:
                self.not_offered.add(table)
                return None
            raise


def _id(record: dict[str, Any]) -> str:
    return str(record.get("sourcedId"))


def _moment(moment: datetime) -> str:
    """As the specification writes it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

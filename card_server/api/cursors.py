"""Where a list goes on: the last row's key, written so that any text of the form names a place.

A list is cut by key and not by number, so that rows which come or go meanwhile neither repeat nor
skip others, and the thousandth part costs what the first does.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from flask import request, url_for

ID_CURSOR = "^[0-7][0-9a-f]{7}$"
UUID_CURSOR = "^[0-9a-f]{32}$"
MOMENT_CURSOR = "^[0-7][0-9a-f]{15}[0-9a-f]{32}$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class MomentKey(NamedTuple):
    """A row's place in a list that is ordered by time."""

    moment: datetime
    id: UUID


def write_id(last: int) -> str:
    """A cursor after a row of this id."""
    return f"{last:08x}"


def read_id(cursor: str | None) -> int:
    """The id that a cursor of ID_CURSOR's form names; 0 for the beginning."""
    return int(cursor, 16) if cursor else 0


def write_uuid(last: UUID) -> str:
    """A cursor after a row of this id."""
    return last.hex


def read_uuid(cursor: str | None) -> UUID | None:
    """The id that a cursor of UUID_CURSOR's form names; None for the beginning."""
    return UUID(cursor) if cursor else None


def write_moment(last: MomentKey) -> str:
    """A cursor after a row of this time and id."""
    return f"{(last.moment - _EPOCH) // _MICROSECOND:016x}{last.id.hex}"


def read_moment(cursor: str | None) -> MomentKey | None:
    """The place that a cursor of MOMENT_CURSOR's form names; None for the beginning."""
    if not cursor:
        return None
    microseconds = min(int(cursor[:16], 16), (_LAST - _EPOCH) // _MICROSECOND)
    return MomentKey(_EPOCH + microseconds * _MICROSECOND, UUID(cursor[16:]))


def next_address(cursor: str | None) -> str | None:
    """The address of this list's next part; None when there is none."""
    if cursor is None or request.endpoint is None:
        return None
    asked: dict[str, Any] = {**(request.view_args or {}), **request.args, "cursor": cursor}
    return url_for(request.endpoint, **asked)

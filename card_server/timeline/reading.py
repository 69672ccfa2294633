"""The sources of a student's timeline as one list, merged by time and cut into pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge

from card_server.timeline.protocol import Asking, Moment, Source


@dataclass(frozen=True)
class Line:
    """One moment and where it comes from."""

    source: Source
    moment: Moment


@dataclass(frozen=True)
class TimelinePage:
    """Some lines, the newest first, and before which time the next page goes on."""

    lines: list[Line]
    next_before: datetime | None
    """None where there is no more."""


def read_timeline(sources: Iterable[Source], asking: Asking) -> TimelinePage:
    """About `limit` lines: as few queries as sources, however long the student is at the school."""
    wider = replace(asking, limit=asking.limit + 1)
    found = [[Line(source, one) for one in source.read(wider)] for source in sources]
    lines = list(merge(*found, key=_order, reverse=True))
    return cut(lines, asking.limit)


def cut(lines: Sequence[Line], limit: int) -> TimelinePage:
    """The first page of these lines; what was at the same time stays together.

    So the next page may begin before that time and neither repeats nor hides anything.
    """
    if len(lines) <= limit:
        return TimelinePage(list(lines), None)
    last = lines[limit].moment.at
    whole = [line for line in lines[:limit] if line.moment.at > last]
    if not whole:
        whole = [line for line in lines if line.moment.at == last]
    return TimelinePage(whole, whole[-1].moment.at)


def _order(line: Line) -> tuple[datetime, str, str]:
    return line.moment.at, line.source.name, line.moment.key

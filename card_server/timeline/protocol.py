"""What a source of a student's timeline is given and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from flask_babel import LazyString
from sqlalchemy import Select, SQLColumnExpression
from sqlalchemy.orm import InstrumentedAttribute, Session

from card_server.school_time import bounds_of

Rows = TypeVar("Rows", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True)
class Asking:
    """Whose moments are wanted, the newest first, and how many at most."""

    session: Session
    school_id: int
    student_id: int
    zone: ZoneInfo
    before: datetime | None
    """Only what was earlier than this; None: from the newest on."""
    limit: int

    def begin_of(self, day: date) -> datetime:
        """The moment at which a day begins at the school."""
        return bounds_of(day, self.zone)[0]

    def newest(
        self, wanted: Rows, at: InstrumentedAttribute[datetime], *then: SQLColumnExpression[Any]
    ) -> Rows:
        """Of these rows as many as are asked for, by `at`; those of one moment by `then`."""
        if self.before is not None:
            wanted = wanted.where(at < self.before)
        return wanted.order_by(at.desc(), *then).limit(self.limit)


@dataclass(frozen=True)
class Moment:
    """One thing that happened to the student, or was done."""

    at: datetime
    key: str
    """Tells it from others of its source and time."""
    text: str
    """What it was, in its own words: a reader's name, a note."""
    words: tuple[StrEnum, ...] = ()
    """Choices that pages have words for: arrival, lost card."""
    is_alarm: bool = False
    by: str = ""
    reason: str = ""
    to: str = ""
    """Who was told."""
    is_day: bool = False
    """Whether only the day is known and the hour means nothing."""


class Source(NamedTuple):
    """One kind of moments."""

    name: str
    """In addresses."""
    title: LazyString
    read: Callable[[Asking], list[Moment]]
    """At most `limit` moments before `before`, the newest first, in a bounded number of queries."""

"""What messages cost, by day, homeroom or kind: those that a carrier took, or may have taken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, and_, func, literal, select, union_all
from sqlalchemy.orm import Session

from card_server.messages.states import TAKEN
from card_server.school_time import bounds_of
from schema.tables.messages import Message, MessageKind, MessageState
from schema.tables.metadata import UtcDateTime
from schema.tables.people import Student
from schema.tables.school import Homeroom

LONGEST: Final = timedelta(days=92)
"""So many days are added up at once."""
_PAID: Final = (*TAKEN, MessageState.UNKNOWN)


class CostBy(StrEnum):
    """What costs are told apart by."""

    DAY = "day"
    HOMEROOM = "homeroom"
    KIND = "kind"


@dataclass(frozen=True)
class Cost:
    """What some messages cost."""

    messages: int
    segments: int
    price: int
    """In thousandths of the school's currency."""
    day: date | None = None
    """In the school's zone."""
    homeroom_id: int | None = None
    homeroom: str = ""
    kind: MessageKind | None = None


def total_of(costs: Sequence[Cost]) -> Cost:
    """All of them together."""
    return Cost(
        sum(one.messages for one in costs),
        sum(one.segments for one in costs),
        sum(one.price for one in costs),
    )


def read_costs(
    session: Session, school_id: int, zone: ZoneInfo, days: tuple[date, date], by: CostBy
) -> list[Cost]:
    """The costs from the first to the last of these days, days and homerooms in their order."""
    if days[1] < days[0]:
        return []
    if by is CostBy.DAY:
        return _by_day(session, school_id, zone, days)
    since, until = bounds_of(days[0], zone)[0], bounds_of(days[1], zone)[1]
    if by is CostBy.HOMEROOM:
        return _by_homeroom(session, school_id, since, until)
    found = session.execute(
        _in_time(select(Message.kind, *_SUMS), school_id, since, until)
        .group_by(Message.kind)
        .order_by(func.sum(Message.price).desc(), Message.kind)
    )
    return [Cost(*row[1:], kind=row[0]) for row in _plain(found)]


def _plain(found: Iterable[Row[*tuple[Any, ...]]]) -> list[tuple[Any, int, int, int]]:
    """The sums as whole numbers: PostgreSQL adds some of them up to decimals."""
    return [(row[0], *(int(one) for one in row[1:4])) for row in found]


_SUMS = (func.count(), func.sum(Message.segments), func.sum(Message.price))


def _in_time(
    found: Select[*tuple[Any, ...]], school_id: int, since: datetime, until: datetime
) -> Select[*tuple[Any, ...]]:
    return found.where(
        Message.school_id == school_id,
        Message.tried_at >= since,
        Message.tried_at < until,
        Message.state.in_(_PAID),
    )


def _by_day(
    session: Session, school_id: int, zone: ZoneInfo, days: tuple[date, date]
) -> list[Cost]:
    """Each day by its own bounds: a day of the school may have 23 or 25 hours."""
    first, last = days
    each = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    moment = UtcDateTime()
    bounds = union_all(
        *(
            select(
                literal(place).label("place"),
                literal(since, moment).label("since"),
                literal(until, moment).label("until"),
            )
            for place, (since, until) in enumerate(bounds_of(day, zone) for day in each)
        )
    ).cte("bounds")
    found = session.execute(
        select(bounds.c.place, *_SUMS)
        .join(
            Message,
            and_(Message.tried_at >= bounds.c.since, Message.tried_at < bounds.c.until),
        )
        .where(Message.school_id == school_id, Message.state.in_(_PAID))
        .group_by(bounds.c.place)
        .order_by(bounds.c.place)
    )
    return [Cost(*row[1:], day=each[row[0]]) for row in _plain(found)]


def _by_homeroom(session: Session, school_id: int, since: datetime, until: datetime) -> list[Cost]:
    """By the homeroom in which each student is today."""
    by_student = (
        _in_time(select(Message.student_id, *_labelled()), school_id, since, until)
        .group_by(Message.student_id)
        .subquery()
    )
    found = session.execute(
        select(
            Homeroom.id,
            Homeroom.name,
            func.sum(by_student.c.messages),
            func.sum(by_student.c.segments),
            func.sum(by_student.c.price),
        )
        .join(Student, Student.id == by_student.c.student_id)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .group_by(Homeroom.id, Homeroom.name, Homeroom.grade)
        .order_by(Homeroom.grade, Homeroom.id)
    )
    return [
        Cost(int(messages), int(segments), int(price), homeroom_id=id_, homeroom=name)
        for id_, name, messages, segments, price in found
    ]


def _labelled() -> list[Any]:
    names = ("messages", "segments", "price")
    return [one.label(name) for one, name in zip(_SUMS, names, strict=True)]

"""What messages cost, by day, homeroom or kind: those that a carrier took, or may have taken.

It is added up from the sums that are kept of each day, with the homerooms of that day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, Select, cast, func, select
from sqlalchemy.orm import Session

from schema.tables.message_costs import MessageCostDay
from schema.tables.messages import MessageKind
from schema.tables.school import Homeroom

LONGEST: Final = timedelta(days=92)
"""So many days are added up at once."""


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


def read_costs(session: Session, school_id: int, days: tuple[date, date], by: CostBy) -> list[Cost]:
    """The costs from the first to the last of these days, days and homerooms in their order.

    A homeroom's are those of the students who were in it when the messages went out.
    """
    found = session.execute(
        _SUMS[by]
        .where(MessageCostDay.school_id == school_id, MessageCostDay.day.between(*days))
        .having(func.sum(MessageCostDay.messages) > 0)
    )
    return [Cost(**row) for row in found.mappings()]


_PRICE: Final = cast(func.sum(MessageCostDay.price), BigInteger).label("price")
"""PostgreSQL would add it up to a decimal."""
_ALL: Final = select(
    func.sum(MessageCostDay.messages).label("messages"),
    func.sum(MessageCostDay.segments).label("segments"),
    _PRICE,
)
_SUMS: Final[dict[CostBy, Select[*tuple[Any, ...]]]] = {
    CostBy.DAY: _ALL.add_columns(MessageCostDay.day)
    .group_by(MessageCostDay.day)
    .order_by(MessageCostDay.day),
    CostBy.HOMEROOM: _ALL.add_columns(MessageCostDay.homeroom_id, Homeroom.name.label("homeroom"))
    .join(Homeroom, Homeroom.id == MessageCostDay.homeroom_id)
    .group_by(MessageCostDay.homeroom_id, Homeroom.name, Homeroom.grade)
    .order_by(Homeroom.grade, MessageCostDay.homeroom_id),
    CostBy.KIND: _ALL.add_columns(MessageCostDay.kind)
    .group_by(MessageCostDay.kind)
    .order_by(_PRICE.desc(), MessageCostDay.kind),
}

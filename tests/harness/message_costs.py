"""What messages cost: the sums that are kept, and the same added up from the messages."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, Engine, func, select

from schema.tables.message_costs import MessageCostDay
from schema.tables.messages import Message, MessageKind, MessageState


class Costs(NamedTuple):
    """Of one day, homeroom and kind."""

    day: date
    homeroom_id: int
    kind: MessageKind
    messages: int
    segments: int
    price: int


def kept_costs(engine: Engine) -> list[Costs]:
    """The sums that came to something, and those that are wrong below nothing."""
    wanted = select(*(getattr(MessageCostDay, name) for name in Costs._fields))
    with engine.connect() as connection:
        return sorted(row for row in _read(connection, wanted) if row[3:] != (0, 0, 0))


def added_up_costs(engine: Engine) -> list[Costs]:
    """What the sums have to be."""
    key = (Message.tried_on, Message.homeroom_id, Message.kind)
    sums = (func.count(), func.sum(Message.segments), func.sum(Message.price))
    paid = Message.state.in_(
        (
            MessageState.ACCEPTED,
            MessageState.DELIVERED,
            MessageState.UNDELIVERED,
            MessageState.UNKNOWN,
        )
    )
    with engine.connect() as connection:
        return sorted(_read(connection, select(*key, *sums).where(paid).group_by(*key)))


def _read(connection: Connection, wanted: object) -> list[Costs]:
    return [Costs(*row) for row in connection.execute(wanted)]  # type: ignore[call-overload]

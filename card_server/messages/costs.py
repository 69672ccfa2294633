"""What messages cost each day (每日费用), added up as their states change.

A message costs its price while a carrier has it, had it, or may have it. Its day, homeroom,
segments and price are those of the last time that a notifier took it, and none takes it while it
costs. People's decisions change nothing: what is unclear costs, and so does what never arrived.
"""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, TextClause, text

from card_server.messages.states import TAKEN
from card_server.storage.bulk import encode_rows, given_clause
from card_server.webhooks.outbox import MessageKey
from schema.tables.message_costs import MessageCostDay
from schema.tables.messages import Message, MessageKind, MessageState

PAID: Final = frozenset({*TAKEN, MessageState.UNKNOWN})
"""The states in which a message costs its price."""


class Moved(NamedTuple):
    """A message whose state has changed."""

    school_id: int
    id: UUID
    state_before: MessageState | None
    state: MessageState
    tried_on: date | None
    homeroom_id: int
    kind: MessageKind
    segments: int
    price: int

    @property
    def key(self) -> MessageKey:
        """Which message it is."""
        return MessageKey(self.school_id, self.id)

    @property
    def sign(self) -> int:
        """1 when it costs something from now on, -1 when it no longer does, else 0."""
        return (self.state in PAID) - (self.state_before in PAID)


MOVED: Final[tuple[Any, ...]] = tuple(getattr(Message, name) for name in Moved._fields)
"""What a change of state has to return; it notes the state that it found in `state_before`."""


def keep_costs(connection: Connection, moved: Iterable[Moved]) -> None:
    """Add these messages to the sums of their days, or take them away, as their states say.

    The last thing in a transaction: the rows are few, and several notifiers want them. All of them
    take them in one order, after the messages themselves.
    """
    sums: dict[_Key, _Sums] = {}
    for one in moved:
        if one.sign and one.tried_on:
            key = (one.school_id, one.tried_on, one.homeroom_id, one.kind)
            found = sums.setdefault(key, _Sums(*key, 0, 0, 0))
            found.messages += one.sign
            found.segments += one.sign * one.segments
            found.price += one.sign * one.price
    if sums:
        given = encode_rows([sums[key] for key in sorted(sums)])
        connection.execute(_add(connection.dialect.name), {"given": given})


_Key = tuple[int, date, int, MessageKind]


class _Sums(Struct):
    """What is added to a row of `message_cost_day`."""

    school_id: int
    day: date
    homeroom_id: int
    kind: MessageKind
    messages: int
    segments: int
    price: int


@cache
def _add(dialect: str) -> TextClause:
    fields = _Sums.__struct_fields__
    keys, names = ", ".join(fields[:4]), ", ".join(fields)
    adding = ", ".join(f"{name} = message_cost_day.{name} + excluded.{name}" for name in fields[4:])
    given = given_clause(dialect, MessageCostDay, fields)
    return text(
        f"INSERT INTO message_cost_day ({names}) SELECT {names} FROM {given} WHERE true"  # noqa: S608 - our own names
        f" ORDER BY {keys} ON CONFLICT ({keys}) DO UPDATE SET {adding}"
    )

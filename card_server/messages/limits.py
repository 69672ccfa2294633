"""The limits of a day: how many messages a number, a student and a school may get and cost.

A message counts when a notifier takes it, as the carriers count what is submitted to them. What a
carrier surely refused is given back: it reached nobody and cost nothing. What it took, or may have
taken, stays counted. The rows are locked in one order, so that several notifiers together stop at
exactly the limit.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, TextualSelect, bindparam, case, text, tuple_, update

from card_server.storage.bulk import encode_rows, given_clause
from schema.tables.messages import LimitScope, MessageCount, MessageKind


class CountKey(NamedTuple):
    """Which count."""

    school_id: int
    day: date
    scope: LimitScope
    key: str


class Sending(NamedTuple):
    """A message that wants out, as far as limits see it."""

    school_id: int
    day: date
    """Today in the school's zone."""
    number: str
    """The number's keyed hash in hex."""
    kind: MessageKind
    student_id: int
    price: int
    """In thousandths of the school's currency."""

    def counted(self) -> tuple[CountKey, ...]:
        """What it counts for."""
        of_day = (self.school_id, self.day)
        return (
            CountKey(*of_day, LimitScope.NUMBER, self.number),
            CountKey(*of_day, LimitScope.NUMBER_AND_KIND, f"{self.number}:{self.kind}"),
            CountKey(*of_day, LimitScope.STUDENT, str(self.student_id)),
            CountKey(*of_day, LimitScope.SCHOOL, ""),
        )


class Most(NamedTuple):
    """What one day may see at most."""

    per_number: int
    per_number_and_kind: int
    per_student: int
    per_school: int
    money: int
    """In thousandths of the currency, for the whole school."""


class Tally:
    """The day's counts of some messages, locked; tells which of them may still go out."""

    def __init__(self, counts: dict[CountKey, tuple[int, int]]) -> None:
        self._counts = counts
        self._changed: set[CountKey] = set()
        self.reached: set[CountKey] = set()
        """Limits that kept a message back."""

    def admit(self, sending: Sending, most: Most) -> LimitScope | None:
        """Count it, and None; or, without counting it, the limit that keeps it back."""
        keys = sending.counted()
        limits = (most.per_number, most.per_number_and_kind, most.per_student, most.per_school)
        for key, limit in zip(keys, limits, strict=True):
            count, price = self._counts[key]
            costs_too_much = key.scope is LimitScope.SCHOOL and price + sending.price > most.money
            if count >= limit or costs_too_much:
                self.reached.add(key)
                return key.scope
        for key in keys:
            count, price = self._counts[key]
            self._counts[key] = (count + 1, price + sending.price)
            self._changed.add(key)
        return None

    def save(self, connection: Connection, now: datetime) -> list[CountKey]:
        """Write what changed; the limits that were reached now for the first time that day."""
        if self._changed:
            rows = [(key, *self._counts[key]) for key in sorted(self._changed)]
            connection.execute(
                _SAVE,
                [
                    _bound(key) | {"new_count": count, "new_price": price}
                    for key, count, price in rows
                ],
            )
        first = []
        for key in sorted(self.reached):
            marked = connection.execute(
                update(MessageCount)
                .where(_KEY.in_([key]), MessageCount.reached_at.is_(None))
                .values(reached_at=now)
            )
            if marked.rowcount:
                first.append(key)
        return first


def lock_counts(connection: Connection, sendings: Iterable[Sending]) -> Tally:
    """The counts of these messages, begun where there are none, locked until the commit."""
    keys = sorted({key for sending in sendings for key in sending.counted()})
    if not keys:
        return Tally({})
    given = [_New(*key, 0, 0) for key in keys]
    rows = connection.execute(_lock(connection.dialect.name), {"given": encode_rows(given)})
    return Tally({CountKey(*row[:4]): (row[4], row[5]) for row in rows})


def give_back(connection: Connection, refused: Iterable[Sending]) -> None:
    """Count these no more: what was counted for them on their own day, and never below nothing.

    In the transaction that writes down that they were refused, after its last change of a message.
    """
    counts: Counter[CountKey] = Counter()
    prices: Counter[CountKey] = Counter()
    for one in refused:
        for key in one.counted():
            counts[key] += 1
            prices[key] += one.price
    if counts:
        connection.execute(
            _GIVE_BACK,
            [_bound(key) | {"less": counts[key], "cheaper": prices[key]} for key in sorted(counts)],
        )


class _New(Struct):
    """A count before its first message (columns of `message_count`)."""

    school_id: int
    day: date
    scope: LimitScope
    key: str
    count: int
    price: int


@cache
def _lock(dialect: str) -> TextualSelect:
    """Begin what is not there and lock what is, in the keys' order, in one statement."""
    names = ", ".join(_New.__struct_fields__)
    given = given_clause(dialect, MessageCount, _New.__struct_fields__)
    return text(
        f"INSERT INTO message_count ({names}) SELECT {names} FROM {given} WHERE true"  # noqa: S608 - our own names
        " ORDER BY school_id, day, scope, key ON CONFLICT (school_id, day, scope, key)"
        f" DO UPDATE SET count = message_count.count RETURNING {names}"
    ).columns(*_COLUMNS, MessageCount.count, MessageCount.price)


def _bound(key: CountKey) -> dict[str, object]:
    return {f"of_{name}": value for name, value in key._asdict().items()}


_COLUMNS = (MessageCount.school_id, MessageCount.day, MessageCount.scope, MessageCount.key)
_KEY = tuple_(*_COLUMNS)
_OF_KEY = update(MessageCount).where(
    MessageCount.school_id == bindparam("of_school_id"),
    MessageCount.day == bindparam("of_day"),
    MessageCount.scope == bindparam("of_scope"),
    MessageCount.key == bindparam("of_key"),
)
_SAVE = _OF_KEY.values(count=bindparam("new_count"), price=bindparam("new_price"))
_LESS, _CHEAPER = MessageCount.count - bindparam("less"), MessageCount.price - bindparam("cheaper")
_GIVE_BACK = _OF_KEY.values(
    count=case((_LESS > 0, _LESS), else_=0), price=case((_CHEAPER > 0, _CHEAPER), else_=0)
)

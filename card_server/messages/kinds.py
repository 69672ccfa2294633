"""What kinds of messages there are to the rules: which a guardian chooses, when, and for how long.

`WANTED_AT_FIRST` of the register says which are chosen for whoever has not said otherwise.
"""

from datetime import timedelta
from typing import Final

from schema.tables.messages import MessageKind

WISHES: Final = (
    MessageKind.ARRIVAL,
    MessageKind.DEPARTURE,
    MessageKind.LATE,
    MessageKind.ABSENCE,
    MessageKind.LEAVE,
    MessageKind.LIBRARY,
    MessageKind.LAB,
    MessageKind.NOTICE,
)
"""The kinds that a guardian chooses, in the order in which pages show them."""

_FOLLOWS: Final = {MessageKind.ARRIVED: MessageKind.ABSENCE}

AT_ONCE: Final = frozenset(
    {
        MessageKind.ARRIVAL,
        MessageKind.DEPARTURE,
        MessageKind.LATE,
        MessageKind.ARRIVED,
        MessageKind.CODE,
    }
)
"""Kinds that do not wait for the end of the quiet hours."""

UNASKED: Final = frozenset({MessageKind.INVITATION, MessageKind.CODE})
"""Kinds that a number may get before it is verified and its guardian has consented."""

_WORTH: Final = {
    MessageKind.LEAVE: timedelta(days=1),
    MessageKind.LIBRARY: timedelta(days=1),
    MessageKind.LAB: timedelta(hours=2),
    MessageKind.NOTICE: timedelta(days=1),
    MessageKind.INVITATION: timedelta(days=3),
    MessageKind.CODE: timedelta(minutes=5),
}


def wish_of(kind: MessageKind) -> MessageKind | None:
    """The chosen kind that decides about this one; None for what nobody chooses."""
    if kind in UNASKED:
        return None
    return _FOLLOWS.get(kind, kind)


def worth_until(kind: MessageKind, stale_minutes: int) -> timedelta:
    """How long after what it tells of a message of this kind is worth sending."""
    return _WORTH.get(kind, timedelta(minutes=stale_minutes))

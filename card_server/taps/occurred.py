"""When a tap really happened, as far as three clocks can tell. Pure.

A reader says when its card was read and when it sent the message; the server knows when the
message came and how long the broker held it. What is left between sending and coming is the
difference of the two clocks.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

TRANSIT = timedelta(seconds=2)
"""Differences up to this are the network's and the broker's (whose count is in whole seconds)."""
SUSPICIOUS = timedelta(minutes=2)
"""A correction above this makes the time suspect."""

FUTURE = timedelta(minutes=5)
"""A tap this far ahead of the server is not to be believed."""


class Belief(NamedTuple):
    """What we believe of a tap's time."""

    occurred_at: datetime
    is_suspect: bool


def find_skew(sent_at: datetime, received_at: datetime, held_s: float) -> timedelta:
    """What to add to a reader's times, from one message that the broker held for `held_s`."""
    skew = received_at - sent_at - timedelta(seconds=held_s)
    return skew if abs(skew) > TRANSIT else timedelta()


def believe(
    tapped_at: datetime, received_at: datetime, skew: timedelta, clock_step_s: float
) -> Belief:
    """The corrected time; suspect when the correction is large or the tap is yet to come."""
    correction = skew + timedelta(seconds=clock_step_s) if clock_step_s else skew
    occurred_at = tapped_at + correction
    is_suspect = abs(correction) > SUSPICIOUS or occurred_at - received_at > FUTURE
    return Belief(occurred_at, is_suspect)


class LastTap(NamedTuple):
    """The newest tap of a reader, by the reader's own order."""

    boot: int
    seq: int
    occurred_at: datetime


def ran_backwards(last: LastTap, this: LastTap) -> bool:
    """Whether two taps of a reader have believed times against the order they were made in."""
    if this[:2] > last[:2]:
        return this.occurred_at < last.occurred_at - TRANSIT
    return this.occurred_at > last.occurred_at + TRANSIT

"""Why messages wait to be sent."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from schema.tables.messages import MessageState

_A_MOMENT: Final = timedelta(minutes=2)
"""Whatever is due for longer than this should have been sent."""


class WaitReason(StrEnum):
    """Why messages wait."""

    SWITCH = "switch"
    """The school's messages are stopped."""
    UNDER_WAY = "under_way"
    """A notifier is handing them over."""
    TURN = "turn"
    """They are due now."""
    BEHIND = "behind"
    """They are due for long: no notifier is at work, or not enough of them."""
    RETRY = "retry"
    """A carrier did not take them; it is tried again."""
    CARRIER = "carrier"
    """The carrier is passed over after failures."""
    QUIET = "quiet"
    """The quiet hours hold."""


class Facts(NamedTuple):
    """What decides why some messages wait."""

    is_stopped: bool
    carrier_rests_until: datetime | None
    state: MessageState
    is_due: bool
    is_at_once: bool
    error: str | None
    first_due_at: datetime
    last_due_at: datetime


def why(facts: Facts, now: datetime) -> WaitReason:
    """Why these messages wait. Pure."""
    if facts.state is MessageState.SENDING:
        return WaitReason.UNDER_WAY
    if facts.is_stopped:
        return WaitReason.SWITCH
    if facts.is_due:
        return WaitReason.BEHIND if now - facts.first_due_at > _A_MOMENT else WaitReason.TURN
    if facts.error:
        return WaitReason.RETRY
    rests_until = facts.carrier_rests_until
    if facts.is_at_once or (rests_until and facts.last_due_at <= rests_until):
        return WaitReason.CARRIER
    return WaitReason.QUIET

"""Whether a message may go out now, must wait, or is not sent: judged when its turn comes.

Who writes a message only asks what the guardian wants to know; all that may have changed since is
judged here, so that a number that stopped, or changed, holds for what waits as well.
"""

from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from card_server.messages.kinds import AT_ONCE, UNASKED
from schema.tables.messages import MessageKind, Suppression


class Facts(NamedTuple):
    """What is known of a message, its guardian and its school when its turn comes."""

    kind: MessageKind
    created_at: datetime
    expires_at: datetime
    has_number: bool
    is_guardian: bool
    """Still this student's guardian, who still is to be told at all."""
    phone_since: datetime | None
    stopped_at: datetime | None
    bad_at: datetime | None
    verified_at: datetime | None
    consented_at: datetime | None
    quiet_from: int
    """Minutes after midnight in the school's zone; equal to `quiet_until`: no quiet hours."""
    quiet_until: int
    zone: ZoneInfo
    is_overtaken: bool
    """A later departure of the same student was told already."""


class Judgement(NamedTuple):
    """Sent when both are None."""

    suppression: Suppression | None = None
    wait_until: datetime | None = None


_SEND = Judgement()


def judge_sending(facts: Facts, now: datetime) -> Judgement:
    """What becomes of a message whose turn has come. Pure."""
    if facts.expires_at <= now or facts.is_overtaken:
        return Judgement(Suppression.STALE)
    refused = _refusal(facts)
    if refused:
        return Judgement(refused)
    if facts.kind in AT_ONCE:
        return _SEND
    ends = quiet_until(now, facts.zone, facts.quiet_from, facts.quiet_until)
    if ends is None:
        return _SEND
    return Judgement(Suppression.QUIET) if ends >= facts.expires_at else Judgement(wait_until=ends)


def _refusal(facts: Facts) -> Suppression | None:
    """Why this guardian may not get it at all."""
    changed = facts.phone_since is not None and facts.phone_since > facts.created_at
    if changed or not facts.is_guardian:
        return Suppression.NUMBER_CHANGED
    if not facts.has_number or facts.bad_at is not None:
        return Suppression.NUMBER_BAD
    # A code is asked for by whoever holds the phone, who may want to start again.
    if facts.stopped_at is not None and facts.kind is not MessageKind.CODE:
        return Suppression.STOPPED
    if facts.kind in UNASKED:
        return None
    if facts.verified_at is None:
        return Suppression.UNVERIFIED
    return Suppression.NO_CONSENT if facts.consented_at is None else None


def quiet_until(now: datetime, zone: ZoneInfo, start: int, end: int) -> datetime | None:
    """When the quiet hours that hold now end (UTC); None outside them.

    `start` and `end` are minutes after midnight; the hours may go over midnight.
    """
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    is_quiet = start <= minute < end if start <= end else minute >= start or minute < end
    if not is_quiet:
        return None
    day = local.date() if minute < end else local.date() + timedelta(days=1)
    wall = datetime.combine(day, time(end // 60, end % 60), zone)
    return wall.astimezone(now.tzinfo)

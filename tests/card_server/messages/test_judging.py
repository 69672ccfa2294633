"""Whether a message may go out now: the rules, with plain values."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.messages.judging import Facts, Judgement, judge_sending, quiet_until
from card_server.messages.kinds import AT_ONCE, UNASKED
from schema.tables.messages import MessageKind, Suppression

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
"""12:00 at the school."""
MIDNIGHT = NOON + timedelta(hours=12)
BEFORE = NOON - timedelta(minutes=1)
FINE = Facts(
    MessageKind.NOTICE,
    created_at=NOON,
    expires_at=NOON + timedelta(days=1),
    has_number=True,
    is_guardian=True,
    phone_since=None,
    stopped_at=None,
    bad_at=None,
    verified_at=BEFORE,
    consented_at=BEFORE,
    quiet_from=22 * 60,
    quiet_until=6 * 60 + 30,
    zone=ZONE,
    is_overtaken=False,
)


def test_what_nothing_keeps_back_goes_out() -> None:
    assert judge_sending(FINE, NOON) == Judgement()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"expires_at": NOON}, Suppression.STALE),
        ({"is_overtaken": True}, Suppression.STALE),
        ({"phone_since": NOON + timedelta(seconds=1)}, Suppression.NUMBER_CHANGED),
        ({"is_guardian": False}, Suppression.NUMBER_CHANGED),
        ({"has_number": False}, Suppression.NUMBER_BAD),
        ({"bad_at": BEFORE}, Suppression.NUMBER_BAD),
        ({"stopped_at": BEFORE}, Suppression.STOPPED),
        ({"verified_at": None}, Suppression.UNVERIFIED),
        ({"consented_at": None}, Suppression.NO_CONSENT),
        ({"expires_at": NOON, "stopped_at": BEFORE}, Suppression.STALE),
        ({"stopped_at": BEFORE, "verified_at": None}, Suppression.STOPPED),
    ],
)
def test_why_a_message_is_not_sent(changed: dict[str, Any], why: Suppression) -> None:
    assert judge_sending(FINE._replace(**changed), NOON) == Judgement(why)


@pytest.mark.parametrize("kind", sorted(MessageKind))
def test_only_an_invitation_and_a_code_go_to_a_number_that_is_not_verified(
    kind: MessageKind,
) -> None:
    facts = FINE._replace(kind=kind, verified_at=None, consented_at=None)
    is_sent = judge_sending(facts, NOON) == Judgement()
    assert is_sent is (kind in {MessageKind.INVITATION, MessageKind.CODE}) is (kind in UNASKED)


def test_a_number_that_stopped_gets_a_code_and_no_invitation() -> None:
    stopped = FINE._replace(stopped_at=BEFORE)
    code = judge_sending(stopped._replace(kind=MessageKind.CODE), NOON)
    invitation = judge_sending(stopped._replace(kind=MessageKind.INVITATION), NOON)
    assert (code.suppression, invitation.suppression) == (None, Suppression.STOPPED)


def test_the_number_of_before_the_message_is_the_number_of_the_message() -> None:
    assert judge_sending(FINE._replace(phone_since=BEFORE), NOON) == Judgement()


@pytest.mark.parametrize("kind", sorted(MessageKind))
def test_in_the_quiet_hours_all_but_comings_and_goings_wait(kind: MessageKind) -> None:
    judged = judge_sending(FINE._replace(kind=kind), MIDNIGHT)
    waits = Judgement(wait_until=MIDNIGHT + timedelta(hours=6, minutes=30))
    assert judged == (Judgement() if kind in AT_ONCE else waits)


def test_what_is_worth_nothing_after_the_quiet_hours_is_not_sent() -> None:
    facts = FINE._replace(kind=MessageKind.ABSENCE, expires_at=MIDNIGHT + timedelta(minutes=30))
    assert judge_sending(facts, MIDNIGHT) == Judgement(Suppression.QUIET)


@pytest.mark.parametrize(
    ("start", "end", "minute", "ends"),
    [
        (1320, 390, 1319, None),
        (1320, 390, 1320, 390),
        (1320, 390, 0, 390),
        (1320, 390, 389, 390),
        (1320, 390, 390, None),
        (60, 120, 60, 120),
        (60, 120, 59, None),
        (60, 120, 120, None),
        (600, 600, 600, None),
        (0, 0, 0, None),
    ],
)
def test_quiet_hours(start: int, end: int, minute: int, ends: int | None) -> None:
    now = datetime(2026, 9, 1, minute // 60, minute % 60, tzinfo=ZONE).astimezone(UTC)
    found = quiet_until(now, ZONE, start, end)
    local = found and found.astimezone(ZONE)
    assert (local and local.hour * 60 + local.minute) == ends


@given(
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
    now=st.integers(0, 366 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)
def test_quiet_hours_end_within_a_day_and_outside_of_them(
    start: int, end: int, now: datetime, zone: str
) -> None:
    ends = quiet_until(now, ZoneInfo(zone), start, end)
    local = now.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    in_them = {(start + step) % 1440 for step in range((end - start) % 1440)}
    assert (ends is not None) == (minute in in_them)
    if ends is not None:
        assert now < ends <= now + timedelta(hours=26)
        wall = ends.astimezone(ZoneInfo(zone))
        # Where clocks go forward, an hour of the wall does not exist.
        assert abs(wall.hour * 60 + wall.minute - end) in (0, 60)

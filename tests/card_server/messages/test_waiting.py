"""Why messages wait, said from facts alone."""

from datetime import UTC, datetime, timedelta

import pytest

from card_server.messages.waiting import Facts, WaitReason, why
from schema.tables.messages import MessageState

NOW = datetime(2026, 9, 1, 22, tzinfo=UTC)
_SOON, _MORNING = NOW + timedelta(seconds=40), NOW + timedelta(hours=8)
QUIET = Facts(False, None, MessageState.QUEUED, False, False, None, _MORNING, _MORNING)
DUE = QUIET._replace(is_due=True, first_due_at=NOW, last_due_at=NOW)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (QUIET, WaitReason.QUIET),
        (QUIET._replace(carrier_rests_until=_SOON), WaitReason.QUIET),
        (QUIET._replace(carrier_rests_until=_SOON, last_due_at=_SOON), WaitReason.CARRIER),
        (QUIET._replace(is_at_once=True), WaitReason.CARRIER),
        (QUIET._replace(error="Twilio 429: Too many requests at once."), WaitReason.RETRY),
        (QUIET._replace(is_stopped=True, error="x"), WaitReason.SWITCH),
        (QUIET._replace(is_stopped=True, state=MessageState.SENDING), WaitReason.UNDER_WAY),
        (DUE, WaitReason.TURN),
        (DUE._replace(error="x"), WaitReason.TURN),
        (DUE._replace(first_due_at=NOW - timedelta(minutes=3)), WaitReason.BEHIND),
        (DUE._replace(is_stopped=True), WaitReason.SWITCH),
    ],
)
def test_why_messages_wait(facts: Facts, reason: WaitReason) -> None:
    assert why(facts, NOW) is reason

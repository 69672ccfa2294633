"""What follows from one try to send a message."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from card_server.messages.limits import Sending
from card_server.sending.choosing import Wanted
from card_server.sending.claiming import Claim
from card_server.sending.outcomes import Outcome, judge
from integrations.sms.protocol import SendError, Verdict
from schema.tables.messages import MessageKind, MessageState

NOW = datetime(2025, 9, 1, tzinfo=UTC)
State = MessageState


def a_claim(attempt: int, refused_by: frozenset[str] = frozenset()) -> Claim:
    """A message that is worth sending for half an hour more."""
    return Claim(
        1,
        UUID(int=1),
        MessageKind.ARRIVAL,
        attempt,
        "first",
        refused_by,
        Wanted("sms", False, refused_by, frozenset()),
        b"",
        "",
        Sending(1, NOW.date(), "", MessageKind.ARRIVAL, 1, 45),
        "text",
        (),
        None,
        "一中",
        "",
        NOW,
        NOW + timedelta(minutes=30),
        NOW + timedelta(minutes=2),
    )


@pytest.mark.parametrize(
    ("error", "attempt", "state", "wait_s"),
    [
        (SendError("x"), 1, State.QUEUED, 5),
        (SendError("x"), 2, State.QUEUED, 10),
        (SendError("x"), 9, State.QUEUED, 300),
        (SendError("x"), 10**6, State.QUEUED, 300),
        (SendError("x", retry_after_s=77), 1, State.QUEUED, 77),
        (SendError("x", retry_after_s=7), 3, State.QUEUED, 7),
        (SendError("x", retry_after_s=0), 3, State.QUEUED, 1),
        (SendError("x", retry_after_s=10**7), 1, State.QUEUED, 1800),
        (SendError("x", Verdict.QUOTA), 1, State.QUEUED, 5),
        (SendError("x", Verdict.NUMBER_QUOTA), 1, State.QUEUED, 60),
        (SendError("x", Verdict.NUMBER_QUOTA), 9, State.QUEUED, 300),
        (SendError("x", Verdict.PERMANENT), 1, State.FAILED, None),
        (SendError("x", Verdict.AMBIGUOUS), 1, State.UNKNOWN, None),
    ],
)
def test_what_follows_from_a_failed_try(
    error: SendError, attempt: int, state: MessageState, wait_s: float | None
) -> None:
    outcome = judge(error, a_claim(attempt), NOW, 1.0, may_another_take=False)
    due_at = None if wait_s is None else NOW + timedelta(seconds=wait_s)
    assert (outcome.state, outcome.due_at, outcome.error) == (state, due_at, "x")


def test_chance_spreads_the_next_try_over_half_of_the_wait() -> None:
    early = judge(SendError("x"), a_claim(3), NOW, 0.0, may_another_take=False)
    assert early.due_at == NOW + timedelta(seconds=10)


def test_another_carrier_takes_at_once_what_the_first_surely_did_not() -> None:
    for verdict in (Verdict.TEMPORARY, Verdict.QUOTA, Verdict.NUMBER_QUOTA):
        outcome = judge(SendError("x", verdict), a_claim(1), NOW, 1.0, may_another_take=True)
        assert (outcome.state, outcome.due_at) == (State.QUEUED, NOW)
        assert outcome.refused_by == {"first"}


def test_a_round_of_refusals_begins_anew_after_a_while() -> None:
    second = a_claim(2, frozenset({"other"}))
    outcome = judge(SendError("x"), second, NOW, 1.0, may_another_take=False)
    assert outcome.due_at == NOW + timedelta(seconds=10)
    assert outcome.refused_by == frozenset()


@pytest.mark.parametrize(
    ("verdict", "is_given_back"),
    [(verdict, verdict is not Verdict.AMBIGUOUS) for verdict in Verdict],
)
def test_what_was_surely_refused_counts_no_more_and_what_may_be_there_does(
    verdict: Verdict, is_given_back: bool
) -> None:
    for may_another_take in (True, False):
        error = SendError("x", verdict)
        outcome = judge(error, a_claim(1), NOW, 1.0, may_another_take=may_another_take)
        assert outcome.is_given_back == is_given_back
        spent = SendError("x", verdict, is_spent=True)
        outcome = judge(spent, a_claim(1), NOW, 1.0, may_another_take=may_another_take)
        assert not outcome.is_given_back
    assert not Outcome(State.ACCEPTED).is_given_back


@pytest.mark.parametrize("verdict", [Verdict.AMBIGUOUS, Verdict.PERMANENT])
def test_no_second_carrier_gets_what_the_first_may_have_or_refused_for_good(
    verdict: Verdict,
) -> None:
    error = SendError("x", verdict, is_number_bad=True)
    outcome = judge(error, a_claim(1), NOW, 1.0, may_another_take=True)
    assert outcome.due_at is None
    assert outcome.is_number_bad is (verdict is Verdict.PERMANENT)

"""One call to a carrier: what goes out, and what does not because it came too late."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from card_server.messages.limits import Sending
from card_server.sending.choosing import Carriers, Wanted
from card_server.sending.claiming import LEASE, Claim
from card_server.sending.handing_over import HELD_UP, hand_over
from card_server.sending.outcomes import Outcome
from card_server.storage.sealing import Seal
from integrations.sms.console import ConsoleCarrier
from integrations.sms.protocol import SendError, Sms, Verdict
from schema.tables.messages import MessageKind, MessageState

NOW = datetime(2026, 9, 1, tzinfo=UTC)
SEAL = Seal(bytes(32))
A_MINUTE = timedelta(minutes=1)


class Listening(ConsoleCarrier):
    """A carrier that keeps what it is given, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.given: list[Sms] = []
        self.error = error

    def send(self, sms: Sms) -> str:
        self.given.append(sms)
        if self.error:
            raise self.error
        return "its id"


def a_claim(*, seal: Seal = SEAL, code: str = "", wecom_id: str = "") -> Claim:
    """A message taken now, worth sending for half an hour."""
    return Claim(
        7,
        UUID(int=1),
        MessageKind.CODE if code else MessageKind.ARRIVAL,
        1,
        "console",
        frozenset(),
        Wanted("sms", bool(wecom_id), frozenset(), frozenset()),
        seal.close("+8613800000000"),
        wecom_id,
        Sending(7, NOW.date(), "", MessageKind.ARRIVAL, 1, 45),
        "【一中】验证码 ******",
        (("code", "******"),),
        seal.close(code) if code else None,
        "一中",
        "SMS_1",
        NOW,
        NOW + timedelta(minutes=30),
        NOW + LEASE,
    )


def hand_over_at(now: datetime, carrier: Listening, claim: Claim) -> Outcome:
    return hand_over(Carriers([carrier], lambda: now), SEAL, claim, lambda: now, 0.5)


def test_the_carrier_gets_the_number_the_text_and_our_reference() -> None:
    carrier = Listening()
    outcome = hand_over_at(NOW, carrier, a_claim())
    assert outcome == Outcome(MessageState.ACCEPTED, provider_id="its id")
    reference = "7-00000000000000000000000000000001"
    slots = (("code", "******"),)
    text = "【一中】验证码 ******"
    assert carrier.given == [Sms("+8613800000000", text, 1800, reference, "一中", "SMS_1", slots)]


def test_a_codes_digits_stand_in_what_goes_out_alone() -> None:
    carrier = Listening()
    hand_over_at(NOW, carrier, a_claim(code="135790"))
    [sms] = carrier.given
    assert (sms.text, sms.slots) == ("【一中】验证码 135790", (("code", "135790"),))


def test_on_wecom_it_goes_to_the_id_there() -> None:
    carrier = Listening()
    hand_over_at(NOW, carrier, a_claim(wecom_id="parent-1"))
    assert carrier.given[0].to == "parent-1"


@pytest.mark.parametrize(
    ("held_up", "is_sent"),
    [(timedelta(), True), (A_MINUTE, True), (1.1 * A_MINUTE, False), (60 * A_MINUTE, False)],
)
def test_what_was_held_up_until_others_may_send_it_is_not_handed_over(
    held_up: timedelta, is_sent: bool
) -> None:
    carrier, now = Listening(), NOW + held_up
    outcome = hand_over_at(now, carrier, a_claim())
    assert len(carrier.given) == is_sent
    if not is_sent:
        assert outcome == Outcome(MessageState.QUEUED, now, error=HELD_UP)


def test_a_number_sealed_with_another_key_is_not_the_carriers_fault() -> None:
    carrier = Listening()
    outcome = hand_over_at(NOW, carrier, a_claim(seal=Seal(bytes(31) + b"1")))
    assert outcome.state is MessageState.QUEUED
    assert "data_key" in str(outcome.error)
    assert carrier.given == []


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (SendError("no", Verdict.TEMPORARY), MessageState.QUEUED, "no"),
        (SendError("no", Verdict.PERMANENT), MessageState.FAILED, "no"),
        (SendError("?", Verdict.AMBIGUOUS), MessageState.UNKNOWN, "?"),
        (
            KeyError("+8613800000000"),
            MessageState.UNKNOWN,
            "The carrier's program failed (KeyError).",
        ),
    ],
)
def test_what_follows_from_a_refusal(error: Exception, state: MessageState, said: str) -> None:
    outcome = hand_over_at(NOW, Listening(error), a_claim())
    assert (outcome.state, outcome.error) == (state, said)

"""The real SDK against a local server: what goes over the wire, and what each answer means."""

import logging
import re
import socket
from collections.abc import Iterator

import pytest

from integrations.sms.protocol import SendError, Sms, Verdict
from integrations.sms.twilio import TwilioCarrier
from integrations.sms.twilio_codes import ERRORS
from tests.harness.ports import free_port
from tests.harness.sms_server import (
    ACCOUNT,
    SENDER,
    TOKEN,
    Answer,
    SmsServer,
    cut,
    fail_at_once,
    garble,
    refuse,
    stall,
    take_and_cut,
    take_and_stall,
)

NUMBER = "+8613800000042"
_T, _Q, _P, _A = Verdict.TEMPORARY, Verdict.QUOTA, Verdict.PERMANENT, Verdict.AMBIGUOUS
SMS = Sms(NUMBER, "【实验中学】家长您好，张三已于07:32进入学校。", 1200, "a-reference")


@pytest.fixture
def server() -> Iterator[SmsServer]:
    with SmsServer() as running:
        yield running


def carrier(server: SmsServer, sender: str = SENDER, timeout_s: float = 5) -> TwilioCarrier:
    return TwilioCarrier(ACCOUNT, TOKEN, sender, server.url, timeout_s)


def refusal(server: SmsServer, answer: Answer, timeout_s: float = 5) -> SendError:
    server.answer_with(answer)
    with pytest.raises(SendError) as caught:
        carrier(server, timeout_s=timeout_s).send(SMS)
    return caught.value


def test_an_accepted_message_is_asked_for_once_and_exactly(server: SmsServer) -> None:
    sid = carrier(server).send(SMS)
    [asked] = server.asked
    assert sid == "SM" + "0" * 31 + "1"
    assert asked.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert (asked.account, asked.token) == (ACCOUNT, TOKEN)
    assert asked.fields == {
        "To": NUMBER,
        "From": SENDER,
        "Body": SMS.text,
        "ValidityPeriod": "1200",
    }


def test_a_messaging_service_goes_in_its_own_field(server: SmsServer) -> None:
    service = "MG" + "a" * 32
    carrier(server, service).send(SMS)
    fields = server.asked[0].fields
    assert fields["MessagingServiceSid"] == service
    assert "From" not in fields


@pytest.mark.parametrize(
    ("valid_s", "sent"), [(0, "1"), (1, "1"), (36_000, "36000"), (10**6, "36000")]
)
def test_the_validity_stays_within_what_twilio_takes(
    server: SmsServer, valid_s: int, sent: str
) -> None:
    carrier(server).send(Sms(NUMBER, "x", valid_s, ""))
    assert server.asked[0].fields["ValidityPeriod"] == sent


def test_with_a_callback_address_a_receipt_is_asked_for_that_names_the_message(
    server: SmsServer,
) -> None:
    there = "https://card.school.example/callbacks/sms/twilio"
    TwilioCarrier(ACCOUNT, TOKEN, SENDER, server.url, callback_url=there).send(SMS)
    assert server.asked[0].fields["StatusCallback"] == f"{there}?reference=a-reference"


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_each_code_of_the_table_means_what_it_says(server: SmsServer, code: int) -> None:
    verdict, sentence, is_number_bad = ERRORS[code]
    error = refusal(server, refuse(400, code))
    assert (error.verdict, error.is_number_bad) == (verdict, is_number_bad)
    assert error.message == f"Twilio {code}: {sentence}"
    assert len(server.asked) == 1


def test_the_codes_that_condemn_a_number_are_these_and_are_permanent() -> None:
    bad = {code for code, meaning in ERRORS.items() if meaning.is_number_bad}
    assert bad == {
        *(21_211, 21_214, 21_217, 21_265, 21_266),
        *(21_610, 21_614, 21_635, 30_005, 30_006),
    }
    assert {ERRORS[code].verdict for code in bad} == {Verdict.PERMANENT}


@pytest.mark.parametrize(
    ("answer", "verdict", "sentence"),
    [
        (refuse(400, 29_999), _P, "29999: Twilio refuses the message; look the code up."),
        (refuse(401, 29_999), _T, "29999: Twilio does not accept the account or its token."),
        (refuse(404, 29_999), _T, "29999: Twilio does not know the account or the messaging"),
        (refuse(429, 21_614), _T, "21614: Too many requests at once."),
        (refuse(429, 63_038), _Q, "63038: The Twilio account has sent its messages of this day."),
        (refuse(500, 20_500), _A, "20500: Twilio failed: the message may have been accepted."),
        (refuse(503, 20_429), _A, "20429: Twilio failed: the message may have been accepted."),
        (refuse(302, 0), _A, "0: Twilio failed: the message may have been accepted."),
        (fail_at_once(30_005), _P, "30005: The number is not in service."),
        (fail_at_once(30_001), _Q, "30001: The sender's queue is full."),
        (garble, _A, "The answer cannot be read."),
        (cut, _A, "The connection was cut."),
        (take_and_cut, _A, "The connection was cut."),
    ],
)
def test_an_answer_outside_the_table(
    server: SmsServer, answer: Answer, verdict: Verdict, sentence: str
) -> None:
    error = refusal(server, answer)
    assert error.verdict is verdict
    assert re.match(f"Twilio:? {sentence}", error.message)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "verdict", "is_spent"),
    [
        (fail_at_once(14_107), Verdict.NUMBER_QUOTA, True),
        (fail_at_once(30_007), _P, True),
        (refuse(400, 14_107), Verdict.NUMBER_QUOTA, False),
        (refuse(400, 21_617), _P, False),
    ],
)
def test_what_twilio_took_before_it_dropped_it_may_cost_something(
    server: SmsServer, answer: Answer, verdict: Verdict, is_spent: bool
) -> None:
    error = refusal(server, answer)
    assert (error.verdict, error.is_spent) == (verdict, is_spent)


@pytest.mark.parametrize("code", [20_429, 63_038])
def test_too_many_requests_wait_as_long_as_asked(server: SmsServer, code: int) -> None:
    error = refusal(server, refuse(429, code, {"Retry-After": "17"}))
    assert (error.verdict, error.retry_after_s) == (ERRORS[code].verdict, 17)


@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "", "²"])
def test_a_wait_that_is_no_number_of_seconds_is_left_out(server: SmsServer, asked: str) -> None:
    headers = {"Retry-After": asked.encode().decode("latin-1")}
    assert refusal(server, refuse(429, 20_429, headers)).retry_after_s is None


def test_one_wait_does_not_outlive_its_answer(server: SmsServer) -> None:
    one = carrier(server)
    server.answer_with(refuse(429, 20_429, {"Retry-After": "17"}), refuse(401, 20_003))
    waits = []
    for _ in range(2):
        with pytest.raises(SendError) as caught:
            one.send(SMS)
        waits.append(caught.value.retry_after_s)
    assert waits == [17, None]


@pytest.mark.parametrize("answer", [stall, take_and_stall])
def test_an_answer_that_does_not_come_is_ambiguous(server: SmsServer, answer: Answer) -> None:
    error = refusal(server, answer, timeout_s=0.3)
    assert error.verdict is Verdict.AMBIGUOUS
    assert error.message == "Twilio: The answer took too long."
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_got_nothing() -> None:
    away = TwilioCarrier(ACCOUNT, TOKEN, SENDER, f"http://127.0.0.1:{free_port()}", 2)
    with pytest.raises(SendError) as caught:
        away.send(SMS)
    assert caught.value.verdict is Verdict.TEMPORARY
    assert caught.value.message == "Twilio cannot be reached; nothing was sent."


def test_a_connection_that_is_not_answered_carried_nothing() -> None:
    with socket.socket() as full, socket.socket() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting.connect(full.getsockname())
        port = full.getsockname()[1]
        away = TwilioCarrier(ACCOUNT, TOKEN, SENDER, f"http://127.0.0.1:{port}", 0.3)
        with pytest.raises(SendError) as caught:
            away.send(SMS)
    assert caught.value.verdict is Verdict.TEMPORARY


def test_a_name_that_does_not_resolve_got_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")  # no question leaves this machine

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    away = TwilioCarrier(ACCOUNT, TOKEN, SENDER, "http://twilio.invalid", 2)
    with pytest.raises(SendError) as caught:
        away.send(SMS)
    assert caught.value.verdict is Verdict.TEMPORARY


def test_no_error_and_no_log_line_holds_the_number(
    server: SmsServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [refuse(400, 21_211), refuse(400, 29_999), refuse(500, 20_500), cut, garble]
    said = [refusal(server, answer) for answer in answers]
    carrier(server).send(SMS)
    everything = "\n".join([*(f"{e!r} {e.__cause__!r}" for e in said), caplog.text])
    assert caplog.text
    assert not re.search("13800000042|张三", everything)


def test_check_passes_an_active_account(server: SmsServer) -> None:
    carrier(server).check()
    assert server.asked == []


def test_check_names_a_wrong_token_and_a_closed_account(server: SmsServer) -> None:
    with pytest.raises(SendError, match="Twilio 20003"):
        TwilioCarrier(ACCOUNT, "wrong", SENDER, server.url).check()
    server.account_status = "suspended"
    with pytest.raises(SendError, match="not active"):
        carrier(server).check()


@pytest.mark.parametrize("address", ["", "api.twilio.com", "ftp://api.twilio.com", "https://"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="https"):
        TwilioCarrier(ACCOUNT, TOKEN, SENDER, address)

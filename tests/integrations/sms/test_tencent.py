"""The real SDK against a local server that checks signatures: what each answer means."""

import logging
import re
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.sms.protocol import (
    Channel,
    Fate,
    Question,
    SendError,
    Sms,
    Verdict,
)
from integrations.sms.tencent import TencentCarrier
from integrations.sms.tencent_codes import CODES, meaning_of
from tests.harness.ports import free_port
from tests.harness.tencent_server import (
    APP_ID,
    SECRET_KEY,
    TencentServer,
    one_number,
    refuse,
    respond,
    sign,
)
from tests.harness.told_server import CUT, GARBLED, STALL, TORN, Answer, say

NUMBER = "+8613800000042"
REFERENCE = "0198f1c2-7a3e-7000-8000-0000000000aa"
SMS = Sms(
    to=NUMBER,
    text="【实验中学】家长您好，张三已于07:32进入学校。",
    valid_s=1200,
    reference=REFERENCE,
    signature="实验中学",
    template="1110001",
    slots=(("student", "张三"), ("time", "07:32")),
)
_T, _Q, _P, _A = Verdict.TEMPORARY, Verdict.QUOTA, Verdict.PERMANENT, Verdict.AMBIGUOUS


@pytest.fixture
def server() -> Iterator[TencentServer]:
    with TencentServer() as running:
        yield running


def carrier(server: TencentServer, **changed: Any) -> TencentCarrier:
    return TencentCarrier(**{"timeout_s": 5, **server.options(), **changed})


def refusal(server: TencentServer, answer: Answer, timeout_s: float = 5) -> SendError:
    server.answer_with(answer)
    with pytest.raises(SendError) as caught:
        carrier(server, timeout_s=timeout_s).send(SMS)
    assert len(server.asked) == 1
    return caught.value


def test_the_server_signs_as_tencent_publishes() -> None:
    # Tencent Cloud's documented example of TC3-HMAC-SHA256 (document 213/30654), to
    # cvm.tencentcloudapi.com, 2019-02-25.
    payload = (
        b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    )
    headers = {
        "content-type": "application/json; charset=utf-8",
        "host": "cvm.tencentcloudapi.com",
    }
    signature = sign("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "cvm", 1551113065, headers, payload)
    assert signature == "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"


def test_an_accepted_message_is_asked_for_once_and_exactly(server: TencentServer) -> None:
    serial = carrier(server).send(SMS)
    [asked] = server.asked
    assert serial == "2640:0001"
    assert asked.headers["x-tc-action"] == "SendSms"
    assert asked.headers["x-tc-region"] == "ap-guangzhou"
    assert asked.json == {
        "PhoneNumberSet": [NUMBER],
        "SmsSdkAppId": APP_ID,
        "SignName": "实验中学",
        "TemplateId": "1110001",
        "TemplateParamSet": ["张三", "07:32"],
        "SessionContext": REFERENCE,
    }


def test_it_sends_approved_texts_by_sms(server: TencentServer) -> None:
    assert (TencentCarrier.channel, TencentCarrier.needs_template) == (Channel.SMS, True)
    with pytest.raises(SendError, match="No approved template") as caught:
        carrier(server).send(Sms(NUMBER, "x", 60, REFERENCE))
    assert caught.value.verdict is _T
    assert server.asked == []


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_code_means_what_the_table_says(server: TencentServer, code: str) -> None:
    error = refusal(server, refuse(code))
    assert (error.verdict, error.is_number_bad) == (CODES[code].verdict, CODES[code].is_number_bad)
    assert error.message == f"Tencent {code}: {CODES[code].sentence}"


@pytest.mark.parametrize(
    ("code", "verdict", "is_bad"),
    [
        ("FailedOperation.PhoneNumberInBlacklist", _P, True),
        ("InvalidParameterValue.IncorrectPhoneNumber", _P, True),
        ("FailedOperation.ContainSensitiveWord", _P, False),
        ("LimitExceeded.PhoneNumberDailyLimit", Verdict.NUMBER_QUOTA, False),
        ("LimitExceeded.DeliveryFrequencyLimit", Verdict.NUMBER_QUOTA, False),
        ("LimitExceeded.AppDailyLimit", _Q, False),
        ("FailedOperation.InsufficientBalanceInSmsPackage", _Q, False),
        ("UnauthorizedOperation.ServiceSuspendDueToArrears", _Q, False),
        ("FailedOperation.TemplateIncorrectOrUnapproved", _T, False),
        ("InternalError.Timeout", _A, False),
    ],
)
def test_a_number_is_refused_though_the_request_succeeds(
    server: TencentServer, code: str, verdict: Verdict, is_bad: bool
) -> None:
    error = refusal(server, one_number(code, NUMBER))
    assert (error.verdict, error.is_number_bad) == (verdict, is_bad)
    assert error.message == f"Tencent {code}: {CODES[code].sentence}"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("LimitExceeded.Tomorrow", _Q),
        ("RequestLimitExceeded.UinLimitExceeded", _T),
        ("AuthFailure.Tomorrow", _T),
        ("UnauthorizedOperation.Tomorrow", _T),
        ("FailedOperation.Tomorrow", _T),
        ("InvalidParameterValue.Tomorrow", _T),
        ("InternalError.Tomorrow", _A),
        ("Tomorrow.Never", _A),
    ],
)
def test_an_unknown_code_is_judged_by_its_family(code: str, verdict: Verdict) -> None:
    assert code not in CODES
    assert meaning_of(code).verdict is verdict


@pytest.mark.parametrize(
    ("answer", "verdict", "sentence"),
    [
        (CUT, _A, "Tencent: The connection was cut."),
        (TORN, _A, "Tencent: The connection was cut."),
        (GARBLED, _A, "Tencent: The answer cannot be read."),
        (say([]), _A, "Tencent: The answer cannot be read."),
        (say({"Response": {"Error": {}}}), _A, "Tencent: The answer cannot be read."),
        (respond({}), _A, "Tencent: The answer names no message."),
        (respond({"SendStatusSet": []}), _A, "Tencent: The answer names no message."),
        (one_number("Ok", NUMBER), _A, "Tencent: The answer names no message."),
        (one_number("Ok", "+8613800000043", "1"), _A, "Tencent: The answer names no message."),
        (say({}, 500), _A, "Tencent HTTP 500: Tencent failed and said nothing more."),
        (say({}, 503), _A, "Tencent HTTP 503: Tencent failed and said nothing more."),
        (say({}, 408), _A, "Tencent HTTP 408: Tencent failed and said nothing more."),
        (say({}, 429), _T, "Tencent HTTP 429: Too many requests at once."),
        (
            say({}, 403),
            _T,
            "Tencent HTTP 403: The request was refused; check the carrier's address and proxies.",
        ),
        (
            refuse(f"Invalid {NUMBER}"),
            _A,
            "Tencent: Tencent refuses the request; look the code up.",
        ),
    ],
)
def test_an_answer_outside_the_table(
    server: TencentServer, answer: Answer, verdict: Verdict, sentence: str
) -> None:
    error = refusal(server, answer)
    assert (error.verdict, error.message) == (verdict, sentence)


def test_an_answer_that_does_not_come_is_ambiguous(server: TencentServer) -> None:
    error = refusal(server, STALL, timeout_s=0.3)
    assert (error.verdict, error.message) == (_A, "Tencent: The answer took too long.")


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (say({}, 429, {"Retry-After": "17"}), 17),
        (refuse("RequestLimitExceeded", {"Retry-After": "17"}), 17),
        (say({}, 429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), None),
        (say({}, 429), None),
    ],
)
def test_too_many_requests_wait_as_long_as_asked(
    server: TencentServer, answer: Answer, wait: float | None
) -> None:
    error = refusal(server, answer)
    assert (error.verdict, error.retry_after_s) == (_T, wait)


def test_one_wait_does_not_outlive_its_answer(server: TencentServer) -> None:
    one = carrier(server)
    server.answer_with(say({}, 429, {"Retry-After": "17"}), refuse("AuthFailure"))
    waits = []
    for _ in range(2):
        with pytest.raises(SendError) as caught:
            one.send(SMS)
        waits.append(caught.value.retry_after_s)
    assert waits == [17, None]


def test_a_server_that_is_not_there_got_nothing(server: TencentServer) -> None:
    away = carrier(server, base_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SendError, match="cannot be reached; nothing was sent") as caught:
        away.send(SMS)
    assert caught.value.verdict is _T


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"secret_key": "wrong"}, "AuthFailure.SignatureFailure"),
        ({"secret_id": "wrong"}, "AuthFailure.SecretIdNotFound"),
        ({"sdk_app_id": "wrong"}, "InvalidParameterValue.SdkAppIdNotExist"),
    ],
)
def test_check_names_what_is_wrong_with_the_account(
    server: TencentServer, changed: dict[str, str], code: str
) -> None:
    carrier(server).check()
    assert [asked.headers["x-tc-action"] for asked in server.asked] == ["SendStatusStatistics"]
    with pytest.raises(SendError, match=code) as caught:
        carrier(server, **changed).check()
    assert caught.value.verdict is _T


@pytest.mark.parametrize(
    "changed",
    [
        {"secret_id": ""},
        {"secret_key": " "},
        {"base_url": "sms.tencentcloudapi.com"},
        {"base_url": "ftp://sms.tencentcloudapi.com"},
        {"base_url": "https://sms.tencentcloudapi.com/v3"},
    ],
)
def test_an_option_that_cannot_work_is_refused_at_once(
    server: TencentServer, changed: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="Tencent's"):
        carrier(server, **changed)


def test_threads_send_at_once_and_each_gets_its_own_number(server: TencentServer) -> None:
    one = carrier(server)
    with ThreadPoolExecutor(8) as threads:
        serials = list(threads.map(lambda _: one.send(SMS), range(40)))
    assert len(set(serials)) == len(server.asked) == 40


def test_no_error_and_no_log_line_holds_the_number_the_text_or_the_key(
    server: TencentServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [
        refuse("FailedOperation.PhoneNumberInBlacklist"),
        refuse("Tomorrow.Never"),
        one_number("InvalidParameterValue.IncorrectPhoneNumber", NUMBER),
        say({"number": NUMBER}, 500),
        GARBLED,
        CUT,
    ]
    one = carrier(server)
    server.answer_with(*answers)
    said = []
    for _ in answers:
        with pytest.raises(SendError) as caught:
            one.send(SMS)
        error = caught.value
        said.append(f"{error!r} {error.__context__!r} {''.join(traceback.format_exception(error))}")
    one.send(SMS)
    everything = "\n".join([*said, caplog.text, repr(one)])
    assert "urllib3" in caplog.text
    assert not re.search(f"13800000042|张三|\\\\u5f20|{SECRET_KEY}", everything)


# --- what became of a message ---


def question(
    serial: str = "", ago: timedelta = timedelta(minutes=15), reference: str = REFERENCE
) -> Question:
    return Question(NUMBER, SMS.text, reference, serial, datetime.now(UTC) - ago)


def status(serial: str, code: str = "DELIVRD", reference: str = "") -> dict[str, object]:
    return {
        "SerialNo": serial,
        "PhoneNumber": NUMBER,
        "ReportStatus": "SUCCESS" if code == "DELIVRD" else "FAIL",
        "Description": code,
        "SessionContext": reference,
        "UserReceiveTime": 1620734188,
    }


@pytest.mark.parametrize(
    ("serial", "statuses", "fate"),
    [
        ("1:7", [status("1:7")], Fate.DELIVERED),
        ("1:7", [status("1:7", "UNDELIV")], Fate.UNDELIVERED),
        ("1:7", [status("1:7"), status("1:7", "UNDELIV")], Fate.UNDELIVERED),
        ("1:7", [status("1:8")], Fate.ACCEPTED),
        ("1:7", [], Fate.ACCEPTED),
        ("", [status("1:7", reference=REFERENCE)], Fate.DELIVERED),
        ("", [status("1:7", "EXPIRED", REFERENCE)], Fate.UNDELIVERED),
        ("", [status("1:7", reference="another")], Fate.UNSURE),
        ("", [status("1:7")], Fate.UNSURE),
        ("", [], Fate.UNSURE),
    ],
)
def test_a_message_is_found_by_serial_number_or_reference_and_never_guessed(
    server: TencentServer, serial: str, statuses: list[dict[str, object]], fate: Fate
) -> None:
    server.statuses = statuses
    report = carrier(server).look_up(question(serial))
    assert report.fate is fate
    assert report.provider_id == ("1:7" if fate is not Fate.UNSURE else "")


def test_a_message_without_serial_number_and_reference_is_nobodys(server: TencentServer) -> None:
    server.statuses = [status("1:7")]
    assert carrier(server).look_up(question(reference="")).fate is Fate.UNSURE


@pytest.mark.parametrize("ago", [timedelta(minutes=15), timedelta(days=30)])
def test_a_look_up_asks_for_the_time_since_the_try_but_at_most_a_week(
    server: TencentServer, ago: timedelta
) -> None:
    carrier(server).look_up(question(ago=ago))
    [asked] = server.asked
    fields, now = asked.json, datetime.now(UTC).timestamp()
    assert fields["PhoneNumber"] == NUMBER
    assert (fields["Offset"], fields["Limit"]) == (0, 100)
    assert fields["EndTime"] >= now - 5
    assert fields["BeginTime"] <= now - ago.total_seconds() or ago.days
    assert fields["BeginTime"] > now - timedelta(days=7).total_seconds()


def test_a_look_up_that_fails_says_so(server: TencentServer) -> None:
    server.answer_with(CUT)
    with pytest.raises(SendError, match="cut"):
        carrier(server).look_up(question("1:7"))

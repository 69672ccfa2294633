"""School notices against a local server: what goes over the wire, and what each answer means."""

import logging
import re
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.sms.protocol import (
    Callback,
    Channel,
    Fate,
    Forged,
    Question,
    SendError,
    Sms,
    Verdict,
)
from integrations.sms.wecom import WecomCarrier
from integrations.sms.wecom_codes import CODES, SPENT_TOKEN, UNKNOWN_PARENT
from tests.harness.ports import free_port
from tests.harness.told_server import CUT, GARBLED, STALL, TORN, Answer, say
from tests.harness.wecom_server import (
    AGENT_ID,
    SECRET,
    WecomServer,
    accept_but_for,
    refuse,
)

PARENT = "zhangsan_parent1"
SMS = Sms(PARENT, "【实验中学】家长您好，张三已于07:32进入学校。", 1200, "a-reference")
_T, _Q, _P, _A = Verdict.TEMPORARY, Verdict.QUOTA, Verdict.PERMANENT, Verdict.AMBIGUOUS
_UNREAD = "WeCom: The answer cannot be read."


@pytest.fixture
def server() -> Iterator[WecomServer]:
    with WecomServer() as running:
        yield running


class Clock:
    """Seconds that pass when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def carrier(server: WecomServer, **changed: Any) -> WecomCarrier:
    return WecomCarrier(**{"timeout_s": 5, **server.options(), **changed})


def refusal(server: WecomServer, answer: Answer, timeout_s: float = 5) -> SendError:
    server.answer_with(answer)
    with pytest.raises(SendError) as caught:
        carrier(server, timeout_s=timeout_s).send(SMS)
    assert len(server.asked) == 1
    return caught.value


def test_an_accepted_notice_is_asked_for_once_and_exactly(server: WecomServer) -> None:
    assert carrier(server).send(SMS) == ""
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/cgi-bin/externalcontact/message/send")
    assert asked.query == {"access_token": "token-1"}
    assert asked.json == {
        "recv_scope": 0,
        "to_parent_userid": [PARENT],
        "msgtype": "text",
        "agentid": AGENT_ID,
        "text": {"content": SMS.text},
        "enable_duplicate_check": 1,
        "duplicate_check_interval": 14_400,
    }


def test_it_sends_any_text_by_wecom() -> None:
    assert (WecomCarrier.channel, WecomCarrier.needs_template) == (Channel.WECOM, False)


@pytest.mark.parametrize("code", sorted(set(CODES) - set(SPENT_TOKEN)))
def test_each_code_means_what_the_table_says(server: WecomServer, code: int) -> None:
    error = refusal(server, refuse(code))
    assert (error.verdict, error.is_number_bad) == (CODES[code].verdict, CODES[code].is_number_bad)
    assert error.message == f"WeCom {code}: {CODES[code].sentence}"


@pytest.mark.parametrize("listed", [PARENT, PARENT.upper()])
def test_a_parent_on_the_list_of_refused_ones_was_not_written_to(
    server: WecomServer, listed: str
) -> None:
    error = refusal(server, accept_but_for(["another", listed]))
    assert (error.verdict, error.is_number_bad) == (_P, True)
    assert error.message == f"WeCom: {UNKNOWN_PARENT.sentence}"


def test_lists_of_others_or_none_are_no_refusal(server: WecomServer) -> None:
    server.answer_with(
        accept_but_for(["another"]),
        say({"errcode": 0, "invalid_parent_userid": None, "invalid_external_user": None}),
        say({"errcode": 0}),
    )
    one = carrier(server)
    for _ in range(3):
        one.send(SMS)


@pytest.mark.parametrize(
    ("answer", "verdict", "sentence"),
    [
        (refuse(99_999), _T, "WeCom 99999: WeCom refuses the message; look the code up."),
        (CUT, _A, "WeCom: The connection was cut."),
        (TORN, _A, "WeCom: The connection was cut."),
        (GARBLED, _A, _UNREAD),
        (say([]), _A, _UNREAD),
        (say({}), _A, _UNREAD),
        (say({"errcode": "0"}), _A, _UNREAD),
        (Answer(200, b'{"errcode": 0, "access_token": "\xff"}'), _A, _UNREAD),
        (say({}, 500), _A, "WeCom HTTP 500: WeCom failed and said nothing more."),
        (
            say({}, 307, {"Location": "/elsewhere"}),
            _A,
            "WeCom HTTP 307: WeCom failed and said nothing more.",
        ),
        (say({}, 429), _T, "WeCom HTTP 429: Too many requests at once."),
    ],
)
def test_an_answer_outside_the_table(
    server: WecomServer, answer: Answer, verdict: Verdict, sentence: str
) -> None:
    error = refusal(server, answer)
    assert (error.verdict, error.message) == (verdict, sentence)


def test_an_answer_that_does_not_come_is_ambiguous(server: WecomServer) -> None:
    error = refusal(server, STALL, timeout_s=0.3)
    assert (error.verdict, error.message) == (_A, "WeCom: The answer took too long.")


def test_too_many_requests_wait_as_long_as_asked(server: WecomServer) -> None:
    error = refusal(server, say({}, 429, {"Retry-After": "17"}))
    assert (error.verdict, error.retry_after_s) == (_T, 17)


def test_a_server_that_is_not_there_got_nothing(server: WecomServer) -> None:
    away = carrier(server, base_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SendError, match="cannot be reached; nothing was sent") as caught:
        away.send(SMS)
    assert caught.value.verdict is _T


# --- the access token ---


def test_a_token_is_kept_until_shortly_before_its_end(server: WecomServer) -> None:
    clock = Clock()
    one = carrier(server, clock=clock)
    one.send(SMS)
    clock.now += 6899
    one.send(SMS)
    assert server.tokens_asked == 1
    clock.now += 2
    one.send(SMS)
    assert server.tokens_asked == 2
    assert [asked.query["access_token"] for asked in server.asked] == [
        "token-1",
        "token-1",
        "token-2",
    ]


def test_a_token_that_ends_early_is_renewed_and_the_notice_sent_once(server: WecomServer) -> None:
    one = carrier(server)
    one.send(SMS)
    server.end_token()
    one.send(SMS)
    assert [asked.query["access_token"] for asked in server.asked] == [
        "token-1",
        "token-1",
        "token-2",
    ]


@pytest.mark.parametrize("code", SPENT_TOKEN)
def test_a_token_that_never_holds_is_renewed_only_once(server: WecomServer, code: int) -> None:
    server.answer_with(refuse(code), refuse(code))
    with pytest.raises(SendError, match=f"WeCom {code}") as caught:
        carrier(server).send(SMS)
    assert caught.value.verdict is _T
    assert (len(server.asked), server.tokens_asked) == (2, 2)


def test_threads_share_one_token_and_renew_it_once(server: WecomServer) -> None:
    one = carrier(server)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: one.send(SMS), range(24)))
        assert (server.tokens_asked, len(server.asked)) == (1, 24)
        server.end_token()
        list(threads.map(lambda _: one.send(SMS), range(24)))
    assert server.tokens_asked == 2


@pytest.mark.parametrize(
    ("answer", "verdict", "sentence"),
    [
        (refuse(40001), _T, "WeCom 40001: The app's secret is wrong."),
        (refuse(45009), _Q, f"WeCom 45009: {CODES[45009].sentence}"),
        (refuse(-1), _T, f"WeCom -1: {CODES[-1].sentence}"),
        (refuse(40003), _T, f"WeCom 40003: {CODES[40003].sentence}"),
        (say({"errcode": 0}), _T, "WeCom 0: WeCom refuses the message; look the code up."),
        (GARBLED, _T, _UNREAD),
        (CUT, _T, "WeCom: The connection was cut."),
        (say({}, 500), _T, "WeCom HTTP 500: WeCom failed and said nothing more."),
    ],
)
def test_without_a_token_nothing_was_sent(
    server: WecomServer, answer: Answer, verdict: Verdict, sentence: str
) -> None:
    server.token_answer = answer
    with pytest.raises(SendError) as caught:
        carrier(server).send(SMS)
    error = caught.value
    assert (error.verdict, error.message, error.is_number_bad) == (verdict, sentence, False)
    assert server.asked == []


def test_a_refused_token_is_not_asked_for_by_everybody_at_once(server: WecomServer) -> None:
    clock = Clock()
    one = carrier(server, clock=clock)
    server.token_answer = refuse(40001)

    def try_to_send(_: int) -> Verdict:
        with pytest.raises(SendError, match="secret is wrong") as caught:
            one.send(SMS)
        return caught.value.verdict

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(try_to_send, range(24))) == {_T}
    assert server.tokens_asked == 1
    server.token_answer = None
    clock.now += 6
    one.send(SMS)
    assert (server.tokens_asked, len(server.asked)) == (2, 1)


# --- the rest ---


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"corp_id": "wrong"}, 40013), ({"secret": "wrong"}, 40001), ({"agent_id": "7"}, 301002)],
)
def test_check_names_what_is_wrong_with_the_app(
    server: WecomServer, changed: dict[str, str], code: int
) -> None:
    carrier(server).check()
    assert server.asked == []
    with pytest.raises(SendError, match=f"WeCom {code}") as caught:
        carrier(server, **changed).check()
    assert caught.value.verdict is _T


def test_what_became_of_a_notice_is_never_guessed(server: WecomServer) -> None:
    question = Question(PARENT, SMS.text, "a-reference", "", datetime.now(UTC))
    report = carrier(server).look_up(question)
    assert (report.fate, report.reference) == (Fate.UNSURE, "a-reference")
    assert (server.asked, server.tokens_asked) == ([], 0)


def test_nobody_calls_us_in_wecoms_name(server: WecomServer) -> None:
    with pytest.raises(Forged):
        carrier(server).read(Callback("POST", "https://x/callbacks/sms/wecom/k", {}, b"{}"))


@pytest.mark.parametrize(
    "changed",
    [
        {"agent_id": ""},
        {"agent_id": "one"},
        {"base_url": "qyapi.weixin.qq.com"},
        {"base_url": "ftp://qyapi.weixin.qq.com"},
    ],
)
def test_an_option_that_cannot_work_is_refused_at_once(
    server: WecomServer, changed: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="WeCom's"):
        carrier(server, **changed)


def test_no_error_and_no_log_line_holds_the_parent_the_text_or_a_secret(
    server: WecomServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [refuse(81013), refuse(99_999), accept_but_for([PARENT]), say({}, 500), GARBLED, CUT]
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
    assert "/cgi-bin/gettoken" in caplog.text, "the library logs what it asks for"
    assert not re.search(f"{PARENT}|张三|\\\\u5f20|token-1|{SECRET}", everything)

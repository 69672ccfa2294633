"""What Aliyun's records say of a message that may have been sent, and when they prove that not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from integrations.sms.aliyun import AliyunCarrier
from integrations.sms.protocol import Fate, Question, Report, SendError, Sms, Verdict
from tests.harness.aliyun_server import (
    KEY_ID,
    SECRET,
    AliyunServer,
    Answer,
    cut,
    cut_in_mid_answer,
    garble,
    refuse,
    reply_with,
    stall,
)

NUMBER = "+8613800000042"
TEXT = "【实验中学】家长您好，张三已于07:32进入学校。"
SMS = Sms(NUMBER, TEXT, 1200, "0198-a-reference", "实验中学", "SMS_1", (("student", "张三"),))
NOON = datetime(2026, 9, 1, 4, tzinfo=UTC)
"""In Shanghai."""


@pytest.fixture
def server() -> Iterator[AliyunServer]:
    with AliyunServer() as running:
        yield running


def carrier(server: AliyunServer, timeout_s: float = 5) -> AliyunCarrier:
    return AliyunCarrier(
        access_key_id=KEY_ID,
        access_key_secret=SECRET,
        base_url=server.url,
        timeout_s=timeout_s,
    )


def question(reference: str = SMS.reference, provider_id: str = "", age_s: float = 61) -> Question:
    tried_at = datetime.now(UTC) - timedelta(seconds=age_s)
    return Question(NUMBER, TEXT, reference, provider_id, tried_at)


@pytest.mark.parametrize("answer", [stall, cut, cut_in_mid_answer])
def test_a_message_whose_answer_was_lost_is_found_by_our_reference(
    server: AliyunServer, answer: Answer
) -> None:
    server.answer_with(answer)
    with pytest.raises(SendError) as caught:
        carrier(server, 0.3).send(SMS)
    assert caught.value.verdict is Verdict.AMBIGUOUS
    assert carrier(server).look_up(question(age_s=0)) == Report(
        Fate.ACCEPTED, reference=SMS.reference
    )


@pytest.mark.parametrize(
    ("changes", "fate", "sentence"),
    [
        ({"SendStatus": 1}, Fate.ACCEPTED, ""),
        ({"SendStatus": 3, "ErrCode": "DELIVERED"}, Fate.DELIVERED, ""),
        ({"SendStatus": "3"}, Fate.DELIVERED, ""),
        ({"SendStatus": 2, "ErrCode": "REQUEST_SUCCESS"}, Fate.ACCEPTED, ""),
        (
            {"SendStatus": 2, "ErrCode": "NO_ROUTE"},
            Fate.UNDELIVERED,
            "Aliyun NO_ROUTE: Aliyun has no way to send this text now.",
        ),
        ({"SendStatus": 9}, Fate.UNSURE, ""),
    ],
)
@pytest.mark.parametrize("is_id_known", [True, False])
def test_what_aliyun_shows_of_it(
    server: AliyunServer,
    changes: dict[str, object],
    fate: Fate,
    sentence: str,
    is_id_known: bool,
) -> None:
    server.record({"PhoneNumbers": "13800000042", "OutId": "another"})
    mine = server.record({"PhoneNumbers": "13800000042", "OutId": SMS.reference}, **changes)
    asked = question(provider_id=mine if is_id_known else "", age_s=0)
    assert carrier(server).look_up(asked) == Report(
        fate, asked.provider_id, SMS.reference, sentence
    )


def test_it_is_found_on_the_last_of_many_pages(server: AliyunServer) -> None:
    for i in range(120):
        server.record({"PhoneNumbers": "13800000042", "OutId": f"r-{i}"})
    assert carrier(server).look_up(question("r-119", age_s=0)).fate is Fate.ACCEPTED


@pytest.mark.parametrize(("age_s", "fate"), [(61, Fate.ABSENT), (30, Fate.UNSURE)])
def test_what_is_nowhere_is_absent_only_when_it_would_have_shown(
    server: AliyunServer, age_s: float, fate: Fate, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop_clock(monkeypatch, NOON)
    asked = Question(NUMBER, TEXT, "r", "", NOON - timedelta(seconds=age_s))
    assert carrier(server).look_up(asked).fate is fate


@pytest.mark.parametrize("count", [0, 3, 60])
def test_messages_that_aliyun_counts_but_does_not_show_may_be_ours(
    server: AliyunServer, count: int
) -> None:
    for i in range(count):
        server.record({"PhoneNumbers": "13800000042", "OutId": f"r-{i}"})
    server.unshown = 1
    assert carrier(server).look_up(question("r")).fate is Fate.UNSURE


def test_messages_without_a_reference_may_be_ours(server: AliyunServer) -> None:
    server.record({"PhoneNumbers": "13800000042"})
    assert carrier(server).look_up(question()).fate is Fate.UNSURE


def test_too_many_messages_to_read_them_all_may_hide_ours(server: AliyunServer) -> None:
    for i in range(501):
        server.record({"PhoneNumbers": "13800000042", "OutId": f"r-{i}"})
    assert carrier(server).look_up(question("r")).fate is Fate.UNSURE
    assert len(server.asked) <= 20


def test_a_message_that_had_an_id_is_never_absent(server: AliyunServer) -> None:
    assert carrier(server).look_up(question(provider_id="7^0")) == Report(
        Fate.UNSURE, "7^0", SMS.reference
    )


@pytest.mark.parametrize(
    ("now", "tried_at", "days", "fate"),
    [  # UTC; in Shanghai it is eight hours later
        ("2026-09-01T05:00", "2026-09-01T04:00", ["20260901"], Fate.ABSENT),
        ("2026-08-31T16:10", "2026-08-31T15:59", ["20260831", "20260901"], Fate.ABSENT),
        ("2026-08-31T16:10", "2026-08-31T16:01", ["20260831", "20260901"], Fate.ABSENT),
        # Tomorrow may have begun for Aliyun, so today alone proves nothing.
        ("2026-08-31T15:58", "2026-08-31T15:50", ["20260831"], Fate.UNSURE),
    ],
)
def test_near_midnight_both_days_are_asked_for(
    server: AliyunServer,
    monkeypatch: pytest.MonkeyPatch,
    now: str,
    tried_at: str,
    days: list[str],
    fate: Fate,
) -> None:
    _stop_clock(monkeypatch, datetime.fromisoformat(now).replace(tzinfo=UTC))
    tried = datetime.fromisoformat(tried_at).replace(tzinfo=UTC)
    report = carrier(server).look_up(Question(NUMBER, TEXT, "r", "", tried))
    assert [asked.fields["SendDate"] for asked in server.asked] == days
    assert report.fate is fate


@pytest.mark.parametrize("answer", [refuse("isp.SYSTEM_ERROR"), refuse("X", 500), garble, cut])
def test_a_question_that_failed_tells_nothing(server: AliyunServer, answer: Answer) -> None:
    server.answer_with(answer)
    with pytest.raises(SendError):
        carrier(server).look_up(question())


@pytest.mark.parametrize(
    ("body", "fate"),
    [
        ({"Code": "OK"}, Fate.UNSURE),
        ({"Code": "OK", "TotalCount": "many"}, Fate.UNSURE),
        ({"Code": "OK", "TotalCount": 1, "SmsSendDetailDTOs": {}}, Fate.UNSURE),
        ({"Code": "OK", "TotalCount": 0}, Fate.ABSENT),
        ({"Code": "OK", "TotalCount": "0", "SmsSendDetailDTOs": {}}, Fate.ABSENT),
    ],
)
def test_only_a_count_of_nothing_proves_that_there_is_nothing(
    server: AliyunServer,
    monkeypatch: pytest.MonkeyPatch,
    body: dict[str, object],
    fate: Fate,
) -> None:
    _stop_clock(monkeypatch, NOON)
    server.answer_with(reply_with(body))
    asked = Question(NUMBER, TEXT, "r", "", NOON - timedelta(hours=1))
    assert carrier(server).look_up(asked).fate is fate


def _stop_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Stopped":
            return cls.fromtimestamp(now.timestamp(), UTC)

    monkeypatch.setattr("integrations.sms.aliyun.datetime", Stopped)

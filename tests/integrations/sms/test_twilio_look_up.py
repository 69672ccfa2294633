"""What became of a message whose answer was lost: Twilio is asked, and never guessed for."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from integrations.sms.protocol import Fate, Question, Report, SendError, Sms, Verdict
from integrations.sms.twilio import TwilioCarrier
from tests.harness.sms_server import (
    ACCOUNT,
    SENDER,
    TOKEN,
    Answer,
    SmsServer,
    cut,
    take_and_cut,
    take_and_stall,
)

NUMBER = "+8613800000042"
TEXT = "【实验中学】家长您好，张三已于07:32进入学校。"


@pytest.fixture
def server() -> Iterator[SmsServer]:
    with SmsServer() as running:
        yield running


def carrier(server: SmsServer, token: str = TOKEN, timeout_s: float = 5) -> TwilioCarrier:
    return TwilioCarrier(ACCOUNT, token, SENDER, server.url, timeout_s)


def question(age_s: float = 90, provider_id: str = "", text: str = TEXT) -> Question:
    tried_at = datetime.now(UTC) - timedelta(seconds=age_s)
    return Question(NUMBER, text, "our-1", provider_id, tried_at)


@pytest.mark.parametrize(
    ("answer", "fate"),
    [(take_and_cut, Fate.ACCEPTED), (take_and_stall, Fate.ACCEPTED), (cut, Fate.ABSENT)],
)
def test_a_message_whose_answer_was_lost_is_there_or_surely_not(
    server: SmsServer, answer: Answer, fate: Fate
) -> None:
    server.answer_with(answer)
    one = carrier(server, timeout_s=0.3)
    with pytest.raises(SendError) as caught:
        one.send(Sms(NUMBER, TEXT, 60, "our-1"))
    assert caught.value.verdict is Verdict.AMBIGUOUS
    report = one.look_up(question())
    sids = [kept.sid for kept in server.kept]
    assert report == Report(fate, sids[0] if sids else "", "our-1")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("state", "fate"),
    [
        ("accepted", Fate.ACCEPTED),
        ("queued", Fate.ACCEPTED),
        ("sending", Fate.ACCEPTED),
        ("sent", Fate.ACCEPTED),
        ("scheduled", Fate.ACCEPTED),
        ("delivered", Fate.DELIVERED),
        ("read", Fate.DELIVERED),
        ("undelivered", Fate.UNDELIVERED),
        ("failed", Fate.UNDELIVERED),
        ("canceled", Fate.UNDELIVERED),
        ("partially_delivered", Fate.UNDELIVERED),
        ("received", Fate.UNSURE),
        ("a word of next year", Fate.UNSURE),
    ],
)
@pytest.mark.parametrize("by_sid", [True, False])
def test_each_state_of_twilio_is_a_fate(
    server: SmsServer, by_sid: bool, state: str, fate: Fate
) -> None:
    sid = server.keep(NUMBER, TEXT, state).sid
    report = carrier(server).look_up(question(provider_id=sid if by_sid else ""))
    assert (report.fate, report.provider_id, report.reference) == (fate, sid, "our-1")
    assert bool(report.sentence) is (fate is Fate.UNDELIVERED)
    assert not report.is_number_bad


def test_why_it_was_not_delivered_is_said(server: SmsServer) -> None:
    sid = server.keep(NUMBER, TEXT, "undelivered", 30_005).sid
    assert carrier(server).look_up(question(provider_id=sid)) == Report(
        Fate.UNDELIVERED, sid, "our-1", "Twilio 30005: The number is not in service.", True
    )


def test_a_message_that_twilio_had_is_never_absent(server: SmsServer) -> None:
    forgotten = "SM" + "9" * 32
    report = carrier(server).look_up(question(provider_id=forgotten))
    assert report == Report(Fate.UNSURE, forgotten, "our-1")


@pytest.mark.parametrize(("age_s", "fate"), [(55, Fate.UNSURE), (65, Fate.ABSENT)])
def test_what_is_not_there_is_absent_only_after_a_minute(
    server: SmsServer, age_s: float, fate: Fate
) -> None:
    assert carrier(server).look_up(question(age_s)) == Report(fate, reference="our-1")
    assert len(server.questions) == 1


def test_another_text_an_older_one_and_another_number_are_not_the_message(
    server: SmsServer,
) -> None:
    server.keep("+8613800000043", TEXT)
    server.keep(NUMBER, TEXT.replace("07:32", "07:33"))
    server.keep(NUMBER, TEXT, created_at=datetime.now(UTC) - timedelta(hours=1))
    assert carrier(server).look_up(question()).fate is Fate.ABSENT


def test_a_clock_that_differs_by_minutes_hides_no_message(server: SmsServer) -> None:
    server.keep(NUMBER, TEXT, created_at=datetime.now(UTC) - timedelta(minutes=5))
    assert carrier(server).look_up(question()).fate is Fate.ACCEPTED


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Dear parent, “Li Lei”… 07:32", 'Dear parent, "Li Lei"... 07:32'),
        ("Dear parent, Li Lei", "Sent from your Twilio trial account - Dear parent, Li Lei"),
        ("Li\u00a0Lei  entered", "Li Lei entered "),
    ],
)
def test_what_twilio_changes_in_a_text_hides_no_message(
    server: SmsServer, sent: str, kept: str
) -> None:
    server.keep(NUMBER, kept)
    assert carrier(server).look_up(question(text=sent)).fate is Fate.ACCEPTED


def test_an_account_that_forgets_texts_cannot_say_that_one_is_absent(server: SmsServer) -> None:
    server.keep(NUMBER, "")
    assert carrier(server).look_up(question()).fate is Fate.UNSURE


@pytest.mark.parametrize(("others", "fate"), [(999, Fate.ABSENT), (1000, Fate.UNSURE)])
def test_a_list_that_is_not_read_to_its_end_proves_nothing(
    server: SmsServer, others: int, fate: Fate
) -> None:
    for _ in range(others):
        server.keep(NUMBER, "another")
    assert carrier(server).look_up(question()).fate is fate
    assert len(server.questions) == 5


def test_a_waiting_message_at_the_end_of_a_long_list_is_found(server: SmsServer) -> None:
    server.keep(NUMBER, TEXT)
    for _ in range(300):
        server.keep(NUMBER, "another")
    assert carrier(server).look_up(question()).fate is Fate.ACCEPTED
    assert len(server.questions) == 2


@pytest.mark.parametrize("provider_id", ["", "SM" + "1" * 32])
def test_a_question_that_is_refused_tells_nothing(server: SmsServer, provider_id: str) -> None:
    with pytest.raises(SendError, match=r"^Twilio 20003: Twilio does not accept the account"):
        carrier(server, "wrong").look_up(question(provider_id=provider_id))


def test_no_log_line_holds_the_number(server: SmsServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    carrier(server).look_up(question())
    assert NUMBER[1:] in server.questions[0]
    assert NUMBER[-8:] not in caplog.text

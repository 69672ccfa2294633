"""What follows each answer of each carrier, from its real SDK to the row and what staff read."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from card_server.sending.choosing import Carriers
from integrations.sms.protocol import Channel
from schema.messages import utc_now
from schema.tables.messages import MessageState, PhoneStanding
from tests.harness import aliyun_server as aliyun
from tests.harness import sms_server as twilio
from tests.harness import tencent_server as tencent
from tests.harness import wecom_server as wecom
from tests.harness.lines import Line, to_aliyun, to_tencent, to_twilio, to_wecom
from tests.harness.outbox import (
    approve_texts,
    messages,
    move_to_wecom,
    number,
    queue,
    wait_for_idle_rounds,
    working,
)
from tests.harness.told_server import CUT, GARBLED, STALL, TORN, say
from tests.harness.waiting import wait_for

State = MessageState
PATIENT_S = 15.0
SOON, LATER = 2.5, 30
"""The seconds, at least, between a first try that failed and the next; the second for a number
that has had its messages."""


class Case(NamedTuple):
    """An answer, and what must follow."""

    answer: Any
    state: MessageState
    error: str | None = None
    rest_s: float | None = None
    """When it is tried again, after so many seconds at least."""
    is_number_bad: bool = False


OF_TWILIO = {
    "accepts": Case(twilio.accept, State.ACCEPTED),
    "cut after accepting": Case(
        twilio.take_and_cut, State.UNKNOWN, "Twilio: The connection was cut."
    ),
    "cut before": Case(twilio.cut, State.UNKNOWN, "Twilio: The connection was cut."),
    "garbled": Case(twilio.garble, State.UNKNOWN, "Twilio: The answer cannot be read."),
    "500": Case(
        twilio.refuse(500, 20500),
        State.UNKNOWN,
        "Twilio 20500: Twilio failed: the message may have been accepted.",
    ),
    "429": Case(
        twilio.refuse(429, 20429, {"Retry-After": "77"}),
        State.QUEUED,
        "Twilio 20429: Too many requests at once.",
        77,
    ),
    "credit used up": Case(
        twilio.refuse(400, 30002),
        State.QUEUED,
        "Twilio 30002: The Twilio account is suspended, mostly because its credit is used up.",
        SOON,
    ),
    "sender's queue full": Case(
        twilio.fail_at_once(30001), State.QUEUED, "Twilio 30001: The sender's queue is full.", SOON
    ),
    "account refused": Case(
        twilio.refuse(401, 20003),
        State.QUEUED,
        "Twilio 20003: Twilio does not accept the account or its token.",
        SOON,
    ),
    "bad number": Case(
        twilio.refuse(400, 21211),
        State.FAILED,
        "Twilio 21211: The number is not valid.",
        is_number_bad=True,
    ),
    "unsubscribed": Case(
        twilio.refuse(400, 21610),
        State.FAILED,
        "Twilio 21610: The parent has unsubscribed from this sender.",
        is_number_bad=True,
    ),
    "text too long": Case(
        twilio.refuse(400, 21617), State.FAILED, "Twilio 21617: The text is too long."
    ),
    "filtered out": Case(
        twilio.fail_at_once(30007),
        State.FAILED,
        "Twilio 30007: The network filtered the message out.",
    ),
    "unheard of": Case(
        twilio.refuse(400, 29999),
        State.FAILED,
        "Twilio 29999: Twilio refuses the message; look the code up.",
    ),
}
OF_ALIYUN = {
    "accepts": Case(aliyun.accept, State.ACCEPTED),
    "cut after accepting": Case(aliyun.cut, State.UNKNOWN, "Aliyun: The connection was cut."),
    "cut in the answer": Case(
        aliyun.cut_in_mid_answer, State.UNKNOWN, "Aliyun: The connection was cut."
    ),
    "garbled": Case(aliyun.garble, State.UNKNOWN, "Aliyun: The answer cannot be read."),
    "500": Case(
        aliyun.reply_with({}, 500),
        State.UNKNOWN,
        "Aliyun HTTP 500: Aliyun failed and said nothing more.",
    ),
    "fails within": Case(
        aliyun.refuse("isp.SYSTEM_ERROR"),
        State.UNKNOWN,
        "Aliyun isp.SYSTEM_ERROR: Aliyun failed: the message may have been accepted.",
    ),
    "429": Case(
        aliyun.refuse("Throttling.User", 429, {"Retry-After": "77"}),
        State.QUEUED,
        "Aliyun Throttling.User: Too many requests at once.",
        77,
    ),
    "credit used up": Case(
        aliyun.refuse("isv.AMOUNT_NOT_ENOUGH"),
        State.QUEUED,
        "Aliyun isv.AMOUNT_NOT_ENOUGH: The account's credit or its package of messages is used up.",
        SOON,
    ),
    "template not approved": Case(
        aliyun.refuse("isv.SMS_TEMPLATE_ILLEGAL"),
        State.QUEUED,
        "Aliyun isv.SMS_TEMPLATE_ILLEGAL: The template is not approved under this account.",
        SOON,
    ),
    "bad number": Case(
        aliyun.refuse("isv.MOBILE_NUMBER_ILLEGAL"),
        State.FAILED,
        "Aliyun isv.MOBILE_NUMBER_ILLEGAL: The number is not valid.",
        is_number_bad=True,
    ),
    "name too long": Case(
        aliyun.refuse("isv.PARAM_LENGTH_LIMIT"),
        State.FAILED,
        "Aliyun isv.PARAM_LENGTH_LIMIT: A variable is too long, mostly a name.",
    ),
}
OF_TENCENT = {
    "accepts": Case(None, State.ACCEPTED),
    "cut after accepting": Case(CUT, State.UNKNOWN, "Tencent: The connection was cut."),
    "cut in the answer": Case(TORN, State.UNKNOWN, "Tencent: The connection was cut."),
    "garbled": Case(GARBLED, State.UNKNOWN, "Tencent: The answer cannot be read."),
    "500": Case(
        say({}, 500), State.UNKNOWN, "Tencent HTTP 500: Tencent failed and said nothing more."
    ),
    "fails within": Case(
        tencent.refuse("InternalError.Timeout"),
        State.UNKNOWN,
        "Tencent InternalError.Timeout: Tencent took too long to hand the message over.",
    ),
    "429": Case(
        say({}, 429, {"Retry-After": "77"}),
        State.QUEUED,
        "Tencent HTTP 429: Too many requests at once.",
        77,
    ),
    "credit used up": Case(
        tencent.refuse("FailedOperation.InsufficientBalanceInSmsPackage"),
        State.QUEUED,
        "Tencent FailedOperation.InsufficientBalanceInSmsPackage:"
        " The package of messages is used up: buy another.",
        SOON,
    ),
    "limit of the number, for this number alone": Case(
        tencent.one_number("LimitExceeded.PhoneNumberDailyLimit", number(8)),
        State.QUEUED,
        "Tencent LimitExceeded.PhoneNumberDailyLimit:"
        " The number has had as many messages today as the application allows.",
        LATER,
    ),
    "bad number, for this number alone": Case(
        tencent.one_number("InvalidParameterValue.IncorrectPhoneNumber", number(9)),
        State.FAILED,
        "Tencent InvalidParameterValue.IncorrectPhoneNumber: The number is not valid.",
        is_number_bad=True,
    ),
    "forbidden word": Case(
        tencent.one_number("FailedOperation.ContainSensitiveWord", number(10)),
        State.FAILED,
        "Tencent FailedOperation.ContainSensitiveWord:"
        " The text holds a word that the networks do not let pass.",
    ),
}
OF_WECOM = {
    "accepts": Case(None, State.ACCEPTED),
    "cut after accepting": Case(CUT, State.UNKNOWN, "WeCom: The connection was cut."),
    "garbled": Case(GARBLED, State.UNKNOWN, "WeCom: The answer cannot be read."),
    "500": Case(say({}, 500), State.UNKNOWN, "WeCom HTTP 500: WeCom failed and said nothing more."),
    "busy": Case(
        wecom.refuse(-1),
        State.UNKNOWN,
        "WeCom -1: WeCom is busy; it does not say whether it took the message.",
    ),
    "429": Case(
        say({}, 429, {"Retry-After": "77"}),
        State.QUEUED,
        "WeCom HTTP 429: Too many requests at once.",
        77,
    ),
    "called too often": Case(
        wecom.refuse(45009),
        State.QUEUED,
        "WeCom 45009: The app has called WeCom as often as it may for now.",
        SOON,
    ),
    "unknown parent": Case(
        wecom.accept_but_for([number(7)]),
        State.FAILED,
        "WeCom: WeCom does not know the parent, or the app may not write to this parent.",
        is_number_bad=True,
    ),
    "text too long": Case(wecom.refuse(45002), State.FAILED, "WeCom 45002: The text is too long."),
}


@pytest.mark.parametrize(
    ("connect", "cases"),
    [
        pytest.param(to_twilio, OF_TWILIO, id="twilio"),
        pytest.param(to_aliyun, OF_ALIYUN, id="aliyun"),
        pytest.param(to_tencent, OF_TENCENT, id="tencent"),
        pytest.param(to_wecom, OF_WECOM, id="wecom"),
    ],
)
def test_what_follows_each_answer(
    engine: Engine,
    connect: Callable[[float], AbstractContextManager[Line]],
    cases: Mapping[str, Case],
) -> None:
    with connect(PATIENT_S) as line:
        places = _queue_one_for_each(engine, line, cases)
        with working(engine, Carriers([line.carrier], utc_now)):
            wait_for(lambda: _all_are_tried(engine))
        asked = Counter(line.sent())
    rows = {one.body: one for one in messages(engine)}
    found = {name: rows[f"text {place}"] for name, place in places.items()}
    assert {name: (one.state, one.error) for name, one in found.items()} == {
        name: (case.state, case.error) for name, case in cases.items()
    }
    assert {name: asked[_as_addressed(line, place)] for name, place in places.items()} == (
        dict.fromkeys(cases, 1)
    )
    assert {one.attempts for one in found.values()} == {1}
    assert {one.lease_until for one in found.values()} == {None}
    for name, case in cases.items():
        one = found[name]
        if case.rest_s:
            assert one.tried_at
            rest_s = (one.due_at - one.tried_at).total_seconds()
            assert case.rest_s <= rest_s < 2 * case.rest_s + 10, name
        assert (one.look_up_at is not None) == (case.state is State.UNKNOWN), name
        assert bool(one.provider_id) == (
            case.state is State.ACCEPTED and line.carrier.channel is Channel.SMS
        ), name
    assert _bad_numbers(engine) == {case.error for case in cases.values() if case.is_number_bad}
    assert not any(number(place)[3:] in str(one.error) for place, one in enumerate(rows.values()))


@pytest.mark.parametrize(
    ("connect", "answer", "error"),
    [
        (to_twilio, twilio.stall, "Twilio: The answer took too long."),
        (to_twilio, twilio.take_and_stall, "Twilio: The answer took too long."),
        (to_aliyun, aliyun.stall, "Aliyun: The answer took too long."),
        (to_tencent, STALL, "Tencent: The answer took too long."),
        (to_wecom, STALL, "WeCom: The answer took too long."),
    ],
    ids=["twilio", "twilio-took-it", "aliyun", "tencent", "wecom"],
)
def test_nobody_can_tell_when_there_is_no_answer(
    engine: Engine,
    connect: Callable[[float], AbstractContextManager[Line]],
    answer: Any,
    error: str,
) -> None:
    with connect(0.5) as line:
        _queue_one_for_each(engine, line, {"it": Case(answer, State.UNKNOWN)})
        with working(engine, Carriers([line.carrier], utc_now)):
            wait_for(lambda: _all_are_tried(engine))
            wait_for_idle_rounds(engine)
        assert len(line.sent()) == 1
    [message] = messages(engine)
    assert (message.state, message.error) == (State.UNKNOWN, error)
    assert message.look_up_at


@pytest.mark.parametrize(
    ("connect", "carrier"),
    [(to_twilio, "Twilio"), (to_aliyun, "Aliyun"), (to_tencent, "Tencent"), (to_wecom, "WeCom")],
    ids=["twilio", "aliyun", "tencent", "wecom"],
)
def test_a_carrier_that_is_not_there_got_nothing_and_is_tried_again(
    engine: Engine, connect: Callable[[float], AbstractContextManager[Line]], carrier: str
) -> None:
    with connect(PATIENT_S) as line:
        _queue_one_for_each(engine, line, ["it"])
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(lambda: _all_are_tried(engine))
    [message] = messages(engine)
    assert message.state is State.QUEUED
    assert message.error == f"{carrier} cannot be reached; nothing was sent."


def _queue_one_for_each(
    engine: Engine, line: Line, cases: Mapping[str, Case] | list[str]
) -> dict[str, int]:
    """A message to a guardian of its own for each case; guardian n has the number …n."""
    queue(engine, len(cases))
    if line.carrier.needs_template:
        approve_texts(engine, line.carrier.name)
    if line.carrier.channel is Channel.WECOM:
        move_to_wecom(engine)
    places = {name: place for place, name in enumerate(cases)}
    if isinstance(cases, Mapping):
        answers = {
            _as_addressed(line, place): cases[name].answer
            for name, place in places.items()
            if cases[name].answer
        }
        line.server.answers_to.update(answers)
    return places


def _as_addressed(line: Line, place: int) -> str:
    return number(place).removeprefix("+86") if line.carrier.name == "aliyun" else number(place)


def _all_are_tried(engine: Engine) -> bool:
    return all(one.attempts == 1 and one.state is not State.SENDING for one in messages(engine))


def _bad_numbers(engine: Engine) -> set[str]:
    with Session(engine) as session:
        return set(session.scalars(select(PhoneStanding.bad_because)))

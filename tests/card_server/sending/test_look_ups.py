"""Messages of which nobody can tell: their carrier is asked first, and a person at last."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.messages.resending import decide
from card_server.reports.message_record import read_message
from card_server.reports.sending_health import list_undecided, read_alerts
from card_server.sending.choosing import Carriers
from card_server.sending.looking_up import (
    NOBODY_TO_ASK_FOR,
    TOO_LATE,
    LookUp,
    settle,
    take_unclear,
)
from card_server.sending.outcomes import LOOK_UPS
from card_server.storage.sealing import Seal
from card_server.webhooks.outbox import MessageKey
from integrations.sms.protocol import Fate, Report
from schema.messages import utc_now
from schema.tables.messages import Message, MessageCount, MessageState, PhoneStanding
from schema.tables.people import Guardian, Guardianship
from tests.harness import aliyun_server as aliyun
from tests.harness import sms_server as twilio
from tests.harness.lines import Line, to_aliyun, to_tencent, to_twilio, to_wecom
from tests.harness.outbox import (
    KEY,
    all_are,
    alter,
    approve_texts,
    messages,
    move_to_wecom,
    number,
    queue,
    wait_for_idle_rounds,
    working,
)
from tests.harness.told_server import CUT
from tests.harness.waiting import wait_for

State = MessageState
Connect = Callable[[float], AbstractContextManager[Line]]
PATIENT_S = 15.0
LONG_AGO = timedelta(minutes=3)
"""Since then every carrier has in its records what it took."""


@pytest.fixture
def line(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Line]:
    """A carrier, with one message waiting for it."""
    connect: Connect = request.param
    with connect(PATIENT_S) as opened:
        queue(engine)
        if opened.carrier.needs_template:
            approve_texts(engine, opened.carrier.name)
        if opened.carrier.name == "wecom":
            move_to_wecom(engine)
        yield opened


def over(*connects: Connect) -> pytest.MarkDecorator:
    """The test runs with these carriers."""
    ids = [connect.__name__.removeprefix("to_") for connect in connects]
    return pytest.mark.parametrize("line", connects, indirect=True, ids=ids)


def lose(engine: Engine, line: Line, answer: Any) -> None:
    """Send the message, and get no answer that says what became of it; long ago by now."""
    line.server.answer_with(answer)
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, State.UNKNOWN))
    ask_now(engine)


def ask_now(engine: Engine) -> None:
    """As if the time until the next look-up had gone by."""
    alter(engine, look_up_at=utc_now(), tried_at=utc_now() - LONG_AGO)


def the_message(engine: Engine) -> Message:
    [message] = messages(engine)
    return message


@over(to_twilio)
@pytest.mark.parametrize(
    ("state", "code", "ended", "error"),
    [
        ("queued", None, State.ACCEPTED, None),
        ("sent", None, State.ACCEPTED, None),
        ("delivered", None, State.DELIVERED, None),
        (
            "undelivered",
            30003,
            State.UNDELIVERED,
            "Twilio 30003: The phone is off or out of reach.",
        ),
    ],
)
def test_what_twilio_has_is_not_sent_again(
    engine: Engine, line: Line, state: str, code: int | None, ended: MessageState, error: str | None
) -> None:
    lose(engine, line, twilio.take_and_cut)
    [kept] = line.server.kept
    line.server.turn(kept.sid, state, code)
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, ended))
        wait_for_idle_rounds(engine)
    message = the_message(engine)
    assert (message.provider_id, message.error, message.look_up_at) == (kept.sid, error, None)
    assert (len(line.sent()), message.look_ups) == (1, 1)


@over(to_aliyun)
@pytest.mark.parametrize(
    ("row", "ended"),
    [
        ({"SendStatus": 1}, State.ACCEPTED),
        ({"SendStatus": 3, "ErrCode": "DELIVERED"}, State.DELIVERED),
        ({"SendStatus": 2, "ErrCode": "MOBILE_IN_BLACK"}, State.UNDELIVERED),
    ],
)
def test_what_aliyun_has_is_not_sent_again(
    engine: Engine, line: Line, row: dict[str, object], ended: MessageState
) -> None:
    lose(engine, line, aliyun.cut)
    line.server.records[0].update(row)
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, ended))
        wait_for_idle_rounds(engine)
    assert (len(line.sent()), the_message(engine).look_up_at) == (1, None)


@over(to_tencent)
def test_what_tencent_reports_is_not_sent_again(engine: Engine, line: Line) -> None:
    lose(engine, line, CUT)
    message = the_message(engine)
    line.server.statuses.append(
        {
            "ReportStatus": "SUCCESS",
            "Description": "DELIVRD",
            "SerialNo": "2640:1",
            "SessionContext": f"{message.school_id}-{message.id.hex}",
        }
    )
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, State.DELIVERED))
    assert the_message(engine).provider_id == "2640:1"
    assert len(line.sent()) == 1


def forget(line: Line) -> None:
    """As if the carrier had never had the message."""
    if line.carrier.name == "aliyun":
        line.server.records.clear()


@over(to_twilio, to_aliyun)
def test_what_the_carrier_never_had_is_sent_again_exactly_once(engine: Engine, line: Line) -> None:
    lose(engine, line, twilio.cut if line.carrier.name == "twilio" else aliyun.cut)
    forget(line)
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, State.ACCEPTED))
        wait_for_idle_rounds(engine)
    message = the_message(engine)
    assert (len(line.sent()), message.attempts, message.error) == (2, 2, None)


@over(to_twilio, to_aliyun)
def test_what_the_carrier_never_had_and_is_stale_by_now_is_not_sent(
    engine: Engine, line: Line
) -> None:
    lose(engine, line, twilio.cut if line.carrier.name == "twilio" else aliyun.cut)
    forget(line)
    alter(engine, expires_at=utc_now() - timedelta(seconds=1))
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, State.FAILED))
    assert (len(line.sent()), the_message(engine).error) == (1, TOO_LATE)


@over(to_twilio, to_aliyun, to_tencent, to_wecom)
def test_who_cannot_tell_is_asked_a_few_times_and_then_a_person(engine: Engine, line: Line) -> None:
    name = line.carrier.name
    lose(engine, line, {"twilio": twilio.cut, "aliyun": aliyun.cut}.get(name, CUT))
    sentence = the_message(engine).error
    if name == "twilio":  # it forgot the texts: any of these may be ours
        line.server.keep(line.sent()[0], "")
    elif name == "aliyun":  # it counts one that it does not show
        forget(line)
        line.server.unshown = 1
    with working(engine, Carriers([line.carrier], utc_now)):
        for turn in range(1, len(LOOK_UPS)):
            wait_for(lambda turn=turn: waits_for(engine, turn, LOOK_UPS[turn]))  # type: ignore[misc]
            ask_now(engine)
        wait_for(lambda: the_message(engine).look_up_at is None)
        wait_for_idle_rounds(engine)
    message = the_message(engine)
    assert (message.state, message.error) == (State.UNKNOWN, sentence)
    assert (message.look_ups, len(line.sent())) == (len(LOOK_UPS), 1)


def waits_for(engine: Engine, look_ups: int, wait: timedelta) -> bool:
    """Whether it was looked up so often, and is asked about again after so long."""
    message = the_message(engine)
    assert message.look_up_at
    rest = message.look_up_at - utc_now()
    return message.look_ups == look_ups and abs(rest - wait) < timedelta(seconds=20)


@over(to_twilio)
def test_who_does_not_answer_a_look_up_is_asked_later(engine: Engine, line: Line) -> None:
    lose(engine, line, twilio.take_and_cut)
    with to_twilio(PATIENT_S) as elsewhere:
        gone = elsewhere.carrier
    with working(engine, Carriers([gone], utc_now)):
        wait_for(lambda: waits_for(engine, 1, LOOK_UPS[1]))
    assert the_message(engine).state is State.UNKNOWN
    assert len(line.sent()) == 1


@over(to_twilio)
def test_a_carrier_that_is_not_used_any_more_is_not_asked(engine: Engine, line: Line) -> None:
    lose(engine, line, twilio.take_and_cut)
    with to_wecom(PATIENT_S) as other, working(engine, Carriers([other.carrier], utc_now)):
        wait_for(lambda: waits_for(engine, 1, LOOK_UPS[1]))
    assert the_message(engine).state is State.UNKNOWN


@over(to_twilio)
def test_a_number_sealed_with_another_key_does_not_end_the_notifier(
    engine: Engine, line: Line
) -> None:
    lose(engine, line, twilio.take_and_cut)
    alter(engine, to_sealed=Seal(bytes(32)).close("+8610"))
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(lambda: waits_for(engine, 1, LOOK_UPS[1]))
        alter(engine, to_sealed=Seal(KEY).close(line.sent()[0]))
        ask_now(engine)
        wait_for(all_are(engine, State.ACCEPTED))


@over(to_twilio, to_aliyun)
def test_it_is_looked_up_under_the_number_that_it_went_to_whatever_number_is_known_now(
    engine: Engine, line: Line
) -> None:
    lose(engine, line, twilio.take_and_cut if line.carrier.name == "twilio" else aliyun.cut)
    with engine.begin() as connection:
        connection.execute(
            update(Guardian).values(
                phone_sealed=Seal(KEY).close(number(77)),
                phone_hash=Seal(KEY).hash(number(77)),
                phone_since=utc_now(),
            )
        )
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, State.ACCEPTED))
    assert len(line.sent()) == 1


@over(to_twilio)
def test_that_a_number_is_bad_is_noted_of_the_one_that_it_went_to(
    engine: Engine, line: Line
) -> None:
    lose(engine, line, twilio.take_and_cut)
    line.server.turn(line.server.kept[0].sid, "undelivered", 30005)
    with engine.begin() as connection:
        connection.execute(update(Guardian).values(phone_hash=Seal(KEY).hash(number(77))))
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, State.UNDELIVERED))
    with engine.connect() as connection:
        [flagged] = connection.scalars(select(PhoneStanding.phone_hash))
    assert flagged == Seal(KEY).hash(line.sent()[0])


@over(to_twilio)
@pytest.mark.parametrize("state", [State.ACCEPTED, State.QUEUED, State.FAILED])
def test_the_number_stays_with_a_message_only_while_it_may_be_asked_about(
    engine: Engine, line: Line, state: MessageState
) -> None:
    answers = {
        State.ACCEPTED: twilio.accept,
        State.QUEUED: twilio.refuse(401, 20003),
        State.FAILED: twilio.refuse(400, 21617),
    }
    lose(engine, line, twilio.cut)
    kept = the_message(engine)
    assert kept.to_sealed
    assert Seal(KEY).open(kept.to_sealed) == line.sent()[0]
    assert kept.to_hash == Seal(KEY).hash(line.sent()[0])
    line.server.answer_with(answers[state])
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(lambda: the_message(engine).attempts == 2)
        wait_for(all_are(engine, state))
    message = the_message(engine)
    assert (message.to_sealed, message.to_hash) == (None, None)


def delete_guardian(engine: Engine) -> None:
    """As erasing does with one who has no other child here, and with the number."""
    with engine.begin() as connection:
        connection.execute(delete(Guardianship))
        connection.execute(delete(Guardian))
        connection.execute(update(Message).values(to_sealed=None, to_hash=None))


@over(to_twilio)
def test_of_a_guardian_who_was_deleted_a_person_decides_at_once(engine: Engine, line: Line) -> None:
    lose(engine, line, twilio.take_and_cut)
    delete_guardian(engine)
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(lambda: the_message(engine).look_up_at is None)
        wait_for_idle_rounds(engine)
    message = the_message(engine)
    assert (message.state, message.error) == (State.UNKNOWN, NOBODY_TO_ASK_FOR)
    assert (len(line.server.asked), message.look_ups) == (1, 1)
    with Session(engine) as session, session.begin():
        [listed] = list_undecided(session, message.school_id)
        assert (listed.id, listed.phone_tail) == (message.id, "")
        assert read_alerts(session, message.school_id, utc_now()).undecided == 1
        key = MessageKey(message.school_id, message.id)
        assert read_message(session, *key).guardian == ""
        decide(session, SYSTEM, key, "nobody knows", utc_now(), has_arrived=False)
        assert read_alerts(session, message.school_id, utc_now()).undecided == 0


@over(to_twilio)
def test_of_an_erased_student_nothing_is_left_to_be_decided(engine: Engine, line: Line) -> None:
    lose(engine, line, twilio.take_and_cut)
    delete_guardian(engine)
    alter(engine, student_id=0, guardian_id=0)
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, State.UNDELIVERED))
    assert len(line.server.asked) == 1


@over(to_twilio)
def test_what_the_carrier_never_had_counts_once_when_it_is_sent_again(
    engine: Engine, line: Line
) -> None:
    lose(engine, line, twilio.cut)
    assert counted(engine) == {1}
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, State.ACCEPTED))
    assert (len(line.sent()), counted(engine)) == (2, {1})


@over(to_twilio)
def test_what_the_carrier_never_had_is_given_back_to_the_day_on_which_it_was_tried(
    engine: Engine, line: Line
) -> None:
    lose(engine, line, twilio.cut)
    alter(engine, expires_at=utc_now() - timedelta(seconds=1), tried_on=date(2026, 9, 1))
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(all_are(engine, State.FAILED))
    assert counted(engine) == {1}


def counted(engine: Engine) -> set[int]:
    """The counts of the only message, of all scopes."""
    with engine.connect() as connection:
        return set(connection.scalars(select(MessageCount.count)))


@over(to_twilio)
def test_a_carriers_program_that_fails_does_not_end_the_notifier(
    engine: Engine, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(engine, line, twilio.take_and_cut)

    def fail(*_: object) -> Report:
        raise LookupError("+8613800000000")

    with monkeypatch.context() as patch:
        patch.setattr(line.carrier, "look_up", fail)
        with working(engine, Carriers([line.carrier], utc_now)):
            wait_for(lambda: waits_for(engine, 1, LOOK_UPS[1]))


@over(to_twilio)
def test_an_answer_that_was_held_up_does_not_send_a_later_try_again(
    engine: Engine, line: Line
) -> None:
    lose(engine, line, twilio.cut)
    held_up = take_one(engine)
    ask_now(engine)
    line.server.answer_with(twilio.take_and_cut)
    with working(engine, Carriers([line.carrier], utc_now)):
        wait_for(lambda: the_message(engine).attempts == 2)
        wait_for(all_are(engine, State.UNKNOWN))
    with engine.begin() as connection:
        settle(connection, held_up, Report(Fate.ABSENT), utc_now())
    assert the_message(engine).state is State.UNKNOWN


def take_one(engine: Engine) -> LookUp:
    """Another notifier's look-up, which hangs from here on."""
    with engine.begin() as connection:
        [taken] = take_unclear(connection, utc_now(), 4)
    return taken

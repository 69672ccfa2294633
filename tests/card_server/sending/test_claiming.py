"""What is taken when its turn comes, and what is not: what happened since it was written counts."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import DeclarativeBase
from uuid_utils.compat import uuid7

from card_server.messages.standing import clear_number, flag_number, stop_number
from card_server.sending.choosing import Carriers
from card_server.sending.claiming import LEASE, Claim, claim_due, look_for_work
from card_server.storage.sealing import Seal
from integrations.sms.console import ConsoleCarrier
from integrations.sms.protocol import Channel
from schema.messages import utc_now
from schema.tables.messages import (
    CarrierText,
    Message,
    MessageCount,
    MessageKind,
    MessageRules,
    MessageState,
    StopBy,
    Suppression,
)
from schema.tables.parents import ParentCode
from schema.tables.people import Guardian, Guardianship, Student
from tests.harness.outbox import KEY, alter, approve_texts, messages, number, queue, set_due

State = MessageState
ZONE = ZoneInfo("Asia/Shanghai")
A_MINUTE = timedelta(minutes=1)
MIDNIGHT = datetime.combine(datetime.now(ZONE).date(), time(), ZONE).astimezone(UTC)
NOON = MIDNIGHT + timedelta(hours=12)
NIGHT = MIDNIGHT + timedelta(hours=23)


class Named(ConsoleCarrier):
    """A carrier that nobody calls here."""

    def __init__(
        self, name: str, channel: Channel = Channel.SMS, *, needs_template: bool = False
    ) -> None:
        super().__init__()
        self.name, self.channel, self.needs_template = name, channel, needs_template


def claim(engine: Engine, now: datetime | None = None, *carriers: Named) -> list[Claim]:
    """What a notifier takes now."""
    choosing = Carriers(carriers or [Named("first")], lambda: now or utc_now())
    with engine.begin() as connection:
        return claim_due(connection, choosing, now or utc_now(), 200).claims


def change(engine: Engine, table: type[DeclarativeBase], **values: object) -> None:
    """All of its rows."""
    with engine.begin() as connection:
        connection.execute(update(table).values(**values))


def written_at(engine: Engine, now: datetime, **values: object) -> None:
    """As if all messages had been written then."""
    half_an_hour = now + timedelta(minutes=30)
    times = {"created_at": now, "due_at": now, "expires_at": half_an_hour, "about_at": now}
    change(engine, Message, **{**times, **values})


def the_message(engine: Engine) -> Message:
    [message] = messages(engine)
    return message


def why_not(engine: Engine) -> Suppression | None:
    """Why the one message was suppressed."""
    message = the_message(engine)
    assert message.state is State.SUPPRESSED
    return message.suppression


def test_what_is_taken_says_so_before_any_carrier_is_called(engine: Engine) -> None:
    queue(engine)
    now = utc_now()
    [taken] = claim(engine, now)
    message = the_message(engine)
    assert (message.state, message.provider, message.attempts) == (State.SENDING, "first", 1)
    assert (message.lease_until, message.tried_at) == (now + LEASE, now)
    assert (message.segments, message.price) == (1, 45)
    assert (taken.attempt, taken.lease_until) == (1, now + LEASE)
    assert taken.reference == f"{message.school_id}-{message.id.hex}"
    assert taken.slots == (("student", "张三"), ("time", "07:31"))
    assert claim(engine) == []


@pytest.mark.parametrize("now", [MIDNIGHT - A_MINUTE, MIDNIGHT])
def test_what_is_taken_notes_the_schools_own_day_and_the_homeroom(
    engine: Engine, now: datetime
) -> None:
    queue(engine)
    written_at(engine, now)
    with engine.connect() as connection:
        homeroom_id = connection.scalars(select(Student.homeroom_id)).one()
    assert (the_message(engine).tried_on, the_message(engine).homeroom_id) == (None, 0)
    claim(engine, now)
    day = now.astimezone(ZONE).date()
    assert (the_message(engine).tried_on, the_message(engine).homeroom_id) == (day, homeroom_id)


def test_while_all_is_stopped_nothing_goes_and_afterwards_all_that_is_not_stale(
    engine: Engine,
) -> None:
    ids = queue(engine, 100)
    change(engine, MessageRules, stopped_at=utc_now())
    for place, id_ in enumerate(ids):
        if place < 30:
            with engine.begin() as connection:
                at = utc_now() + timedelta(minutes=5)
                connection.execute(update(Message).where(Message.id == id_).values(expires_at=at))
    assert claim(engine) == []
    assert {one.state for one in messages(engine)} == {State.QUEUED}
    assert _counts(engine) == 0
    change(engine, MessageRules, stopped_at=None)
    later = utc_now() + timedelta(minutes=10)
    assert {one.id for one in claim(engine, later)} == set(ids[30:])
    stale = [one.id for one in messages(engine) if one.suppression is Suppression.STALE]
    assert set(stale) == set(ids[:30])


def _counts(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.coalesce(func.sum(MessageCount.count), 0))) or 0


def test_a_number_that_asked_to_stop_gets_nothing_that_waits_either(engine: Engine) -> None:
    queue(engine, 2)
    stopped, school_id = Seal(KEY).hash(number(0)), messages(engine)[0].school_id
    with engine.begin() as connection:
        stop_number(connection, school_id, stopped, StopBy.REPLY, utc_now())
    assert [one.body for one in claim(engine)] == ["text 1"]
    kept_back, _ = messages(engine)
    assert (kept_back.state, kept_back.suppression) == (State.SUPPRESSED, Suppression.STOPPED)


def test_a_stop_of_another_school_holds_there_alone(engine: Engine) -> None:
    queue(engine)
    with engine.begin() as connection:
        stop_number(connection, 99, Seal(KEY).hash(number(0)), StopBy.REPLY, utc_now())
    assert len(claim(engine)) == 1


def test_a_bad_number_gets_nothing_until_staff_clear_it(engine: Engine) -> None:
    first, second = queue(engine, 2)
    set_due(engine, second, utc_now() + timedelta(hours=1))
    change(engine, Message, guardian_id=_guardians(engine)[0])
    school_id, phone = messages(engine)[0].school_id, Seal(KEY).hash(number(0))
    with engine.begin() as connection:
        flag_number(connection, school_id, phone, "The number is not valid.", utc_now())
    assert claim(engine) == []
    assert messages(engine)[0].suppression is Suppression.NUMBER_BAD
    with engine.begin() as connection:
        clear_number(connection, school_id, phone)
    set_due(engine, second, utc_now())
    assert [one.id for one in claim(engine)] == [second]
    assert first != second


def _guardians(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(select(Guardian.id).order_by(Guardian.id)))


@pytest.mark.parametrize(
    ("table", "values", "why"),
    [
        (Guardian, {"phone_since": NOON + A_MINUTE}, Suppression.NUMBER_CHANGED),
        (Guardian, {"phone_since": NOON - A_MINUTE}, None),
        (Guardian, {"phone_tail": ""}, Suppression.NUMBER_BAD),
        (Guardian, {"verified_at": None}, Suppression.UNVERIFIED),
        (Guardianship, {"consented_at": None}, Suppression.NO_CONSENT),
        (Guardianship, {"is_told": False}, Suppression.NUMBER_CHANGED),
        (Message, {"expires_at": NOON}, Suppression.STALE),
        (Message, {"guardian_id": 987_654}, Suppression.NUMBER_CHANGED),
    ],
)
def test_what_changed_since_it_was_written_counts(
    engine: Engine, table: type[DeclarativeBase], values: dict[str, Any], why: Suppression | None
) -> None:
    queue(engine)
    written_at(engine, NOON)
    change(engine, table, **values)
    taken = claim(engine, NOON + 2 * A_MINUTE)
    assert len(taken) == (why is None)
    if why:
        assert why_not(engine) is why
        assert _counts(engine) == 0


@pytest.mark.parametrize("kind", [MessageKind.INVITATION, MessageKind.CODE])
def test_an_invitation_and_a_code_need_neither_a_verified_number_nor_consent(
    engine: Engine, kind: MessageKind
) -> None:
    queue(engine)
    written_at(engine, NOON, kind=kind)
    change(engine, Guardian, verified_at=None)
    change(engine, Guardianship, consented_at=None, is_told=False)
    assert len(claim(engine, NOON)) == 1


def test_only_a_code_goes_with_its_digits(engine: Engine) -> None:
    queue(engine, 2)
    first, code_for = _guardians(engine)
    school_id = messages(engine)[0].school_id
    with engine.begin() as connection:
        connection.execute(
            update(Message)
            .where(Message.guardian_id == code_for)
            .values(kind=MessageKind.CODE, body="text 1 ******")
        )
        for guardian_id in (first, code_for):
            connection.execute(insert(ParentCode).values(**_code_of(guardian_id, school_id)))
    codes = {one.kind: one.code_sealed for one in claim(engine)}
    assert codes[MessageKind.ARRIVAL] is None
    sealed = codes[MessageKind.CODE]
    assert sealed
    assert Seal(KEY).open(sealed) == "135790"


def _code_of(guardian_id: int, school_id: int) -> dict[str, object]:
    now = utc_now()
    return {
        "guardian_id": guardian_id,
        "school_id": school_id,
        "code_hash": Seal(KEY).hash("135790"),
        "code_sealed": Seal(KEY).close("135790"),
        "made_at": now,
        "expires_at": now + timedelta(minutes=5),
    }


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        (MessageKind.NOTICE, timedelta(hours=7, minutes=30)),
        (MessageKind.ABSENCE, timedelta(hours=7, minutes=30)),
        (MessageKind.ARRIVAL, None),
        (MessageKind.DEPARTURE, None),
        (MessageKind.LATE, None),
        (MessageKind.CODE, None),
    ],
)
def test_in_quiet_hours_what_may_wait_is_due_when_they_end(
    engine: Engine, kind: MessageKind, ends: timedelta | None
) -> None:
    queue(engine)
    written_at(engine, NIGHT, kind=kind, expires_at=NIGHT + timedelta(hours=20))
    assert len(claim(engine, NIGHT)) == (ends is None)
    message = the_message(engine)
    assert message.state is (State.QUEUED if ends else State.SENDING)
    assert message.due_at == NIGHT + (ends or timedelta())
    if ends:
        assert len(claim(engine, NIGHT + ends)) == 1


def test_a_guardians_own_quiet_hours_go_before_the_schools(engine: Engine) -> None:
    queue(engine)
    written_at(engine, NOON, kind=MessageKind.NOTICE, expires_at=NOON + timedelta(hours=9))
    change(engine, Guardianship, quiet_from=11 * 60, quiet_until=13 * 60)
    assert claim(engine, NOON) == []
    assert the_message(engine).due_at == NOON + timedelta(hours=1)


def test_what_is_not_worth_sending_after_the_quiet_hours_is_not_kept_for_them(
    engine: Engine,
) -> None:
    queue(engine)
    written_at(engine, NIGHT, kind=MessageKind.NOTICE, expires_at=NIGHT + timedelta(hours=2))
    assert claim(engine, NIGHT) == []
    assert why_not(engine) is Suppression.QUIET


@pytest.mark.parametrize(
    ("state", "left_after", "is_overtaken"),
    [
        (State.ACCEPTED, A_MINUTE, True),
        (State.DELIVERED, A_MINUTE, True),
        (State.UNKNOWN, A_MINUTE, True),
        (State.SENDING, A_MINUTE, True),
        (State.ACCEPTED, -A_MINUTE, False),
        (State.QUEUED, A_MINUTE, False),
        (State.SUPPRESSED, A_MINUTE, False),
        (State.FAILED, A_MINUTE, False),
    ],
)
def test_an_arrival_is_stale_once_a_later_departure_was_told(
    engine: Engine, state: MessageState, left_after: timedelta, is_overtaken: bool
) -> None:
    queue(engine)
    written_at(engine, NOON)
    arrival = the_message(engine)
    with engine.begin() as connection:
        row = {column.key: getattr(arrival, column.key) for column in Message.__table__.c}
        connection.execute(
            insert(Message).values(
                **row
                | {
                    "id": uuid7(),
                    "kind": MessageKind.DEPARTURE,
                    "body": "the departure",
                    "state": state,
                    "about_at": NOON + left_after,
                    "due_at": NOON + timedelta(hours=1),
                    "lease_until": NOON + timedelta(hours=1),
                }
            )
        )
    taken = claim(engine, NOON + 2 * A_MINUTE)
    assert len(taken) == (not is_overtaken)
    [found] = [one for one in messages(engine) if one.kind is MessageKind.ARRIVAL]
    assert found.suppression is (Suppression.STALE if is_overtaken else None)


@pytest.mark.parametrize(
    ("of_guardian", "of_school", "taken"), [(None, 3, 3), (None, 2, 2), (2, 3, 2), (90, 2, 2)]
)
def test_a_guardians_own_limit_can_only_be_the_stricter_one(
    engine: Engine, of_guardian: int | None, of_school: int, taken: int
) -> None:
    queue(engine, 4)
    change(engine, MessageRules, per_student=of_school)
    change(engine, Guardianship, daily_limit=of_guardian)
    assert len(claim(engine)) == taken
    kept_back = {one.suppression for one in messages(engine)} - {None}
    assert kept_back == {Suppression.LIMIT}


@pytest.mark.parametrize(
    ("kind", "suppression", "is_overtaken"),
    [
        (MessageKind.ARRIVED, None, True),
        (MessageKind.ARRIVAL, None, True),
        (MessageKind.LATE, Suppression.STALE, True),
        (MessageKind.ARRIVAL, Suppression.CLOCK_SUSPECT, False),
        (MessageKind.DEPARTURE, None, False),
    ],
)
def test_an_absence_that_waits_again_is_not_sent_once_the_child_has_come(
    engine: Engine, kind: MessageKind, suppression: Suppression | None, is_overtaken: bool
) -> None:
    queue(engine)
    written_at(engine, NOON)
    alter(engine, kind=MessageKind.ABSENCE)
    absence = the_message(engine)
    with engine.begin() as connection:
        row = {column.key: getattr(absence, column.key) for column in Message.__table__.c}
        later = {
            "id": uuid7(),
            "kind": kind,
            "state": State.SUPPRESSED if suppression else State.QUEUED,
            "suppression": suppression,
            "created_at": NOON + A_MINUTE,
            "due_at": NOON + timedelta(hours=1),
        }
        connection.execute(insert(Message).values(**row | later))
    taken = claim(engine, NOON + 2 * A_MINUTE)
    assert len(taken) == (not is_overtaken)


def test_a_departure_told_to_the_other_parent_does_not_overtake_this_ones_arrival(
    engine: Engine,
) -> None:
    queue(engine, 2)
    written_at(engine, NOON)
    mother, father = _guardians(engine)
    with engine.begin() as connection:
        connection.execute(
            update(Message)
            .where(Message.guardian_id == mother)
            .values(kind=MessageKind.DEPARTURE, state=State.ACCEPTED, about_at=NOON + A_MINUTE)
        )
    [taken] = claim(engine, NOON + 2 * A_MINUTE)
    assert taken.body == "text 1"
    assert mother != father


def test_what_has_no_approved_text_anywhere_waits_and_says_so(engine: Engine) -> None:
    queue(engine)
    by_template = Named("aliyun", needs_template=True)
    now = utc_now()
    assert claim(engine, now, by_template) == []
    message = the_message(engine)
    assert message.state is State.QUEUED
    assert message.due_at == now + A_MINUTE
    assert message.error == (
        "No carrier can send this text: the code of its approved template is missing."
    )
    approve_texts(engine, "aliyun")
    [taken] = claim(engine, now + A_MINUTE, by_template)
    assert (taken.template, taken.signature) == ("SMS_1", "实验中学")


def test_a_text_that_is_approved_in_the_other_language_does_not_do(engine: Engine) -> None:
    queue(engine)
    approve_texts(engine, "aliyun")
    change(engine, CarrierText, language="en")
    assert claim(engine, None, Named("aliyun", needs_template=True)) == []


def test_on_wecom_the_message_goes_to_the_guardians_id_there(engine: Engine) -> None:
    queue(engine)
    change(engine, Message, channel=Channel.WECOM)
    change(engine, Guardian, wecom_id="parent-1")
    [taken] = claim(engine, None, Named("sms"), Named("wecom", Channel.WECOM))
    assert (taken.carrier, taken.wecom_id, taken.to_sealed) == ("wecom", "parent-1", b"")


def test_a_round_says_how_much_it_judged(engine: Engine) -> None:
    queue(engine, 5)
    change(engine, Guardian, verified_at=None)
    with engine.begin() as connection:
        taken = claim_due(connection, Carriers([Named("first")], utc_now), utc_now(), 3)
        assert taken == ([], 3)
        assert look_for_work(connection, utc_now()).is_due

"""What carriers tell moves a message forward, once; whoever asks for no more gets no more."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.messages.receipts import is_stop, read_reference, take_reply, take_report
from card_server.messages.states import MOVES, next_state
from schema.messages import utc_now
from schema.tables.messages import Message, MessageState, PhoneStanding, StopBy
from schema.tables.people import Guardian
from tests.card_server.web.small_school import SEAL, SmallSchool, add_message, make_school

Sessions = sessionmaker[Session]
BAD = "Twilio 21211: The number is not valid."
_REPORTED = (MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.UNDELIVERED)


@pytest.fixture
def message(sessions: Sessions, school: SmallSchool) -> Message:
    """One that Twilio has."""
    with sessions.begin() as session:
        add_message(session, school, 0)
        session.execute(update(Message).values(provider="twilio", provider_id="SM1"))
    return read(sessions)


def read(sessions: Sessions) -> Message:
    with sessions() as session:
        return session.scalars(select(Message)).one()


def put(sessions: Sessions, **values: object) -> None:
    with sessions.begin() as session:
        session.execute(update(Message).values(**values))


def report(
    sessions: Sessions,
    state: MessageState,
    *,
    reference: str = "",
    provider_id: str = "",
    provider: str = "twilio",
    is_number_bad: bool = False,
) -> bool:
    sentence = BAD if state is MessageState.UNDELIVERED else ""
    with sessions.begin() as session:
        return take_report(
            session, provider, provider_id, reference, state, sentence, is_number_bad, utc_now()
        )


def standings(sessions: Sessions) -> list[PhoneStanding]:
    with sessions() as session:
        return list(session.scalars(select(PhoneStanding).order_by(PhoneStanding.school_id)))


def reference_of(message: Message) -> str:
    return f"{message.school_id}-{message.id.hex}"


def test_a_reference_names_its_message_and_rubbish_names_none(message: Message) -> None:
    key = read_reference(reference_of(message))
    assert key == (message.school_id, message.id)
    for other in ("", "1", f"0-{message.id.hex}", f"1-{message.id}", "1-" + "g" * 32):
        assert read_reference(other) is None


def test_a_report_finds_its_message_by_reference_or_by_the_carriers_id(
    sessions: Sessions, message: Message
) -> None:
    put(sessions, provider_id=None, state=MessageState.SENDING, lease_until=utc_now())
    reference = reference_of(message)
    assert report(sessions, MessageState.ACCEPTED, reference=reference, provider_id="SM9")
    found = read(sessions)
    assert (found.provider_id, found.lease_until) == ("SM9", None)
    assert report(sessions, MessageState.DELIVERED, provider_id="SM9")
    assert read(sessions).state is MessageState.DELIVERED


@pytest.mark.parametrize(
    "named", [{"provider_id": "SM2"}, {"reference": f"1-{UUID(int=7).hex}"}, {}]
)
def test_a_report_of_nothing_that_we_sent_changes_nothing(
    sessions: Sessions, message: Message, named: dict[str, str]
) -> None:
    assert not report(sessions, MessageState.DELIVERED, **named)  # type: ignore[arg-type]
    assert read(sessions).state is MessageState.ACCEPTED


def test_another_carriers_report_is_not_believed(sessions: Sessions, message: Message) -> None:
    reference = reference_of(message)
    assert not report(sessions, MessageState.UNDELIVERED, reference=reference, provider="aliyun")
    assert read(sessions).state is MessageState.ACCEPTED


def test_that_an_earlier_try_failed_says_nothing_of_the_later(
    sessions: Sessions, message: Message
) -> None:
    reference = reference_of(message)
    earlier = {"reference": reference, "provider_id": "SM0"}
    assert not report(sessions, MessageState.UNDELIVERED, **earlier)  # type: ignore[arg-type]
    assert report(sessions, MessageState.DELIVERED, **earlier)  # type: ignore[arg-type]


def test_an_unclear_message_becomes_what_the_report_says(
    sessions: Sessions, message: Message
) -> None:
    put(sessions, state=MessageState.UNKNOWN, look_up_at=utc_now(), error="The answer was cut.")
    assert report(sessions, MessageState.DELIVERED, reference=reference_of(message))
    found = read(sessions)
    assert (found.state, found.look_up_at, found.error) == (MessageState.DELIVERED, None, None)


@given(news=st.lists(st.sampled_from(_REPORTED), max_size=6), first=st.sampled_from(MessageState))
def test_whatever_order_reports_come_in_the_state_never_goes_back(
    news: list[MessageState], first: MessageState
) -> None:
    state, seen = first, {first}
    for wanted in news:
        after = next_state(state, wanted)
        assert after is state or (after in MOVES[state] and after not in seen)
        state = after
        seen.add(state)


def test_the_database_moves_as_the_rule_says(sessions: Sessions, message: Message) -> None:
    for state in MessageState:
        for wanted in _REPORTED:
            put(sessions, state=state)
            moved = report(sessions, wanted, provider_id="SM1")
            assert read(sessions).state is next_state(state, wanted)
            assert moved is (wanted in MOVES[state])


def test_a_bad_number_is_flagged_once_and_not_again_after_staff_freed_it(
    sessions: Sessions, message: Message, school: SmallSchool
) -> None:
    for _ in range(2):
        report(sessions, MessageState.UNDELIVERED, provider_id="SM1", is_number_bad=True)
    [standing] = standings(sessions)
    assert (standing.bad_because, standing.seen_by) == (BAD, "")
    with sessions.begin() as session:
        session.execute(update(PhoneStanding).values(bad_at=None, bad_because=""))
    assert not report(sessions, MessageState.UNDELIVERED, provider_id="SM1", is_number_bad=True)
    assert standings(sessions)[0].bad_at is None


def test_a_number_that_came_after_the_message_is_not_flagged(
    sessions: Sessions, message: Message, school: SmallSchool
) -> None:
    with sessions.begin() as session:
        guardian = session.get_one(Guardian, school.guardians[0])
        guardian.phone_since = utc_now() + timedelta(seconds=1)
    report(sessions, MessageState.UNDELIVERED, provider_id="SM1", is_number_bad=True)
    assert standings(sessions) == []


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("TD", True),
        ("t", True),
        ("Ｔ", True),
        (" t d ", True),
        ("退订", True),
        ("退订。", True),
        ("【退订】", True),
        ("stop", True),
        ("STOP!", True),
        ("ＳＴＯＰ", True),
        ("Unsubscribe.", True),
        ("R", True),
        ("", False),
        ("。", False),
        ("好的", False),
        ("START", False),
        ("恢复", False),
        ("不退订", False),
        ("stop it", False),
    ],
)
def test_which_replies_ask_for_no_more(text: str, is_one: bool) -> None:
    assert is_stop(text) is is_one


def test_a_reply_stops_the_number_at_every_school_that_has_it(
    sessions: Sessions, school: SmallSchool
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
        third = make_school(session, "no3", students=0)
    number = "+8613800001000"
    with sessions.begin() as session:
        assert take_reply(session, SEAL, number, "好的", utc_now()) == 0
        assert take_reply(session, SEAL, "+8613900009999", "TD", utc_now()) == 0
    assert standings(sessions) == []
    for schools in (2, 0):
        with sessions.begin() as session:
            assert take_reply(session, SEAL, number, "ｔｄ", utc_now()) == schools
    found = standings(sessions)
    assert [one.school_id for one in found] == [school.id, other.id]
    assert third.id not in {one.school_id for one in found}
    assert {(one.stopped_by, one.phone_hash) for one in found} == {
        (StopBy.REPLY, SEAL.hash(number))
    }

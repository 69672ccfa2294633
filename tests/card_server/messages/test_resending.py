"""Which messages staff may send again, and that nobody does it twice."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import Actor
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.messages.resending import Ended, decide, refuse_resending, resend, seen_of
from card_server.webhooks.outbox import MessageKey
from schema.messages import utc_now
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from tests.card_server.web.small_school import SmallSchool, add_message

Sessions = sessionmaker[Session]
NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
WHO = Actor("staff", 1, "王老师", "")
_SOON, _AGO = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)
S = MessageState


@pytest.mark.parametrize(
    ("ended", "may", "may_late"),
    [
        (Ended(MessageKind.ARRIVAL, S.FAILED, None, _SOON, False), True, True),
        (Ended(MessageKind.ARRIVAL, S.UNDELIVERED, None, _SOON, False), True, True),
        (Ended(MessageKind.ARRIVAL, S.UNKNOWN, None, _SOON, False), True, True),
        (Ended(MessageKind.ARRIVAL, S.SUPPRESSED, Suppression.LIMIT, _SOON, False), True, True),
        (Ended(MessageKind.ARRIVAL, S.SUPPRESSED, Suppression.STOPPED, _SOON, False), False, False),
        (Ended(MessageKind.ARRIVAL, S.DELIVERED, None, _SOON, False), False, False),
        (Ended(MessageKind.ARRIVAL, S.ACCEPTED, None, _SOON, False), False, False),
        (Ended(MessageKind.ARRIVAL, S.QUEUED, None, _SOON, False), False, False),
        (Ended(MessageKind.ARRIVAL, S.SENDING, None, _SOON, False), False, False),
        (Ended(MessageKind.ARRIVAL, S.FAILED, None, _SOON, True), False, False),
        (Ended(MessageKind.ARRIVAL, S.FAILED, None, _AGO, False), False, False),
        (Ended(MessageKind.NOTICE, S.FAILED, None, _AGO, False), False, True),
        (Ended(MessageKind.LEAVE, S.UNKNOWN, None, _AGO, False), False, True),
        (Ended(MessageKind.CODE, S.FAILED, None, _SOON, False), False, False),
    ],
)
def test_what_may_be_sent_again(ended: Ended, may: bool, may_late: bool) -> None:
    assert (refuse_resending(ended, NOW, although_stale=False) is None) is may
    assert (refuse_resending(ended, NOW, although_stale=True) is None) is may_late


@pytest.fixture
def key(sessions: Sessions, school: SmallSchool) -> MessageKey:
    """An unclear message, of which a person must say what became of it."""
    with sessions.begin() as session:
        add_message(session, school, 0, MessageState.UNKNOWN)
    return MessageKey(school.id, read(sessions)[0].id)


def read(sessions: Sessions) -> list[Message]:
    with sessions() as session:
        return list(session.scalars(select(Message).order_by(Message.created_at, Message.id)))


def put(sessions: Sessions, **values: object) -> None:
    with sessions.begin() as session:
        session.execute(update(Message).values(**values))


def again(sessions: Sessions, key: MessageKey, **options: object) -> UUID:
    with sessions.begin() as session:
        return resend(session, WHO, key, "没有收到", utc_now(), **options)  # type: ignore[arg-type]


def test_a_message_sent_again_is_a_new_one_and_the_unclear_one_is_decided(
    sessions: Sessions, key: MessageKey
) -> None:
    put(sessions, slots='[["student","张三"]]', provider="twilio", attempts=3, refused_by="aliyun")
    made = again(sessions, key)
    old, new = read(sessions)
    assert (old.state, old.look_up_at) == (S.UNDELIVERED, None)
    assert (new.id, new.state, new.resend_of) == (made, S.QUEUED, old.id)
    assert (new.body, new.slots, new.kind) == (old.body, old.slots, old.kind)
    assert (new.provider, new.attempts, new.refused_by) == (None, 0, "")
    assert new.expires_at == old.expires_at


def test_of_two_who_send_again_at_once_one_does(sessions: Sessions, key: MessageKey) -> None:
    begun, said = threading.Barrier(2), []

    def send() -> None:
        begun.wait()
        try:
            again(sessions, key)
        except AppError as error:
            said.append(error.code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert said == [Code.CONFLICT]
    assert len(read(sessions)) == 2


def test_who_looked_before_it_moved_is_refused(sessions: Sessions, key: MessageKey) -> None:
    old = read(sessions)[0]
    seen = seen_of(old.state, old.changed_at)
    put(sessions, changed_at=utc_now())
    with pytest.raises(AppError) as refused:
        again(sessions, key, seen=seen)
    assert refused.value.code is Code.CONFLICT
    assert len(read(sessions)) == 1


def test_late_news_that_lasts_gets_a_new_time(sessions: Sessions, key: MessageKey) -> None:
    long_ago = utc_now() - timedelta(days=2)
    put(sessions, kind=MessageKind.NOTICE, expires_at=long_ago)
    with pytest.raises(AppError):
        again(sessions, key)
    again(sessions, key, although_stale=True)
    new = next(one for one in read(sessions) if one.resend_of)
    assert new.expires_at > utc_now() + timedelta(hours=23)


@pytest.mark.parametrize("has_arrived", [True, False])
def test_a_person_decides_once_and_says_why(
    sessions: Sessions, key: MessageKey, has_arrived: bool
) -> None:
    def say(reason: str) -> None:
        with sessions.begin() as session:
            decide(session, WHO, key, reason, utc_now(), has_arrived=has_arrived)

    with pytest.raises(FieldsError):
        say(" ")
    say("母亲说的")
    assert read(sessions)[0].state is (S.DELIVERED if has_arrived else S.UNDELIVERED)
    with pytest.raises(AppError) as refused:
        say("再说一次")
    assert refused.value.code is Code.CONFLICT


def test_a_message_of_another_school_is_not_there(sessions: Sessions, key: MessageKey) -> None:
    with pytest.raises(AppError) as refused:
        again(sessions, MessageKey(key.school_id + 1, key.id))
    assert refused.value.code is Code.NOT_FOUND

"""School notices: once a number, to whom they are meant for, counted before and after."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.messages.notices import (
    NoticeWish,
    list_notices,
    make_notice,
    preview_notice,
    queue_notice,
    read_notice,
)
from card_server.storage.database import open_sessions
from schema.tables.messages import Message, MessageKind, MessageState
from schema.tables.people import Guardian, Guardianship, Language, Student
from schema.tables.school import Homeroom
from tests.harness.campus import Campus, make_campus

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ALL = NoticeWish("school", "明天下午三点召开家长会。", "")


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with open_sessions(engine)() as opened:
        yield opened


@pytest.fixture
def campus(session: Session) -> Campus:
    """Three students; the guardian of the first is the second one's as well."""
    made = make_campus(session, students=3)
    session.add(Guardianship(student_id=2, guardian_id=1, relation="母亲"))
    session.flush()
    return made


def _send(session: Session, campus: Campus, wish: NoticeWish = ALL) -> list[Message]:
    notice = make_notice(session, SYSTEM, campus.school_id, wish, NOW).notice
    queue_notice(session, campus.school_id, notice.id, NOW)
    found = session.scalars(select(Message).where(Message.notice_id == notice.id))
    return sorted(found, key=lambda one: one.guardian_id)


def test_a_guardian_of_siblings_gets_it_once(session: Session, campus: Campus) -> None:
    sent = _send(session, campus)
    assert [(one.guardian_id, one.student_id) for one in sent] == [(1, 1), (2, 2), (3, 3)]
    assert {(one.kind, one.state) for one in sent} == {(MessageKind.NOTICE, MessageState.QUEUED)}
    assert sent[0].body == "【一中】家长您好：明天下午三点召开家长会。"
    assert sent[0].expires_at == NOW + timedelta(days=1)


def test_a_number_that_two_guardians_share_gets_it_once(session: Session, campus: Campus) -> None:
    shared = session.get_one(Guardian, 1).phone_hash
    session.execute(update(Guardian).where(Guardian.id == 3).values(phone_hash=shared))
    assert [one.guardian_id for one in _send(session, campus)] == [1, 2]


@pytest.mark.parametrize(
    ("values", "reached"),
    [({"is_told": False}, [2, 3]), ({"wanted": "arrival absence"}, [2, 3]), ({}, [1, 2, 3])],
)
def test_who_does_not_want_notices_gets_none(
    session: Session, campus: Campus, values: dict[str, object], reached: list[int]
) -> None:
    if values:
        session.execute(update(Guardianship).where(Guardianship.guardian_id == 1).values(**values))
    assert [one.guardian_id for one in _send(session, campus)] == reached


def test_grades_and_homerooms_are_meant_alone(session: Session, campus: Campus) -> None:
    other = Homeroom(school_id=campus.school_id, grade=8, name="八(1)班")
    session.add(other)
    session.flush()
    session.get_one(Student, 3).homeroom_id = other.id
    session.flush()
    of_grade = NoticeWish("grade:7", "七年级", "")
    of_room = NoticeWish(f"homeroom:{other.id}", "八年级", "")
    assert [one.guardian_id for one in _send(session, campus, of_grade)] == [1, 2]
    assert [one.guardian_id for one in _send(session, campus, of_room)] == [3]


def test_each_language_is_read_and_counted(session: Session, campus: Campus) -> None:
    session.get_one(Guardian, 2).language = Language.ENGLISH
    session.flush()
    wish = NoticeWish("school", "长" * 70, "Parents' meeting tomorrow at 3 pm.")
    looked_at = preview_notice(session, campus.school_id, wish)
    assert looked_at.english_size is not None
    assert (looked_at.numbers, looked_at.size.segments) == (3, 2)
    assert looked_at.segments == 2 * 2 + looked_at.english_size.segments
    assert (looked_at.price, looked_at.currency) == (looked_at.segments * 45, "CNY")
    sent = _send(session, campus, wish)
    assert [one.language for one in sent] == [
        Language.CHINESE,
        Language.ENGLISH,
        Language.CHINESE,
    ]
    assert "Parents' meeting" in sent[1].body


def test_a_preview_sends_nothing(session: Session, campus: Campus) -> None:
    preview_notice(session, campus.school_id, ALL)
    assert session.scalars(select(Message)).all() == []


def test_a_notice_is_queued_once_and_not_again_by_a_second_press(
    session: Session, campus: Campus
) -> None:
    notice = make_notice(session, SYSTEM, campus.school_id, ALL, NOW).notice
    assert queue_notice(session, campus.school_id, notice.id, NOW) == 3
    assert queue_notice(session, campus.school_id, notice.id, NOW) == 3
    assert len(session.scalars(select(Message)).all()) == 3
    with pytest.raises(AppError) as caught:
        make_notice(session, SYSTEM, campus.school_id, ALL, NOW + timedelta(minutes=5))
    assert caught.value.code is Code.CONFLICT
    make_notice(session, SYSTEM, campus.school_id, ALL, NOW + timedelta(minutes=15))


def test_a_notice_to_nobody_is_refused(session: Session, campus: Campus) -> None:
    with pytest.raises(AppError):
        make_notice(session, SYSTEM, campus.school_id, NoticeWish("grade:9", "九", ""), NOW)


def test_the_list_counts_what_became_of_the_messages(session: Session, campus: Campus) -> None:
    states = (MessageState.DELIVERED, MessageState.FAILED, MessageState.QUEUED)
    for one, state in zip(_send(session, campus), states, strict=True):
        one.state = state
    session.flush()
    [line] = list_notices(session, campus.school_id)
    assert (line.sent, line.delivered, line.failed, line.waiting) == (3, 1, 1, 1)
    assert line.taken == 1


@pytest.mark.parametrize(
    ("typed", "rooms", "field"),
    [
        ({"audience": "school", "chinese": " "}, [], "chinese"),
        ({"audience": "school", "chinese": "长" * 301}, [], "chinese"),
        ({"audience": "school", "chinese": "【别校】你好"}, [], "chinese"),
        ({"audience": "homerooms", "chinese": "好"}, [], "audience"),
        ({"audience": "homerooms", "chinese": "好"}, list(range(1, 32)), "audience"),
        ({"audience": "grade:x", "chinese": "好"}, [], "audience"),
        ({"chinese": "好"}, [], "audience"),
    ],
)
def test_what_is_wrong_is_said_by_field(
    typed: dict[str, str], rooms: list[int], field: str
) -> None:
    with pytest.raises(FieldsError) as caught:
        read_notice(typed, rooms)
    assert set(caught.value.fields) == {field}


def test_homerooms_are_kept_in_order_and_once() -> None:
    wish = read_notice({"audience": "homerooms", "chinese": "好"}, [12, 3, 12])
    assert wish == NoticeWish("homeroom:3 homeroom:12", "好", "")

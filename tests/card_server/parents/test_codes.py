"""Codes to a guardian's number: one at a time, five tries, five minutes, five a day."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.errors import AppError
from card_server.parents import codes
from schema.tables.messages import Message, MessageKind, MessageState
from schema.tables.parents import ParentCode
from schema.tables.people import Channel, Guardian, Guardianship
from tests.card_server.web.parent_phone import code_of
from tests.card_server.web.small_school import SEAL, SmallSchool

NOW = datetime(2026, 9, 7, 2, tzinfo=UTC)


def _send(
    sessions: sessionmaker[Session], school: SmallSchool, now: datetime = NOW, guardian: int = 0
) -> str:
    with sessions.begin() as session:
        codes.send_code(session, SEAL, school.id, school.guardians[guardian], now)
    return code_of(sessions, school, guardian)


def _use(
    sessions: sessionmaker[Session], school: SmallSchool, typed: str, now: datetime = NOW
) -> bool:
    with sessions.begin() as session:
        guardian = session.get_one(Guardian, school.guardians[0])
        return codes.use_code(session, SEAL, guardian, typed, now)


def test_a_right_code_counts_once(sessions: sessionmaker[Session], school: SmallSchool) -> None:
    code = _send(sessions, school)
    assert len(code) == 6
    assert code.isdigit()
    assert _use(sessions, school, code)
    assert not _use(sessions, school, code)


def test_a_code_may_be_typed_in_full_width_and_apart(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    code = _send(sessions, school)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    assert _use(sessions, school, f" {wide[:3]} {wide[3:]} ")


def test_the_digits_stand_nowhere_in_the_clear(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    code = _send(sessions, school)
    with sessions() as session:
        message = session.scalars(select(Message)).one()
        row = session.get_one(ParentCode, school.guardians[0])
    assert message.kind is MessageKind.CODE
    assert message.state is MessageState.QUEUED
    assert "******" in message.body
    assert code not in message.body + message.slots
    assert code.encode() not in row.code_hash + row.code_sealed


def test_a_code_goes_by_sms_also_to_who_is_told_nothing_or_elsewhere(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        session.execute(update(Guardianship).values(is_told=False, channel=Channel.WECOM))
    _send(sessions, school)
    with sessions() as session:
        assert session.scalars(select(Message.channel)).all() == [Channel.SMS]


def test_after_five_wrong_tries_the_right_code_is_dead(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    code = _send(sessions, school)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert [_use(sessions, school, wrong) for _ in range(codes.MOST_TRIES)] == [False] * 5
    assert not _use(sessions, school, code)


def test_the_fifth_try_may_be_the_right_one(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    code = _send(sessions, school)
    for _ in range(codes.MOST_TRIES - 1):
        assert not _use(sessions, school, "")
    assert _use(sessions, school, code)


def test_a_code_lasts_five_minutes(sessions: sessionmaker[Session], school: SmallSchool) -> None:
    code = _send(sessions, school)
    assert not _use(sessions, school, code, NOW + codes.LASTS)
    assert _use(sessions, school, code, NOW + codes.LASTS - timedelta(seconds=1))


def test_a_code_dies_with_the_number(sessions: sessionmaker[Session], school: SmallSchool) -> None:
    code = _send(sessions, school)
    with sessions.begin() as session:
        session.execute(update(Guardian).values(phone_since=NOW + timedelta(seconds=1)))
    assert not _use(sessions, school, code, NOW + timedelta(seconds=2))


def test_a_new_code_kills_the_one_before(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    first, later = _send(sessions, school), NOW + codes.BETWEEN
    second = _send(sessions, school, later)
    assert first == second or not _use(sessions, school, first, later)
    assert _use(sessions, school, second, later)


def test_one_guardians_code_is_not_anothers(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    _send(sessions, school)
    other = _send(sessions, school, guardian=1)
    own = code_of(sessions, school, 0)
    assert own == other or not _use(sessions, school, other)


def test_a_new_code_waits_a_minute_and_a_number_gets_five_a_day_whoever_has_it(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        hash_ = session.get_one(Guardian, school.guardians[0]).phone_hash
        session.get_one(Guardian, school.guardians[1]).phone_hash = hash_
    for turn in range(codes.MOST_A_DAY):
        at = NOW + turn * codes.BETWEEN
        _send(sessions, school, at, guardian=turn % 2)
        with pytest.raises(AppError, match="one minute"):
            _send(sessions, school, at + timedelta(seconds=59), guardian=(turn + 1) % 2)
    with pytest.raises(AppError, match="five codes"):
        _send(sessions, school, NOW + timedelta(hours=23))
    _send(sessions, school, NOW + timedelta(days=1, minutes=1))
    _send(sessions, school, NOW, guardian=2)

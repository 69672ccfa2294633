"""Five failures within fifteen minutes lock for fifteen, whoever counts them at the same time."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff import lockout
from card_server.staff.lockout import FAILURES, LOCKED_FOR, WINDOW, Limit, Tries, add_try, take_back
from card_server.storage.sealing import Seal
from schema.tables.log_in import LogInLock

NOW = datetime(2026, 9, 1, 7, 0, 0, 123456, tzinfo=UTC)
SEAL = Seal(bytes(32))
KEY = Limit(b"k" * 32)


@given(st.lists(st.integers(0, 3600), max_size=40))
def test_no_more_than_five_tries_are_looked_at_in_any_fifteen_minutes(seconds: list[int]) -> None:
    tries, looked_at = Tries(), []
    for second in sorted(seconds):
        now = NOW + timedelta(seconds=second)
        if not tries.is_locked(now):
            looked_at.append(now)
            tries = add_try(tries, now, FAILURES)
    for first in looked_at:
        assert sum(first <= at < first + WINDOW for at in looked_at) <= FAILURES


@given(st.lists(st.integers(0, 899), min_size=FAILURES, max_size=FAILURES))
def test_the_fifth_failure_locks_for_fifteen_minutes_and_no_longer(seconds: list[int]) -> None:
    tries = Tries()
    for second in sorted(seconds):
        assert not tries.is_locked(NOW + timedelta(seconds=second))
        tries = add_try(tries, NOW + timedelta(seconds=second), FAILURES)
    fifth = NOW + timedelta(seconds=max(seconds))
    assert tries.is_locked(fifth)
    assert tries.is_locked(fifth + LOCKED_FOR - timedelta(microseconds=1))
    assert not tries.is_locked(fifth + LOCKED_FOR)


def test_a_right_try_leaves_the_failures_as_they_were() -> None:
    four = Tries(tuple(NOW + timedelta(seconds=n) for n in range(4)))
    now = NOW + timedelta(seconds=9)
    assert take_back(add_try(four, now, FAILURES), now, FAILURES) == four


def test_failures_are_kept_across_processes_and_forgiven_exactly(
    sessions: sessionmaker[Session],
) -> None:
    for number in range(FAILURES):
        with sessions.begin() as session:
            counted = lockout.count_try(session, [KEY], NOW + timedelta(microseconds=number))
            assert counted.may_try
            assert counted.locks == (number == FAILURES - 1)
    with sessions.begin() as session:
        assert not lockout.count_try(session, [KEY], NOW + timedelta(minutes=14)).may_try
    with sessions.begin() as session:
        lockout.forgive(session, [KEY], NOW + timedelta(microseconds=2))
    with sessions.begin() as session:
        assert lockout.count_try(session, [KEY], NOW + timedelta(minutes=1)).may_try


def test_one_locked_limit_refuses_and_counts_for_no_other(sessions: sessionmaker[Session]) -> None:
    account, address = Limit(b"a" * 32), Limit(b"b" * 32, most=9)
    for _ in range(FAILURES):
        with sessions.begin() as session:
            lockout.count_try(session, [account], NOW)
    for _ in range(9):
        with sessions.begin() as session:
            assert not lockout.count_try(session, [account, address], NOW).may_try
    with sessions.begin() as session:
        assert lockout.count_try(session, [address], NOW).may_try


def test_of_many_tries_at_once_five_are_looked_at(sessions: sessionmaker[Session]) -> None:
    allowed: list[bool] = []
    limits = [KEY, Limit(b"a" * 32, most=100)]

    def knock() -> None:
        with sessions.begin() as session:
            allowed.append(lockout.count_try(session, limits, NOW).may_try)

    threads = [threading.Thread(target=knock) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(allowed) == [False] * 7 + [True] * 5


def test_an_administrator_unlocks_the_account(sessions: sessionmaker[Session]) -> None:
    for _ in range(FAILURES):
        with sessions.begin() as session:
            lockout.count_try(session, [lockout.account_limit(12)], NOW)
    with sessions.begin() as session:
        assert lockout.is_locked(session, 12, NOW)
        lockout.unlock(session, 12)
    with sessions.begin() as session:
        assert not lockout.is_locked(session, 12, NOW)


@pytest.mark.parametrize(
    ("one", "other", "is_one_place"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("", "192.0.2.1", False),
    ],
)
def test_an_address_is_one_place_and_an_ipv6_network_is_one_too(
    one: str, other: str, is_one_place: bool
) -> None:
    keys = [lockout.address_limit(SEAL, address, 5).key for address in (one, other)]
    assert (keys[0] == keys[1]) is is_one_place


def test_neither_login_nor_address_is_stored_in_clear(sessions: sessionmaker[Session]) -> None:
    limits = [
        lockout.login_limit(SEAL, "canary-login"),
        lockout.address_limit(SEAL, "192.0.2.77", 5),
    ]
    with sessions.begin() as session:
        lockout.count_try(session, limits, NOW)
    with sessions() as session:
        rows = session.scalars(select(LogInLock)).all()
        assert len(rows) == 2
        for row in rows:
            assert b"canary" not in row.key_hash
            assert b"192.0.2" not in row.key_hash


def test_what_nobody_touched_for_an_hour_is_thrown_away(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        lockout.count_try(session, [KEY], NOW)
    with sessions.begin() as session:
        lockout.count_try(session, [Limit(b"z" * 32)], NOW + timedelta(hours=1, seconds=1))
    with sessions() as session:
        assert session.scalars(select(LogInLock.key_hash)).all() == [b"z" * 32]


def test_an_address_that_was_quiet_for_an_hour_lets_a_new_account_in(
    sessions: sessionmaker[Session],
) -> None:
    account, later = Limit(b"z" * 32), NOW + timedelta(hours=1, seconds=1)
    assert KEY.key < account.key
    with sessions.begin() as session:
        lockout.count_try(session, [KEY], NOW)
    with sessions.begin() as session:
        assert lockout.count_try(session, [account, KEY], later).may_try
    with sessions() as session:
        keys = session.scalars(select(LogInLock.key_hash).order_by(LogInLock.key_hash)).all()
    assert keys == [KEY.key, account.key]

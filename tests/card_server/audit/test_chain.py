"""The hash of an entry: a known value, and no two entries that share one."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.audit.chain import GENESIS, Link, digest_of, hash_of

LINK = Link(
    school_id=3,
    seq=7,
    at=datetime(2026, 9, 1, 7, 32, 10, 123456, UTC),
    actor_kind="staff",
    actor_id=12,
    action="student.changed",
    subject="student:5",
    digest=bytes(range(32)),
    previous=GENESIS,
)


def test_the_hash_is_what_the_description_says() -> None:
    fields = [
        b"campus-card audit 1",
        b"3",
        b"7",
        b"1788247930123456",
        b"staff",
        b"12",
        b"student.changed",
        b"student:5",
        bytes(range(32)),
        bytes(32),
    ]
    written = b"".join(len(one).to_bytes(4, "big") + one for one in fields)
    assert hash_of(LINK) == hashlib.sha256(written).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"school_id": 4},
        {"seq": 8},
        {"at": LINK.at + timedelta(microseconds=1)},
        {"actor_kind": "token"},
        {"actor_id": 13},
        {"actor_id": None},
        {"action": "student.erased"},
        {"subject": "student:6"},
        {"digest": bytes(32)},
        {"previous": bytes(range(32))},
    ],
)
def test_each_field_counts(change: dict[str, Any]) -> None:
    assert hash_of(LINK._replace(**change)) != hash_of(LINK)


def test_the_same_moment_in_another_zone_is_the_same() -> None:
    there = LINK.at.astimezone(timezone(timedelta(hours=8)))
    assert hash_of(LINK._replace(at=there)) == hash_of(LINK)


@given(st.text(max_size=9), st.text(max_size=9), st.integers(0, 9))
def test_nothing_moves_from_one_field_to_the_next(action: str, subject: str, cut: int) -> None:
    joined = action + subject
    other = LINK._replace(action=joined[:cut], subject=joined[cut:])
    same = (other.action, other.subject) == (action, subject)
    assert (hash_of(other) == hash_of(LINK._replace(action=action, subject=subject))) is same


def test_a_digest_is_of_the_text() -> None:
    assert digest_of("张三") == hashlib.sha256("张三".encode()).digest()

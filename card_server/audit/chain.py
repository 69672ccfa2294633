"""What an entry of the audit log is hashed from, so that no other entry has the same hash.

The hash is SHA-256 over ten fields, each as four bytes of length (big-endian) and then its bytes:
the words `campus-card audit 1`, school, seq, microseconds since 1970 (UTC), the actor's kind, the
actor's id or nothing, action, subject, digest of the detail, hash of the entry before. Numbers are
decimal digits, texts UTF-8. The first entry of a chain has 32 zero bytes before it.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

GENESIS = bytes(32)
"""What stands before the first entry."""
_FORM = b"campus-card audit 1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Link(NamedTuple):
    """All of an entry but its own hash."""

    school_id: int
    seq: int
    at: datetime
    actor_kind: str
    actor_id: int | None
    action: str
    subject: str
    digest: bytes
    previous: bytes


def hash_of(link: Link) -> bytes:
    """The entry's own hash, 32 bytes."""
    fields = (
        _FORM,
        _number(link.school_id),
        _number(link.seq),
        _number((link.at - _EPOCH) // timedelta(microseconds=1)),
        link.actor_kind.encode(),
        b"" if link.actor_id is None else _number(link.actor_id),
        link.action.encode(),
        link.subject.encode(),
        link.digest,
        link.previous,
    )
    return hashlib.sha256(b"".join(len(one).to_bytes(4) + one for one in fields)).digest()


def digest_of(text: str) -> bytes:
    """What the chain keeps of a detail's text, 32 bytes."""
    return hashlib.sha256(text.encode()).digest()


def _number(value: int) -> bytes:
    return str(value).encode()

"""Proof of a password by argon2id, a few at a time.

Parameters: argon2-cffi's own, which are RFC 9106 §4's second choice (64 MiB, three passes).
"""

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MOST_CHARACTERS = 200
hasher = PasswordHasher()
_AT_ONCE = threading.BoundedSemaphore(2)
"""One check takes 64 MiB: a flood of log-ins must not take the memory of the machine."""


def hash_password(password: str) -> str:
    """What is kept of a password."""
    with _AT_ONCE:
        return hasher.hash(password)


def is_password(known: str, password: str) -> bool:
    """Whether this is the password of which `known` was kept."""
    try:
        with _AT_ONCE:
            return hasher.verify(known, password[: MOST_CHARACTERS + 1])
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(known: str) -> bool:
    """Whether it was kept by other parameters than today's."""
    return hasher.check_needs_rehash(known)


NOBODYS = hash_password(secrets.token_hex())
"""An unknown login is checked against this, so that it takes as long as a known one."""

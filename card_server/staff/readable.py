"""Secrets that people copy by hand: one-time passwords and recovery codes."""

import secrets

READABLE = "abcdefghjkmnpqrstvwxyz23456789"
"""Letters and digits that cannot be taken for one another: 4.9 bits each."""
_GROUPS, _GROUP = 4, 4


def new_readable() -> str:
    """Four groups of four, 78 bits: nothing needs to slow down who guesses."""
    groups = ("".join(secrets.choice(READABLE) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def as_written(typed: str) -> str:
    """A secret without the capitals, spaces and hyphens that its reader put in or left out."""
    return "".join(one for one in typed.lower() if one.isalnum())

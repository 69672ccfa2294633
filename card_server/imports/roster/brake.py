"""The brake: a roster that would take away or change very much waits for a person's yes."""

from enum import StrEnum
from typing import Final

from card_server.imports.roster.plan import Counts

MOST_GONE: Final = 0.10
MOST_CHANGED: Final = 0.75


class Brake(StrEnum):
    """Why it holds."""

    GONE = "gone"
    """More than a tenth of the school would be gone: perhaps half the file is missing."""
    CHANGED = "changed"
    """More than three quarters would change: perhaps two columns are exchanged."""


def find_brakes(counts: Counts, enrolled: int) -> tuple[Brake, ...]:
    """What a person must say yes to, in a school of so many; in a new one nothing."""
    if not enrolled:
        return ()
    brakes = []
    if counts.gone > MOST_GONE * enrolled:
        brakes.append(Brake.GONE)
    if counts.changed > MOST_CHANGED * enrolled:
        brakes.append(Brake.CHANGED)
    return tuple(brakes)

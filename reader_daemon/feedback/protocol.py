"""What a tap's answer is, and what shows it."""

from enum import StrEnum
from typing import Protocol

from schema.messages import Refusal


class Signal(StrEnum):
    """What the person at the reader is told."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    HELD = "held"
    """The card is good, and its holder may not leave now: the guard or a leave slip decides."""
    NOT_KEPT = "not_kept"
    """The tap could not be written to disk: it does not count, whatever the card."""
    READ = "read"
    """At a desk: the card was read and kept. It says nothing of whose it is, and opens nothing."""
    IDENTIFY = "identify"
    """Nobody tapped: staff look for this device."""


class Feedback(Protocol):
    """One way to show signals; slow or broken ones are kept apart by the panel."""

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        """Show it; return when the next one may be shown. May raise whatever it likes."""
        ...

    def close(self) -> None:
        """Leave lamps and relays off."""
        ...

"""One row of the bench's table."""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil


class Is(StrEnum):
    """On which side of its target a figure must be."""

    AT_LEAST = "≥"
    BELOW = "<"
    ONLY_SHOWN = ""


@dataclass(frozen=True)
class Measure:
    """A figure, and what it must be."""

    name: str
    value: float
    unit: str
    side: Is = Is.ONLY_SHOWN
    target: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        if self.side is Is.AT_LEAST:
            return self.value >= self.target
        return self.value < self.target


def quantile(values: list[float], part: float) -> float:
    """The smallest value that is no less than that part of the values (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(part * len(ordered)) - 1)]

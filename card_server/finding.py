"""What a try of an outside part found: how it is, in words, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a part is."""

    WELL = "well"
    DOUBTFUL = "doubtful"
    """It works, and somebody should look."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What one try found."""

    part: str
    verdict: Verdict
    found: str
    what_to_do: str = ""

    @property
    def is_well(self) -> bool:
        """Nothing here keeps the server from its work."""
        return self.verdict is not Verdict.WRONG

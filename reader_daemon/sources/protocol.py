"""What a source of cards is: a context manager that one iterates over."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from reader_daemon.feedback.protocol import Signal
from schema.messages import Refusal, SourceState, utc_now


@dataclass(frozen=True)
class CardRead:
    """One card held to the reader once."""

    uid: str
    """Upper-case hex of 4, 7 or 10 bytes."""
    atr: str = ""
    tapped_at: datetime = field(default_factory=utc_now)
    read_s: float = field(default_factory=time.perf_counter)
    """The same moment for measuring, in seconds."""


class SourceError(Exception):
    """Why no card can be read; the text says what to do."""


class Source(Protocol):
    """Yields a CardRead for each tap, for ever; ends only after close()."""

    @property
    def state(self) -> SourceState:
        """Whether the device answers at this moment."""
        ...

    def __iter__(self) -> Iterator[CardRead]: ...

    def show(self, signal: Signal, reason: Refusal | None) -> None:
        """The device's own lights answer the read that was just yielded; never raises."""
        ...

    def close(self) -> None:
        """End the iteration soon, from any thread."""
        ...

    def check(self) -> str:
        """What was found, in a sentence. Raises SourceError when cards cannot be read."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

"""A message in parts: put together once all of them are there, in whatever order they come."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Parts(Generic[T]):
    """The parts of one list at a time; a part of another list begins anew."""

    def __init__(self) -> None:
        self._of: tuple[Hashable, int] | None = None
        self._come: dict[int, T] = {}

    def add(self, of: Hashable, part: int, parts: int, content: T) -> list[T] | None:
        """All contents in the order of their parts, once the last is there; parts may repeat."""
        if (of, parts) != self._of:
            self._of = (of, parts)
            self._come = {}
        self._come[part] = content
        if len(self._come) < parts:
            return None
        whole = [self._come[number] for number in sorted(self._come)]
        self._of, self._come = None, {}
        return whole

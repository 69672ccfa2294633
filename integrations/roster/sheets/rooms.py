"""The homerooms of a table: one each, in whatever writings its rows name it."""

from integrations.roster.protocol import HomeroomEntry
from integrations.roster.sheets.homerooms import LONGEST, Homeroom, name_of_grade

_Key = tuple[int, int | str, str]
"""Grade, number or own name, and campus."""


class Rooms:
    """Collects homerooms: 初一(2)班 and 七年级(2)班 are one, and the first name stays."""

    def __init__(self) -> None:
        self._places: dict[_Key, int] = {}
        self._rooms: list[tuple[Homeroom, str]] = []

    def add(self, room: Homeroom, campus: str) -> int:
        """The homeroom's place in the list; the same for every writing of it."""
        key = (room.grade, room.number if room.number is not None else room.name, campus)
        if key not in self._places:
            self._places[key] = len(self._rooms)
            self._rooms.append((room, campus))
        return self._places[key]

    def names(self) -> list[str]:
        """Each homeroom's name by its place; where two would have the same, a longer one.

        Two campuses may each have a 七年级(1)班, and primary and junior school a 2024级(1)班.
        """
        names = [room.name for room, _ in self._rooms]
        names = [
            f"{campus}{name}"[:LONGEST] if names.count(name) > 1 else name
            for name, (_, campus) in zip(names, self._rooms, strict=True)
        ]
        return [
            f"{name_of_grade(room.grade)}{name}"[:LONGEST] if names.count(name) > 1 else name
            for name, (room, _) in zip(names, self._rooms, strict=True)
        ]

    def entries(self) -> tuple[HomeroomEntry, ...]:
        """All of them."""
        return tuple(
            HomeroomEntry(name, room.grade, campus or None)
            for name, (room, campus) in zip(self.names(), self._rooms, strict=True)
        )

"""Grades and homerooms to choose from in a list's filter."""

from collections.abc import Iterable, Mapping

from card_server.reports.sheet_rooms import SheetRoom
from card_server.words.grades import grade_word


def grade_choices(rooms: Iterable[SheetRoom]) -> list[tuple[int, str]]:
    """The grades of these homerooms, each once; none where there is no choice."""
    grades = sorted({one.grade for one in rooms})
    return [(one, grade_word(one)) for one in grades] if len(grades) > 1 else []


def room_choices(rooms: Iterable[SheetRoom], filters: Mapping[str, str]) -> list[tuple[int, str]]:
    """The homerooms of the grade that is asked for, and the one that is asked for."""
    grade, chosen = filters.get("grade"), filters.get("homeroom")
    return [
        (one.id, one.name)
        for one in rooms
        if grade in (None, str(one.grade)) or chosen == str(one.id)
    ]

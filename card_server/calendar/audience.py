"""For whom a day or a timetable is: grades and homerooms, as columns and forms write them."""

from card_server.field_errors import Problems
from card_server.field_errors import marked as _

FIRST_GRADE, LAST_GRADE = 1, 12


def read_grades(wrong: Problems, field: str, typed: str) -> tuple[int, ...]:
    """Grade numbers apart by spaces, each once, in order; none is the whole school."""
    words = typed.split()
    if all(one.isascii() and one.isdigit() and len(one) <= 2 for one in words):
        grades = sorted({int(one) for one in words})
        if all(FIRST_GRADE <= one <= LAST_GRADE for one in grades):
            return tuple(grades)
    wrong.add(field, _("Grades are numbers from 1 to 12."))
    return ()


def read_ids(wrong: Problems, field: str, typed: str, most: int) -> tuple[int, ...]:
    """Ids apart by spaces, each once, in order, `most` at most."""
    words = typed.split()
    if all(one.isascii() and one.isdigit() and len(one) <= 9 for one in words):
        found = sorted({int(one) for one in words})
        if len(found) <= most:
            return tuple(found)
    wrong.add(field, _("These are too many homerooms: name the grades instead."))
    return ()


def grades_of(written: str) -> tuple[int, ...]:
    """What a column holds."""
    return tuple(map(int, written.split()))


def write_grades(grades: tuple[int, ...]) -> str:
    """As a column holds them: `7 8 9`."""
    return " ".join(map(str, grades))

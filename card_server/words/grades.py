"""Grades as a school says them (年级): 七年级, 高一; Grade 7 in English."""

from collections.abc import Iterable
from typing import Final

from flask_babel import LazyString, lazy_gettext

_GRADES: Final[dict[int, LazyString]] = {
    1: lazy_gettext("Grade 1"),
    2: lazy_gettext("Grade 2"),
    3: lazy_gettext("Grade 3"),
    4: lazy_gettext("Grade 4"),
    5: lazy_gettext("Grade 5"),
    6: lazy_gettext("Grade 6"),
    7: lazy_gettext("Grade 7"),
    8: lazy_gettext("Grade 8"),
    9: lazy_gettext("Grade 9"),
    10: lazy_gettext("Grade 10"),
    11: lazy_gettext("Grade 11"),
    12: lazy_gettext("Grade 12"),
}


def grade_word(grade: int) -> str:
    """A grade's name; the number alone of what is none, which old data may hold."""
    return str(_GRADES.get(grade, grade))


def grade_words(grades: Iterable[int]) -> str:
    """Several grades' names in a row."""
    return "、".join(map(grade_word, grades))

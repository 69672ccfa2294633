"""What a homeroom is called a year later (升级后的班名): a proposal that staff can correct."""

import re
from collections.abc import Callable
from functools import lru_cache

_HAN = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_STAYS = re.compile(r"(?:20)?\d{2}\s*[级届]|^[A-Za-z]{0,2}20\d{2}")
"""Named by the year of entering or leaving: 2024级3班, 24级(3)班, 2027届1班."""
_LAST_GRADE = 12
_KNOWN_NAMES = 2000
"""A page asks for each name of a school, and again when it comes back with corrections."""


@lru_cache(_KNOWN_NAMES)
def next_name(name: str, grade: int) -> str:
    """The name of a grade's homeroom in the next school year; the same where no rule fits.

    高一(3)班 → 高二(3)班, 三年级2班 → 四年级2班, 2024级3班 stays. Where the name does not fit the
    stored grade, a grade that is written out in it counts.
    """
    if _STAYS.search(name):
        return name
    for form in _FORMS:
        for known in (grade, *range(1, _LAST_GRADE)) if form in _WRITTEN_OUT else (grade,):
            raised = _raise(name, known, form)
            if raised is not None:
                return raised
    return name


Form = Callable[[int], str]
"""How a grade is written at the beginning of a homeroom's name; empty where it is not."""


def _raise(name: str, grade: int, form: Form) -> str | None:
    if not 1 <= grade < _LAST_GRADE:
        return None
    now, then = form(grade), form(grade + 1)
    if not now or not then or not name.startswith(now):
        return None
    rest = name[len(now) :]
    follows = _FOLLOWS.get(form)
    if follows is not None and not follows.match(rest):
        return None
    return then + rest


def _by_stage(small: str, junior: str, senior: str, ending: str) -> Form:
    """Counted anew in each stage: 小六, 初一, 高一; 小学六年级, 初中一年级, 高中一年级."""

    def write(grade: int) -> str:
        if grade <= 6:
            return f"{small}{_HAN[grade]}{ending}" if small else ""
        stage, first = (junior, 6) if grade <= 9 else (senior, 9)
        return f"{stage}{_HAN[grade - first]}{ending}"

    return write


def _by_stage_digit(grade: int) -> str:
    """初2, 高1."""
    if grade <= 6:
        return ""
    return f"初{grade - 6}" if grade <= 9 else f"高{grade - 9}"


def _han_grade(grade: int) -> str:
    return f"{_HAN[grade]}年级"


def _digit_grade(grade: int) -> str:
    return f"{grade}年级"


def _han_year(grade: int) -> str:
    """一年一班."""
    return f"{_HAN[grade]}年"


def _han_alone(grade: int) -> str:
    """三(2)班, 三2班; not 三班, which is the third."""
    return _HAN[grade]


def _english(grade: int) -> str:
    return f"Grade {grade}"


def _english_short(grade: int) -> str:
    return f"G{grade}"


def _two_digits(grade: int) -> str:
    """0703班."""
    return f"{grade:02}"


def _digits(grade: int) -> str:
    """7(2)班, 702班, 7A, 7-2; not 7班, which is the seventh."""
    return str(grade)


_LONG_STAGE = _by_stage("小学", "初中", "高中", "年级")
_SHORT_STAGE = _by_stage("小", "初", "高", "")
_WRITTEN_OUT = (_LONG_STAGE, _SHORT_STAGE, _han_grade, _digit_grade)
"""Whoever writes this means the grade, whatever is stored."""
_FORMS: tuple[Form, ...] = (
    *_WRITTEN_OUT,
    _by_stage_digit,
    _english,
    _english_short,
    _han_year,
    _han_alone,
    _two_digits,
    _digits,
)
_NO_LETTER = re.compile(r"(?![一二三四五六七八九十])")
_NO_DIGIT = re.compile(r"(?!\d)")
_FOLLOWS: dict[Form, re.Pattern[str]] = {
    _SHORT_STAGE: _NO_LETTER,
    _by_stage_digit: _NO_DIGIT,
    _english: _NO_DIGIT,
    _english_short: _NO_DIGIT,
    _han_year: re.compile(r"\s*[一二三四五六七八九十(（\d]"),
    _han_alone: re.compile(r"\s*[(（\[【\d-]"),
    _two_digits: re.compile(r"\d\d?\s*班?$"),
    _digits: re.compile(r"\s*(?:[(（\[【.-]\s*\d|\d\d\s*班?$|[A-Za-z]\b)"),
}
"""What must come after the shorter forms, so that a class's number is not taken for a grade."""

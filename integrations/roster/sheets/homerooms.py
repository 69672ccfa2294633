"""A homeroom's name and grade, out of the many ways in which sheets write grade and class."""

import re
import unicodedata
from typing import Final

from msgspec import Struct

from integrations.roster.dates import HAN_NUMBER, read_han, read_year
from integrations.roster.kinds import Kind

LONGEST: Final = 40
LAST_GRADES: Final = {1: 6, 7: 9, 6: 9, 10: 12}
"""First grade of a stage → its last."""


class School(Struct, frozen=True):
    """What the sheets do not say, and grades cannot be read without."""

    school_year: int
    """The year in which it begins: a 2024级 is a year further on in each."""
    first_grades: tuple[int, ...] = (1, 7, 10)
    """The first grade of each stage that the school has: 7 for a school of 初中 alone."""
    junior_from: int = 7
    """The grade that is called 初一; 6 where primary school has five years."""


class Homeroom(Struct, frozen=True):
    """What a row says of its homeroom."""

    name: str
    """In one writing: 高一(3)班, 2024级(3)班, 七年级(2)班."""
    grade: int
    number: int | None
    """None where a class has a name of its own (实验班)."""


class HomeroomError(ValueError):
    """No homeroom that is certain; `kind` says why."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind.value)
        self.kind = kind


class _Grade(Struct, frozen=True):
    """A grade, and the word that a homeroom's name has for it."""

    grade: int
    word: str
    rest: str = ""
    """What stands behind it."""


def read_homeroom(written: str, grade: str, stage: str, entered: str, school: School) -> Homeroom:
    """The homeroom of a row by its class, grade, stage and entry. Raises HomeroomError.

    Grade, stage and entry may be empty; a class that names its grade itself needs none of them.
    """
    text, first = _plain(written), _first_grade(_plain(stage), school)
    if not text:
        raise HomeroomError(Kind.HOMEROOM_MISSING)
    if _SPOILT.fullmatch(text):
        raise HomeroomError(Kind.HOMEROOM_GRADE_UNCLEAR)
    given = _read_grade(_plain(grade), first, school) if grade.strip() else None
    own = _begin(text, first, school) if given is None else _agreeing(text, given, first, school)
    if own is not None:
        return _make(own.grade, own.word, own.rest)
    if given is None:
        given = _grade_of_entry(entered, first, school)
    return _make(given.grade, given.word, text)


def name_of_grade(grade: int) -> str:
    """What a school calls a grade that a sheet gives as a number."""
    if grade >= 10:
        return f"高{_HAN[grade - 10]}"
    return f"{_HAN[grade - 1]}年级"


_SPOILT: Final = re.compile(r"\d+\.\d+|\d{4}-\d\d-\d\d.*")
"""What a spreadsheet makes of class 6.10 (6.1) and 6-2 (2 June)."""


def _plain(written: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", written)).replace("﹙", "(")


_STAGES: Final = (
    (re.compile(r"小学?|primary", re.IGNORECASE), 1),
    (re.compile(r"初中?|junior", re.IGNORECASE), 7),
    (re.compile(r"高中?|senior", re.IGNORECASE), 10),
)


def _first_grade(stage: str, school: School) -> int | None:
    """The first grade of a stage; of the school's only stage where the row names none."""
    for form, first in _STAGES:
        if form.search(stage):
            return school.junior_from if first == 7 else first
    return school.first_grades[0] if len(school.first_grades) == 1 else None


_HAN: Final = "一二三四五六七八九十"
_GRADES: Final = (
    re.compile(
        rf"(?P<stage>高中?|初中?|小学?)(?P<year>[{_HAN}]|[1-9](?![\d年级届]|\d))(?:年级|年)?"
    ),
    re.compile(rf"(?P<year>十[一二]|[{_HAN}]|1[0-2]|0?[1-9])年级"),
    re.compile(r"(?:grade|g|year)(?P<year>1[0-2]|[1-9])(?!\d)", re.IGNORECASE),
    re.compile(rf"(?P<year>[{_HAN}])(?=\(|\d{{1,2}}班?$)"),
    re.compile(rf"(?P<year>[{_HAN}]|1[0-2]|[1-9])-(?=\d{{1,2}}班?$)"),
)
_COHORT: Final = re.compile(
    r"(?P<stage>高中?|初中?|小学?)?(?P<year>(?:20)?[0-4]\d)(?P<word>级|届|学年入学)"
)


def _begin(text: str, first: int | None, school: School) -> _Grade | None:
    """The grade with which a text begins. Raises HomeroomError when it is one, but not certain."""
    if found := _COHORT.match(text):
        begin = _first_grade(found["stage"] or "", school) if found["stage"] else first
        year = int(found["year"]) % 100 + 2000
        grade = _grade_of_cohort(year, found["word"], begin, school)
        word = f"{found['stage'] or ''}{year}{'届' if found['word'] == '届' else '级'}"
        return _Grade(grade, word, text[found.end() :])
    for form in _GRADES:
        if found := form.match(text):
            given = found.groupdict()
            is_word = found[0].endswith(("级", "年")) or given.get("stage")
            word = found[0] if is_word and not re.search(r"\d", found[0]) else ""
            grade = _grade_of_year(given.get("stage") or "", given["year"], school)
            return _Grade(grade, word or name_of_grade(grade), text[found.end() :])
    return _begin_with_digits(text, first, school)


_DIGITS: Final = re.compile(r"(\d{3}|\d{4}|\d{6})班?")


def _begin_with_digits(text: str, first: int | None, school: School) -> _Grade | None:
    """0703 and 703 are class 3 of grade 7; 202403 and 2403 class 3 of those who came in 2024."""
    found = _DIGITS.fullmatch(text)
    if found is None:
        return None
    digits = found[1]
    head, number = int(digits[:-2]), digits[-2:]
    if int(number) == 0:
        return None
    if 1 <= head <= 12 and len(digits) < 6:
        return _Grade(head, name_of_grade(head), number)
    year = head if len(digits) == 6 else 2000 + head
    if not school.school_year - 12 <= year <= school.school_year + 1:
        return None
    return _Grade(_grade_of_cohort(year, "级", first, school), f"{year}级", number)


def _grade_of_year(stage: str, written: str, school: School) -> int:
    """The grade of 高二, 初三, 七年级."""
    year = read_han(written) if written[0] in _HAN else int(written)
    if not stage:
        return _within(year)
    first = {"小": 1, "初": school.junior_from, "高": 10}[stage[0]]
    grade = first + year - 1
    if not first <= grade <= LAST_GRADES.get(first, 9):
        raise HomeroomError(Kind.HOMEROOM_GRADE_OUTSIDE)
    return grade


def _grade_of_cohort(year: int, word: str, first: int | None, school: School) -> int:
    """The grade in which those are who came in that year, or leave in it."""
    if first is None:
        raise HomeroomError(Kind.HOMEROOM_GRADE_UNCLEAR)
    last = LAST_GRADES.get(first, 9)
    grade = first + school.school_year - year
    if word == "届":
        grade = last - (year - 1 - school.school_year)
    if not first <= grade <= last:
        raise HomeroomError(Kind.HOMEROOM_GRADE_OUTSIDE)
    return grade


def _read_grade(text: str, first: int | None, school: School) -> _Grade:
    """The grade of a column that holds nothing else. Raises HomeroomError."""
    if re.fullmatch(r"0?[1-9]|1[0-2]", text):
        return _Grade(int(text), name_of_grade(int(text)))
    if re.fullmatch(r"20\d\d", text):
        text += "级"
    if re.fullmatch(rf"[{_HAN}]|十[一二]", text):
        text += "年级"
    read = _begin(text, first, school)
    if read is None or read.rest not in {"", "学生"}:
        raise HomeroomError(Kind.HOMEROOM_GRADE_UNCLEAR)
    return read


def _agreeing(text: str, given: _Grade, first: int | None, school: School) -> _Grade | None:
    """The grade that the class names itself, which must be that of the grade's column.

    A number alone is one of the grade's classes, unless its first digits are the grade.
    """
    if re.fullmatch(r"\d{1,2}班?", text):
        return None
    try:
        own = _begin(text, first, school)
    except HomeroomError as error:
        if error.kind is Kind.HOMEROOM_GRADE_UNCLEAR:
            return _with_known_cohort(text, given, school)
        raise
    if own is None:
        return None
    if own.grade != given.grade:
        raise HomeroomError(Kind.HOMEROOM_CONTRADICTS)
    return own


def _with_known_cohort(text: str, given: _Grade, school: School) -> _Grade | None:
    """2024级3班 where the grade's column says what the school's stages leave open."""
    for first in school.first_grades:
        if first <= given.grade <= LAST_GRADES.get(first, 9):
            return _agreeing(text, given, first, school)
    return None


def _grade_of_entry(entered: str, first: int | None, school: School) -> _Grade:
    year = read_year(entered)
    if year is None:
        raise HomeroomError(Kind.HOMEROOM_GRADE_UNCLEAR)
    return _Grade(_grade_of_cohort(year, "级", first, school), f"{year}级")


_NUMBERED: Final = re.compile(
    rf"(?:class)?[(\[【]?第?(?P<number>\d{{1,2}}|{HAN_NUMBER})[)\]】]?班?", re.IGNORECASE
)


def _make(grade: int, word: str, rest: str) -> Homeroom:
    """The homeroom in one writing, whatever brackets and noughts it was written with."""
    rest = rest.lstrip("-_/·.,、")
    found = _NUMBERED.fullmatch(rest)
    number = _number(found["number"]) if found else None
    if number is not None:
        name = f"{word}({number})班"
    elif not rest or rest in {"班", "级"}:
        raise HomeroomError(Kind.HOMEROOM_MISSING)
    else:
        name = f"{word}{rest}"
    if len(name) > LONGEST:
        raise HomeroomError(Kind.HOMEROOM_TOO_LONG)
    return Homeroom(name, _within(grade), number)


def _number(written: str) -> int | None:
    number = int(written) if written.isdigit() else read_han(written)
    return number or None


def _within(grade: int) -> int:
    if not 1 <= grade <= 12:
        raise HomeroomError(Kind.HOMEROOM_GRADE_OUTSIDE)
    return grade
